"""A device's identity: whom it believes, and how it is renewed before it ends."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from central.enrolment.authority import Authority
from central.enrolment.certificate_forms import host_name, leaf_certificate
from central.enrolment.certificates import AuthorityFault, Sort
from central.enrolment.enrolling import Enrolment, EnrolmentRefused
from central.enrolment.files import issue_server
from firmware.identity.enrolling import renewal, take_renewal
from firmware.identity.files import PRIVATE, seal_in_place
from firmware.identity.identity import Identity
from firmware.identity.keys import Keys, load_keys
from firmware.identity.renewal import Renewal
from firmware.identity.seal import is_sealed, new_secret
from scanner.alert import (
    CENTRAL,
    CommandData,
    Event,
    Forged,
    KeyFault,
    KeysData,
    Message,
    Order,
    StatusData,
    new_id,
    new_key,
    seal,
    source_of,
    topic_of,
    unseal,
)
from scanner.alert.enrolment import new_tls_key, private_pem
from scanner.alert.keyset import thumbprints
from tests.delivery.both_ends import NOW, running, wait_for
from tests.delivery.test_enrolment import HeadOffice, believes, device

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeadOffice]:
    """Headquarters whose enrolment service runs."""
    one = HeadOffice(tmp_path_factory.mktemp("office"))
    one.serve()
    yield one
    one.stop()


def enrolled(office: HeadOffice, folder: Path, name: str) -> Identity:
    device(folder, office.url, say=office.enrolment.token(name), name=name)
    return Identity(folder)


def at(days: float) -> datetime:
    return datetime.now(UTC) + days * DAY


def due(identity: Identity, name: str, days: float) -> bool:
    return Renewal(identity, name, clock=lambda: at(days)).is_due()


def test_a_certificate_is_due_after_two_thirds_of_its_90_days(
    office: HeadOffice, tmp_path: Path
) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-1")
    assert identity.certificate_until is not None
    assert timedelta(days=89) < identity.certificate_until - datetime.now(UTC) <= timedelta(days=90)
    assert not due(identity, "desk-1", 59)
    assert due(identity, "desk-1", 66)
    assert due(identity, "desk-1", 400)
    assert not due(identity, "desk-1", -10_000), "a clock that is not set says nothing"


def test_a_fleet_that_was_enrolled_in_one_day_comes_back_over_several(
    office: HeadOffice, tmp_path: Path
) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-2")
    days = [d / 10 for d in range(590, 670)]
    firsts = {next(day for day in days if due(identity, f"desk-{n}", day)) for n in range(200)}
    assert max(firsts) - min(firsts) > 3


def test_a_renewal_gives_new_keys_that_count_once_they_are_heard(
    office: HeadOffice, tmp_path: Path
) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-3")
    before = load_keys(tmp_path / "a")
    own = identity.certificate
    assert Renewal(identity, "desk-3", clock=lambda: at(61)).attempt()
    assert identity.certificate is not None
    assert own is not None
    assert identity.signing.thumbprint() != before.signing.thumbprint()
    assert identity.certificate.public_key() != own.public_key()
    assert identity.marks == before.marks
    registered = office.authority.keys_of(source_of("desk-3"))
    assert thumbprints(registered) == thumbprints([before.signing, identity.signing])
    assert says(office.authority, before, "desk-3"), "not before the new one is heard"
    assert believes(office.authority, identity, "desk-3")
    assert not says(office.authority, before, "desk-3")
    assert thumbprints(office.authority.keys_of(source_of("desk-3"))) == (
        identity.signing.thumbprint(),
    )


def says(authority: Authority, keys: Keys, name: str) -> bool:
    """Whether central believes what is signed with these keys."""
    event = Event(Message.STATUS, new_id(), source_of(name), NOW, StatusData())
    try:
        authority.unseal(topic_of(Message.STATUS, name), seal(event, keys.signing))
    except Forged:
        return False
    return True


def test_renewals_whose_answers_are_lost_leave_the_device_believed(
    office: HeadOffice, tmp_path: Path
) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-4")
    for _ in range(6):
        _, message = renewal(identity, "desk-4")
        office.enrolment.renew(message)
        assert believes(office.authority, identity, "desk-4")
    assert Renewal(identity, "desk-4").attempt()
    assert believes(office.authority, identity, "desk-4")
    assert len(office.authority.keys_of(source_of("desk-4"))) == 1


def test_the_answer_that_comes_late_counts_too(office: HeadOffice, tmp_path: Path) -> None:
    """Two renewals are answered, and the device takes the first."""
    identity = enrolled(office, tmp_path / "a", "desk-5")
    pending, message = renewal(identity, "desk-5")
    answer = office.enrolment.renew(message)
    office.enrolment.renew(renewal(identity, "desk-5")[1])
    take_renewal(identity, pending, answer)
    assert believes(office.authority, identity, "desk-5")


def test_a_service_that_is_away_leaves_everything_as_it_is_and_is_a_fault_in_the_end(
    office: HeadOffice, tmp_path: Path
) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-6")
    signing, now = identity.signing.thumbprint(), [61.0]
    (tmp_path / "a" / "service.url").write_text("https://localhost:1\n")
    part = Renewal(identity, "desk-6", clock=lambda: at(now[0]))
    assert not part.attempt()
    assert identity.fault is None
    now[0] = 80.0
    assert not part.attempt()
    assert identity.fault is not None
    assert "is not renewed: https://localhost:1" in identity.fault
    assert identity.signing.thumbprint() == signing
    identity.tls()
    there = Renewal(identity, "desk-6", office.url, clock=lambda: at(80))
    assert there.attempt()
    assert identity.fault is None


def test_a_device_renews_by_itself_and_tries_again_after_a_pause(
    office: HeadOffice, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-7")
    signing = identity.signing.thumbprint()
    (tmp_path / "a" / "service.url").write_text("https://localhost:1\n")
    part = Renewal(identity, "desk-7", clock=lambda: at(66), look_every_s=5, first_pause_s=0.1)
    with running(part.run):
        wait_for(lambda: "not renewed" in caplog.text)
        (tmp_path / "a" / "service.url").write_text(office.url)
        wait_for(lambda: identity.signing.thumbprint() != signing)


def test_a_certificate_that_has_ended_is_renewed_for_a_time(
    office: HeadOffice, tmp_path: Path
) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-8")
    end(office, identity, "desk-8", days=-300)
    strict = Enrolment(office.authority, tmp_path / "strict", timedelta(days=299))
    with pytest.raises(EnrolmentRefused, match="too long ago"):
        strict.renew(renewal(identity, "desk-8")[1])
    assert Renewal(identity, "desk-8").is_due()
    assert Renewal(identity, "desk-8").attempt()
    assert identity.certificate_until is not None
    assert identity.certificate_until > datetime.now(UTC)


def test_a_sealed_identity_stays_sealed_when_it_is_renewed_and_opens_with_its_secret_alone(
    office: HeadOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = enrolled(office, tmp_path / "a", "desk-16")
    marks, certificate = plain.marks, plain.certificate
    secret = tmp_path / "credentials" / "borderpost_identity.seal"
    secret.parent.mkdir()
    secret.write_bytes(new_secret())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret.parent))
    assert seal_in_place(tmp_path / "a")
    assert not seal_in_place(tmp_path / "a")

    identity = Identity(tmp_path / "a")
    assert Renewal(identity, "desk-16").attempt()
    again = Identity(tmp_path / "a")
    assert again.certificate != certificate
    assert again.signing.thumbprint() != plain.signing.thumbprint()
    assert again.marks == marks
    again.tls()
    for name in PRIVATE:
        assert is_sealed((tmp_path / "a" / name).read_bytes())

    secret.write_bytes(new_secret())
    with pytest.raises(KeyFault, match="sealed with another secret"):
        Identity(tmp_path / "a")
    secret.unlink()
    with pytest.raises(KeyFault, match="what opens it is not at hand"):
        Identity(tmp_path / "a")


def end(office: HeadOffice, identity: Identity, name: str, days: float) -> None:
    """Puts a certificate in the place of the present one that ended some days ago."""
    key = serialization.load_pem_private_key((identity.folder / "tls.key").read_bytes(), None)
    certificates = office.authority.certificates
    present = certificates.roots.present()
    root, root_key = present.certificate, present.key
    public = key.public_key()
    ended = leaf_certificate(
        name,
        public,  # type: ignore[arg-type]
        [x509.UniformResourceIdentifier(f"urn:borderpost:device:{name}")],
        root,
        root_key,
        server=False,
        now=datetime.now(UTC) + (days - 90) * DAY,
        days=90,
    )
    identity.change({"tls.crt": ended.public_bytes(serialization.Encoding.PEM)})


def test_a_revoked_device_renews_nothing(office: HeadOffice, tmp_path: Path) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-9")
    assert office.enrolment.withdraw("desk-9")
    assert not Renewal(identity, "desk-9").attempt()
    assert "desk-9: device, revoked" in office.command("enrol", "list")


@pytest.mark.parametrize("before", [True, False])
def test_a_device_that_is_revoked_while_it_renews_stays_revoked(
    office: HeadOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    name = f"desk-11{before}"
    identity = enrolled(office, tmp_path / "a", name)
    certificates = office.authority.certificates
    make = certificates.device

    def revoked_meanwhile(*arguments: object) -> bytes:
        elsewhere = Enrolment(Authority(office.keys), office.keys / "authority")
        if before:
            assert elsewhere.withdraw(name)
        made = make(*arguments)  # type: ignore[arg-type]
        if not before:
            assert elsewhere.withdraw(name)
        return made

    monkeypatch.setattr(certificates, "device", revoked_meanwhile)
    with pytest.raises(EnrolmentRefused, match="no longer"):
        office.enrolment.renew(renewal(identity, name)[1])
    assert not office.authority.is_enrolled(name)
    assert name not in certificates.issued(Sort.DEVICE)


def test_new_keys_of_centrals_are_pinned_and_last(office: HeadOffice, tmp_path: Path) -> None:
    identity = enrolled(office, tmp_path / "a", "desk-10")
    following = new_key()
    owed = KeysData.model_validate(
        {
            "device": "desk-10",
            "counter": 1,
            "keys": [{"x": str(following.as_dict(private=False)["x"])}],
        },
        strict=False,
    )
    identity.take(owed)
    assert identity.central_keys == (following.thumbprint(),)
    again = Identity(tmp_path / "a")
    assert again.central_keys == identity.central_keys
    assert again.keys.central.encryption is not None
    with pytest.raises(Forged):
        _a_command(office, again)


def _a_command(office: HeadOffice, identity: Identity) -> None:
    data = CommandData(device="desk-10", counter=2, order=Order.DRILL)
    event = Event(Message.COMMAND, new_id(), CENTRAL, NOW, data)
    sealed = office.authority.seal(event, "desk-10")
    unseal(topic_of(Message.COMMAND, "desk-10"), sealed, identity.of)


def test_centrals_key_changes_in_two_steps_and_a_device_that_was_away_follows(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path / "keys")
    for name in ("there", "away"):
        authority.enrol(name, tmp_path / name)
    first = authority.own.present().thumbprint()
    there, away = Identity(tmp_path / "there"), Identity(tmp_path / "away")
    assert authority.keys_owed(there.central_keys) == ()

    announced = authority.own.rotate()
    tell(authority, there, "there", 1)
    assert there.central_keys == (first, announced)
    assert authority.keys_owed(there.central_keys) == ()
    assert authority.own.present().thumbprint() == first

    assert authority.own.finish() == announced
    assert authority.own.present().thumbprint() == announced
    for identity, name in ((there, "there"), (away, "away")):
        tell(authority, identity, name, 2)
        assert identity.central_keys == (announced,)
        assert authority.keys_owed(identity.central_keys) == ()


def test_a_key_that_was_forgotten_tells_a_device_nothing_more(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys")
    authority.enrol("away", tmp_path / "away")
    away = Identity(tmp_path / "away")
    authority.own.rotate()
    authority.own.finish(forget=True)
    with pytest.raises(Forged):
        tell(authority, away, "away", 1)


def tell(authority: Authority, identity: Identity, name: str, counter: int) -> None:
    """Central tells the device the keys that it is owed, and the device takes them."""
    owed = authority.keys_owed(identity.central_keys)
    data = KeysData(device=name, counter=counter, keys=owed)
    event = Event(Message.KEYS, new_id(), CENTRAL, NOW, data)
    sealed = authority.seal_keys(event, identity.central_keys)
    heard = unseal(topic_of(Message.KEYS, name), sealed, identity.of).data
    assert isinstance(heard, KeysData)
    identity.take(heard)


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """A TLS server with the files in `folder`, that asks for no certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                one, _ = listening.accept()
                with one:
                    context.wrap_socket(one, server_side=True).recv(1)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
    thread.join(5)


