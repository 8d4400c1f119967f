"""What is encrypted to somebody is opened by them alone, and nothing else is."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe

from scanner.alert import (
    MAX_PAYLOAD,
    Alerting,
    AlertMatch,
    Event,
    ListVersion,
    Malformed,
    Message,
    new_id,
    new_key,
    public_of,
    seal,
    sign,
    source_of,
    topic_of,
    unseal,
)
from scanner.alert.encryption import MAX_ENCRYPTED, decrypt, encrypt, is_encrypted
from scanner.alert.keyfile import new_encryption_key
from scanner.alert.messages import MAX_LISTS, MAX_MATCHES
from scanner.watchlist.contract import AskedAs, Certainty, ListStatus
from tests.delivery.both_ends import alert

KEY, OTHER = new_encryption_key(), new_encryption_key()
SIGNED = b"head.body.signature"
CLOSED = encrypt(SIGNED, public_of(KEY))


def refused(payload: bytes) -> str:
    with pytest.raises(Malformed) as refusal:
        decrypt(payload, [KEY])
    return refusal.value.code


def test_the_receiver_alone_opens_it() -> None:
    assert is_encrypted(CLOSED)
    assert not is_encrypted(SIGNED)
    assert decrypt(CLOSED, [OTHER, KEY]) == SIGNED
    for keys in ([], [OTHER]):
        with pytest.raises(Malformed, match="encryption"):
            decrypt(CLOSED, keys)


def test_the_same_message_never_looks_the_same() -> None:
    parts = [encrypt(SIGNED, public_of(KEY)).split(b".") for _ in range(2)]
    assert all(one != other for one, other in zip(*parts, strict=True))


def test_whatever_can_be_signed_can_be_encrypted() -> None:
    longest = b"x" * MAX_PAYLOAD
    closed = encrypt(longest, public_of(KEY))
    assert len(closed) <= MAX_ENCRYPTED
    assert decrypt(closed, [KEY]) == longest
    assert refused(b"x" * (MAX_ENCRYPTED + 1)) == "oversize"


def test_what_is_in_it_is_held_to_the_limit_of_what_is_signed() -> None:
    event = b"{" + b" " * MAX_PAYLOAD
    with pytest.raises(ValueError, match="are allowed"):
        sign(event, new_key())
    opened = decrypt(encrypt(b"x" * (MAX_PAYLOAD + 500), public_of(KEY)), [KEY])
    with pytest.raises(Malformed, match="oversize"):
        unseal(topic_of(Message.ALERT, "desk-1"), opened, lambda source: ())


def test_the_longest_alert_there_can_be_is_told() -> None:
    """As many matches and lists as a message carries, and every text as long as it may be."""
    wide = "\U0001f6c2"
    match = AlertMatch(
        list="x" * 64,
        certainty=Certainty.POSSIBLE,
        status=ListStatus.STOLEN_BLANK,
        kind=alert().document.kind,
        recorded=date(2026, 1, 1),
        asked_as=AskedAs.NUMBER,
        why=wide * 200,
    )
    versions = ListVersion(name="x" * 64, version=2**53 - 1, as_of=datetime.now(UTC))
    data = alert().model_copy(
        update={
            "outcome": Alerting.POSSIBLE,
            "matches": (match,) * MAX_MATCHES,
            "lists": (versions,) * MAX_LISTS,
        }
    )
    key = new_key()
    event = Event(
        Message.ALERT, new_id(), source_of("desk-1"), datetime.now(UTC), data, new_id(), 2**31 - 1
    )
    closed = encrypt(seal(event, key), public_of(KEY))
    told = unseal(
        topic_of(Message.ALERT, "desk-1"), decrypt(closed, [KEY]), lambda source: [public_of(key)]
    )
    assert told == event


def test_a_message_cannot_choose_how_it_is_opened() -> None:
    head, *rest = CLOSED.split(b".")
    header = json.loads(urlsafe_b64decode(head + b"=="))
    for change in (
        {"alg": "ECDH-ES"},
        {"alg": "dir"},
        {"enc": "A128GCM"},
        {"zip": "DEF"},
        {"typ": "JWT"},
        {"kid": OTHER.thumbprint()},
        {"crit": ["exp"]},
        {"apu": "QQ"},
        {"epk": {"kty": "EC", "crv": "P-256", "x": "QQ", "y": "QQ"}},
        {"epk": {**header["epk"], "d": "QQ"}},
    ):
        forged = urlsafe_b64encode(json.dumps({**header, **change}).encode()).rstrip(b"=")
        assert refused(b".".join([forged, *rest])) == "encryption"
    zipped = jwe.encrypt_compact(
        {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "zip": "DEF", "kid": KEY.thumbprint()},
        b"0" * 1_000_000,
        public_of(KEY),
        algorithms=["ECDH-ES+A256KW", "A256GCM", "DEF"],
    )
    assert refused(zipped.encode()) == "encryption"


def test_a_changed_byte_anywhere_opens_nothing() -> None:
    for at in range(len(CLOSED)):
        changed = bytearray(CLOSED)
        changed[at] = ord("A") if changed[at] != ord("A") else ord("q")
        try:
            assert decrypt(bytes(changed), [KEY]) == SIGNED, "a bit that base64 does not use"
        except Malformed:
            continue


@given(st.binary(max_size=400) | st.from_regex(rb"([A-Za-z0-9_-]{0,40}\.){4}[A-Za-z0-9_-]{0,40}"))
def test_any_bytes_are_refused_and_raise_nothing_else(payload: bytes) -> None:
    assert refused(payload) in {"form", "encryption", "oversize"}
