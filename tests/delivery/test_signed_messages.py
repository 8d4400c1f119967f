"""What both ends believe, and what neither does."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from scanner.alert import (
    CENTRAL,
    MAX_PAYLOAD,
    AckData,
    Acknowledged,
    AnswerData,
    AnswerOutcome,
    Event,
    Forged,
    Malformed,
    Message,
    Refused,
    new_id,
    new_key,
    public_of,
    seal,
    source_of,
    topic_of,
    unseal,
)
from tests.delivery.both_ends import NOW, alert

DEVICE, CENTRAL_KEY, STRANGER = new_key(), new_key(), new_key()
TOPIC = topic_of(Message.ALERT, "desk-1")
RAISED = Event(Message.ALERT, new_id(), source_of("desk-1"), NOW, alert(), new_id(), 1)
SEALED = seal(RAISED, DEVICE)


def keys(source: str) -> Sequence[OKPKey]:
    known = {source_of("desk-1"): [public_of(DEVICE)], CENTRAL: [public_of(CENTRAL_KEY)]}
    return known.get(source, [])


def answer(device: str = "desk-1") -> Event:
    data = AnswerData(
        device=device,
        counter=1,
        alert=new_id(),
        outcome=AnswerOutcome.CONFIRMED,
        at=NOW,
        until=NOW,
    )
    return Event(Message.ANSWER, new_id(), CENTRAL, NOW, data)


def resigned(change: dict[str, Any], key: OKPKey = DEVICE) -> bytes:
    """The alert with something else in its event, truly signed."""
    event = json.loads(jws.extract_compact(SEALED).payload) | change
    event = {name: value for name, value in event.items() if value is not ...}
    header = {"alg": "Ed25519", "kid": key.thumbprint(), "typ": "cloudevents+json"}
    return jws.serialize_compact(header, json.dumps(event), key, ["Ed25519"]).encode()


def with_header(header: dict[str, Any]) -> bytes:
    _, payload, signature = SEALED.split(b".")
    return b".".join((_b64(json.dumps(header).encode()), payload, signature))


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def refusal(topic: str, payload: bytes) -> tuple[type[Refused], str]:
    with pytest.raises(Refused) as caught:
        unseal(topic, payload, keys)
    return type(caught.value), caught.value.code


def test_what_is_sealed_is_unsealed_as_it_was() -> None:
    assert unseal(TOPIC, SEALED, keys) == RAISED


def test_the_envelope_is_a_cloudevent_in_a_compact_jws() -> None:
    signed = jws.deserialize_compact(SEALED, public_of(DEVICE), ["Ed25519"])
    event = json.loads(signed.payload)
    assert {name: event[name] for name in ("specversion", "source", "type", "n")} == {
        "specversion": "1.0",
        "source": "borderpost/device/desk-1",
        "type": "org.borderpost.alert.v1",
        "n": 1,
    }
    assert event["time"] == "2026-11-23T12:00:00Z"


def test_the_signature_of_another_key_is_a_forgery() -> None:
    assert refusal(TOPIC, seal(RAISED, STRANGER)) == (Forged, "key")


def test_another_key_that_claims_the_right_kid_is_a_forgery() -> None:
    header = {"alg": "Ed25519", "kid": DEVICE.thumbprint(), "typ": "cloudevents+json"}
    body = jws.extract_compact(SEALED).payload
    forged = jws.serialize_compact(header, body, STRANGER, ["Ed25519"]).encode()
    assert refusal(TOPIC, forged) == (Forged, "signature")


def test_a_device_cannot_speak_on_the_topic_of_another() -> None:
    assert refusal(topic_of(Message.ALERT, "desk-2"), SEALED) == (Forged, "sender")


def test_a_device_cannot_speak_as_central() -> None:
    forged = seal(answer(), DEVICE)
    assert refusal(topic_of(Message.ANSWER, "desk-1"), forged) == (Forged, "key")


def test_central_s_answer_to_one_device_is_none_to_another() -> None:
    said = seal(answer("desk-2"), CENTRAL_KEY)
    assert refusal(topic_of(Message.ANSWER, "desk-1"), said) == (Forged, "device")


def test_an_event_that_names_another_source_is_a_forgery() -> None:
    assert refusal(TOPIC, resigned({"source": source_of("desk-2")})) == (Forged, "source")


def test_an_alert_is_no_outcome_by_coming_on_another_topic() -> None:
    assert refusal(topic_of(Message.OUTCOME, "desk-1"), SEALED) == (Malformed, "event")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "none", "kid": DEVICE.thumbprint(), "typ": "cloudevents+json"},
        {"alg": "HS256", "kid": DEVICE.thumbprint(), "typ": "cloudevents+json"},
        {"alg": "EdDSA", "kid": DEVICE.thumbprint(), "typ": "cloudevents+json"},
        {"alg": "Ed25519", "kid": DEVICE.thumbprint()},
        {"alg": "Ed25519", "kid": DEVICE.thumbprint(), "typ": "cloudevents+json", "b64": False},
        {"alg": "Ed25519", "kid": DEVICE.thumbprint(), "typ": "cloudevents+json", "jku": "x"},
        [],
        "Ed25519",
        None,
    ],
    ids=lambda header: str(header).replace(DEVICE.thumbprint(), "kid"),
)
def test_a_header_that_is_not_exactly_ours_is_a_forgery(header: Any) -> None:
    assert refusal(TOPIC, with_header(header)) == (Forged, "header")


def test_the_public_key_as_a_shared_secret_is_a_forgery() -> None:
    secret = OctKey.import_key(str(public_of(DEVICE).as_dict()["x"]))
    header = {"alg": "HS256", "kid": DEVICE.thumbprint(), "typ": "cloudevents+json"}
    forged = jws.serialize_compact(header, b"{}", secret, ["HS256"]).encode()
    assert refusal(TOPIC, forged)[0] in (Forged, Malformed)


@pytest.mark.parametrize(
    "change",
    [
        {"n": 0},
        {"n": 2**31},
        {"n": ...},
        {"epoch": "x"},
        {"id": "0"},
        {"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
        {"specversion": "0.3"},
        {"time": "2026-11-23T12:00:00"},
        {"time": 1},
        {"time": "1970-01-01T00:00:00+14:00"},
        {"time": "9998-12-31T23:59:59-01:00"},
        {"extra": 1},
        {"data": None},
        {"data": {}},
    ],
    ids=str,
)
def test_a_signed_event_out_of_form_is_malformed(change: dict[str, Any]) -> None:
    assert refusal(TOPIC, resigned(change)) == (Malformed, "event")


def test_the_type_must_be_the_topic_s() -> None:
    assert refusal(TOPIC, resigned({"type": "org.borderpost.stats.v1"})) == (Malformed, "type")


def test_text_over_its_limit_or_with_control_characters_is_malformed() -> None:
    for bad in ("x" * 65, "a\x1b[2J", "a\nb", "a\u202eb"):
        data = json.loads(jws.extract_compact(SEALED).payload)["data"]
        data["document"]["surname"] = bad
        assert refusal(TOPIC, resigned({"data": data})) == (Malformed, "event")


def test_an_oversize_payload_is_refused_unread() -> None:
    assert refusal(TOPIC, SEALED + b"A" * MAX_PAYLOAD) == (Malformed, "oversize")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "borderpost/v1/desk-1",
        "borderpost/v1/desk-1/alert/x",
        "borderpost/v1/ring/alert",
        "borderpost/v1/desk-1/update",
        "borderpost/v1//alert",
        "borderpost/v1/+/alert",
        "borderpost/v2/desk-1/alert",
        "borderpost/v1/ring/a b/update",
    ],
)
def test_a_topic_that_is_none_of_ours_is_malformed(topic: str) -> None:
    assert refusal(topic, SEALED) == (Malformed, "topic")


def test_every_change_of_one_byte_is_refused() -> None:
    for at in range(0, len(SEALED), 7):
        other = b"A" if SEALED[at : at + 1] != b"A" else b"B"
        assert issubclass(refusal(TOPIC, SEALED[:at] + other + SEALED[at + 1 :])[0], Refused)


def test_the_largest_acknowledgement_fits_into_a_payload() -> None:
    committed = tuple(
        Acknowledged(id=new_id(), epoch=RAISED.epoch or "", n=2**31 - 1) for _ in range(100)
    )
    data = AckData(device="d" * 63, counter=2**53 - 1, committed=committed)
    assert seal(Event(Message.ACK, new_id(), CENTRAL, NOW, data), CENTRAL_KEY)


def test_a_clock_that_is_years_off_is_said_and_not_refused() -> None:
    for year in (1970, 2099):
        early = replace(RAISED, time=datetime(year, 1, 1, tzinfo=UTC))
        assert unseal(TOPIC, seal(early, DEVICE), keys).time.year == year


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_and_nothing_else(payload: bytes) -> None:
    refusal(TOPIC, payload)


@given(
    st.lists(st.binary(max_size=80), min_size=2, max_size=2),
    st.sampled_from(["desk-1", "desk-2"]),
)
def test_any_three_encoded_parts_are_refused_and_nothing_else(
    parts: list[bytes], device: str
) -> None:
    payload = b".".join((*map(_b64, parts), b"A" * 86))
    refusal(topic_of(Message.ALERT, device), payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
names = ("id", "time", "epoch", "n", "data", "type", "specversion")


@given(st.dictionaries(st.sampled_from(names), json_values, min_size=1, max_size=3))
def test_a_signed_event_with_anything_in_it_is_refused_and_nothing_else(
    change: dict[str, Any],
) -> None:
    try:
        unseal(TOPIC, resigned(change), keys)
    except Refused:
        return
    assert set(change) <= {"n"}


@given(st.text(max_size=60))
def test_any_topic_is_refused_and_nothing_else(topic: str) -> None:
    refusal(topic, SEALED)