def connects(identity: Identity, folder: Path, host: str = "broker.example") -> bool:
    with server(folder) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        try:
            with identity.tls().wrap_socket(plain, server_hostname=host) as sock:
                sock.sendall(b"x")
        except ssl.SSLError:
            return False
    return True


def server_files(
    authority: Authority, folder: Path, *, from_days: float, days: float, client: bool = False
) -> Path:
    """The files of a server whose certificate is valid from some days from now on."""
    root = authority.certificates.roots.present()
    key = new_tls_key()
    certificate = leaf_certificate(
        "broker",
        key.public_key(),
        [host_name("broker.example")],
        root.certificate,
        root.key,
        server=not client,
        now=at(from_days) + DAY,
        days=days,
    )
    folder.mkdir()
    (folder / "tls.key").write_bytes(private_pem(key))
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder


def test_a_device_believes_the_right_broker_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys")
    authority.enrol("desk-1", tmp_path / "desk-1")
    identity = Identity(tmp_path / "desk-1")
    issue_server(authority, "broker", ["broker.example"], tmp_path / "broker")
    assert connects(identity, tmp_path / "broker")
    assert not connects(identity, tmp_path / "broker", "other.example")
    foreign = Authority(tmp_path / "foreign-keys")
    foreign.make()
    issue_server(foreign, "broker", ["broker.example"], tmp_path / "foreign")
    assert not connects(identity, tmp_path / "foreign")
    posing = server_files(authority, tmp_path / "posing", from_days=-2, days=9, client=True)
    assert not connects(identity, posing), "a client's certificate is none for a server"


def test_a_clock_that_is_behind_keeps_no_device_from_its_broker(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys")
    authority.enrol("desk-1", tmp_path / "desk-1")
    identity = Identity(tmp_path / "desk-1")
    to_come = server_files(authority, tmp_path / "to-come", from_days=300, days=90)
    assert connects(identity, to_come)
    ended = server_files(authority, tmp_path / "ended", from_days=-40, days=30)
    assert not connects(identity, ended)


def test_an_end_before_the_devices_own_certificate_was_made_is_seen_without_a_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path / "keys")
    authority.enrol("desk-1", tmp_path / "desk-1")
    identity = Identity(tmp_path / "desk-1")
    ended = server_files(authority, tmp_path / "ended", from_days=-40, days=30)
    good = server_files(authority, tmp_path / "good", from_days=-1, days=30)
    monkeypatch.setattr("firmware.identity.identity.time.time", lambda: 0.0)
    assert not connects(identity, ended)
    assert connects(identity, good)


def test_an_authority_that_is_held_to_domains_speaks_for_no_others(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys")
    authority.certificates.make("Utopia", domains=["border.example"], networks=["10.0.0.0/8"])
    authority.enrol("desk-1", tmp_path / "desk-1")
    identity = Identity(tmp_path / "desk-1")
    hosts = ["broker.border.example", "10.1.2.3"]
    issue_server(authority, "broker", hosts, tmp_path / "broker")
    assert connects(identity, tmp_path / "broker", "broker.border.example")
    assert connects(identity, tmp_path / "broker", "10.1.2.3")
    for host in ("broker.example", "192.168.1.1", "border.example.com", "::1"):
        with pytest.raises(AuthorityFault, match="may not speak for"):
            issue_server(authority, "other", [host], tmp_path / "other")
    escaped = server_files(authority, tmp_path / "escaped", from_days=-1, days=30)
    assert not connects(identity, escaped), "the name is outside of the constraints"
    with pytest.raises(AuthorityFault, match="give one without"):
        authority.enrol("desk.1", tmp_path / "desk.1")
    assert set(authority.certificates.issued(Sort.DEVICE)) == {"desk-1"}


def test_a_broker_known_by_its_address_alone_is_believed_where_no_domain_is(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys")
    authority.certificates.make("Utopia", networks=["10.0.0.0/8"])
    authority.enrol("desk-1", tmp_path / "desk-1")
    issue_server(authority, "10.1.2.3", ["10.1.2.3"], tmp_path / "broker")
    assert connects(Identity(tmp_path / "desk-1"), tmp_path / "broker", "10.1.2.3")


@pytest.mark.parametrize("missing", ["tls.key", "ca.crt"])
def test_an_identity_with_a_file_missing_is_one_clear_line(tmp_path: Path, missing: str) -> None:
    authority = Authority(tmp_path / "keys")
    authority.enrol("desk-1", tmp_path / "desk-1")
    identity = Identity(tmp_path / "desk-1")
    (tmp_path / "desk-1" / missing).unlink()
    with pytest.raises(OSError, match=r"No such file"):
        identity.tls()
    shutil.rmtree(tmp_path / "desk-1")
    with pytest.raises(KeyFault, match="enrol the device"):
        Identity(tmp_path / "desk-1")
