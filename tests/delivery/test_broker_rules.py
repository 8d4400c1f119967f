"""What a site's Mosquitto lets whom do, as `borderpost-central broker config` sets it up."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from central.brokers import files as broker_files
from central.brokers.config import conf, rules
from central.enrolment.authority import Authority
from central.enrolment.certificates import Certificates, Sort
from central.enrolment.enrolling import Enrolment
from central.enrolment.files import issue_server, issue_worker
from scanner.alert import TABLE, Message, ring_topic, topic_of
from scanner.alert.encryption import MAX_ENCRYPTED
from scanner.alert.enrolment import new_tls_key, private_pem
from tests.delivery.both_ends import wait_for
from tests.delivery.site_broker import Client, Refused, SiteBroker

FROM_DEVICE = [message for message, row in TABLE.items() if not row.from_central]
TO_DEVICE = [
    message for message, row in TABLE.items() if row.from_central and message is not Message.UPDATE
]


@dataclass
class Site:
    """A running broker, two devices, two workers, and nobody connected."""

    folder: Path
    authority: Authority
    broker: SiteBroker

    def connect(self, name: str, **more: object) -> Client:
        return Client(self.broker.port, self.folder / name, **more)  # type: ignore[arg-type]

    def files(self, name: str, certificate: bytes, key: bytes, ca: bytes) -> Path:
        folder = self.folder / name
        folder.mkdir()
        for file, content in (("tls.crt", certificate), ("tls.key", key), ("ca.crt", ca)):
            (folder / file).write_bytes(content)
        return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    authority = Authority(folder / "keys")
    for device in ("desk-1", "desk-2", "desk-3"):
        authority.enrol(device, folder / device)
    for worker in ("w1", "w2"):
        issue_worker(authority, worker, folder / worker)
    with SiteBroker(authority, folder / "broker") as broker:
        yield Site(folder, authority, broker)


def test_a_device_says_what_devices_say_under_its_own_name_alone(site: Site) -> None:
    with site.connect("w1") as central, site.connect("desk-1") as desk:
        central.listen("borderpost/v1/#")
        for message in FROM_DEVICE:
            assert desk.say(topic_of(message, "desk-1"), b"mine")
            assert not desk.say(topic_of(message, "desk-2"), b"another's")
        for message in TO_DEVICE:
            assert not desk.say(topic_of(message, "desk-1"), b"central's")
        for other in (ring_topic("all"), "borderpost/v1/desk-1", "elsewhere", "$SYS/x"):
            assert not desk.say(other, b"nobody's")
        expected = {(topic_of(message, "desk-1"), b"mine") for message in FROM_DEVICE}
        wait_for(lambda: expected <= set(central.heard))
        assert {payload for _, payload in central.heard} == {b"mine"}


@pytest.mark.parametrize("five", [True, False])
def test_a_device_hears_what_central_says_to_it_alone(site: Site, five: bool) -> None:
    with site.connect("w1") as central, site.connect("desk-1", five=five) as desk:
        desk.listen("#", "$SYS/#", "borderpost/v1/desk-2/answer", "$share/g/borderpost/v1/#")
        with site.connect("desk-2") as other:
            other.say(topic_of(Message.ALERT, "desk-2"), b"a document")
        for message in TO_DEVICE:
            assert central.say(topic_of(message, "desk-2"), b"not for desk-1")
            assert central.say(topic_of(message, "desk-1"), b"for desk-1")
        assert central.say(ring_topic("all"), b"for all")
        wait_for(lambda: (ring_topic("all"), b"for all") in desk.heard)
        assert {payload for _, payload in desk.heard} == {b"for desk-1", b"for all"}


def test_a_device_cannot_take_over_the_session_of_another(site: Site) -> None:
    with site.connect("desk-1", client_id="desk-1", keep=True) as desk:
        desk.listen(topic_of(Message.ANSWER, "desk-1"))
    with site.connect("w1") as central:
        assert central.say(topic_of(Message.ANSWER, "desk-1"), b"waits for desk-1")
        with site.connect("desk-2", client_id="desk-1", keep=True) as thief:
            thief.listen(topic_of(Message.ACK, "desk-2"))
            assert central.say(topic_of(Message.ACK, "desk-2"), b"after it")
            wait_for(lambda: thief.heard)
            assert [payload for _, payload in thief.heard] == [b"after it"]
    with site.connect("desk-1", client_id="desk-1", keep=True) as desk:
        wait_for(lambda: desk.heard)
        assert desk.heard == [(topic_of(Message.ANSWER, "desk-1"), b"waits for desk-1")]


def test_a_devices_last_will_is_published_and_kept(site: Site) -> None:
    topic = topic_of(Message.STATUS, "desk-3")
    with site.connect("w1") as central:
        central.listen(topic)
        site.connect("desk-3", will=(topic, b"gone")).vanish()
        wait_for(lambda: central.heard)
        assert central.heard == [(topic, b"gone")]
    with site.connect("w2") as late:
        late.listen(topic)
        wait_for(lambda: late.heard == [(topic, b"gone")])


def test_a_last_will_on_anothers_topic_is_not_published(site: Site) -> None:
    with site.connect("w1") as central:
        central.listen("borderpost/v1/+/alert", topic_of(Message.STATUS, "desk-2"))
        will = (topic_of(Message.STATUS, "desk-2"), b"a lie")
        try:
            site.connect("desk-3", will=will).vanish()
        except Refused:
            return
        with site.connect("desk-1") as desk:
            assert desk.say(topic_of(Message.ALERT, "desk-1"), b"after it")
        wait_for(lambda: central.heard)
        assert b"a lie" not in {payload for _, payload in central.heard}


def test_centrals_workers_share_what_devices_say(site: Site) -> None:
    group = site.authority.group("central")
    topic = f"$share/{group}/borderpost/v1/+/alert"
    with site.connect("w1") as one, site.connect("w2") as two, site.connect("desk-1") as desk:
        one.listen(topic)
        two.listen(topic)
        for n in range(10):
            assert desk.say(topic_of(Message.ALERT, "desk-1"), str(n).encode())
        wait_for(lambda: len(one.heard) + len(two.heard) == 10)
        assert one.heard
        assert two.heard
        assert {payload for _, payload in one.heard + two.heard} == {
            str(n).encode() for n in range(10)
        }


def test_the_name_that_workers_share_under_cannot_be_guessed(site: Site, tmp_path: Path) -> None:
    other = Authority(tmp_path / "keys")
    other.make()
    name = site.authority.group("central")
    assert name == Authority(site.folder / "keys").group("central")
    assert name != other.group("central")
    assert len(name) > len("central") + 30
    assert site.authority.group("") == ""


def test_the_longest_message_that_there_can_be_goes_through(site: Site) -> None:
    with site.connect("w1") as central, site.connect("desk-1") as desk:
        central.listen(topic_of(Message.OUTCOME, "desk-1"))
        assert desk.say(topic_of(Message.OUTCOME, "desk-1"), b"x" * MAX_ENCRYPTED)
        wait_for(lambda: central.heard)
        assert not desk.say(topic_of(Message.OUTCOME, "desk-1"), b"x" * 2 * MAX_ENCRYPTED)


def test_nobody_connects_without_a_certificate(site: Site) -> None:
    with pytest.raises(Refused):
        Client(site.broker.port, None, ca=site.folder / "desk-1" / "ca.crt")


def test_a_certificate_of_another_authority_does_not_connect(site: Site, tmp_path: Path) -> None:
    foreign = Authority(tmp_path / "keys")
    foreign.enrol("desk-1", tmp_path / "desk-1")
    with pytest.raises(Refused):
        Client(site.broker.port, tmp_path / "desk-1", ca=site.folder / "desk-1" / "ca.crt")


def test_a_certificate_that_has_ended_does_not_connect(site: Site) -> None:
    key, certificates = new_tls_key(), site.authority.certificates
    ended = certificates.device("desk-1", key.public_key(), days=-0.01)
    site.files("ended", ended, private_pem(key), certificates.root_pem())
    with pytest.raises(Refused):
        site.connect("ended")


def test_a_servers_certificate_is_none_for_a_client(site: Site) -> None:
    issue_server(site.authority, "desk-1", ["desk-1"], site.folder / "server")
    with pytest.raises(Refused):
        site.connect("server")


def test_a_revoked_device_is_cut_off_at_once_and_does_not_connect_again(site: Site) -> None:
    site.authority.enrol("desk-9", site.folder / "desk-9")
    alert, ack = topic_of(Message.ALERT, "desk-9"), topic_of(Message.ACK, "desk-9")
    with (
        site.connect("w1") as central,
        site.connect("desk-9") as desk,
        site.connect("desk-1") as other,
    ):
        desk.listen(ack)
        assert desk.say(alert)
        assert Enrolment(site.authority, site.folder / "keys" / "authority").withdraw("desk-9")
        assert "told to read it" in broker_files.refresh(site.authority, site.folder / "broker")
        wait_for(lambda: not desk.say(alert))
        assert central.say(ack, b"not for the revoked")
        with pytest.raises(Refused):
            site.connect("desk-9")
        assert other.say(topic_of(Message.ALERT, "desk-1"))
        assert not other.ended
        assert desk.heard == []
    site.authority.enrol("desk-9", site.folder / "desk-9-anew")
    broker_files.refresh(site.authority, site.folder / "broker")

    def connects() -> bool:
        with site.connect("desk-9-anew") as anew:
            return anew.say(alert)

    wait_for(connects)
    with pytest.raises(Refused):
        site.connect("desk-9")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_earlier_tls_session_of_a_revoked_device_is_not_taken_up_again(
    site: Site, version: ssl.TLSVersion
) -> None:
    name = f"desk-3{version.value}"
    site.authority.enrol(name, site.folder / name)
    files = site.folder / name
    context = ssl.create_default_context(cafile=files / "ca.crt")
    context.load_cert_chain(files / "tls.crt", files / "tls.key")
    context.minimum_version = context.maximum_version = version

    def connect(session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
        """Whether the broker takes the connection, and the session that it gives."""
        plain = socket.create_connection(("127.0.0.1", site.broker.port), timeout=5)
        try:
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as sock:
                sock.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x0a\x00\x04desk")
                return sock.recv(4) == b"\x20\x02\x00\x00", sock.session
        except OSError:
            return False, None

    taken, session = connect(None)
    assert taken
    assert connect(session)[0]
    assert Enrolment(site.authority, site.folder / "keys" / "authority").withdraw(name)
    broker_files.refresh(site.authority, site.folder / "broker")
    wait_for(lambda: not connect(session)[0])


def test_two_devices_revoked_in_the_same_second_are_both_refused(site: Site) -> None:
    """The broker holds every list that it has read, and must take the latest of them."""
    enrolment = Enrolment(site.authority, site.folder / "keys" / "authority")
    names = ("desk-20", "desk-21", "desk-22")
    for name in names:
        site.authority.enrol(name, site.folder / name)
    for name in names:
        assert enrolment.withdraw(name)
        broker_files.refresh(site.authority, site.folder / "broker")
    for name in names:
        wait_for(lambda name=name: _is_refused(site, name))
    with site.connect("desk-1"):
        pass


def test_what_is_retained_and_what_waits_outlast_a_restart(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys")
    authority.enrol("desk-1", tmp_path / "desk-1")
    issue_worker(authority, "w1", tmp_path / "w1")
    with SiteBroker(authority, tmp_path / "broker") as broker:
        answer, status = topic_of(Message.ANSWER, "desk-1"), topic_of(Message.STATUS, "desk-1")
        with Client(broker.port, tmp_path / "desk-1", keep=True) as desk:
            desk.listen(answer)
            assert desk.say(status, b"online", retain=True)
        with Client(broker.port, tmp_path / "w1") as central:
            assert central.say(answer, b"meanwhile")
        broker.stop()
        broker.start()
        with Client(broker.port, tmp_path / "desk-1", keep=True) as desk:
            wait_for(lambda: desk.heard == [(answer, b"meanwhile")])
        with Client(broker.port, tmp_path / "w1") as central:
            central.listen(status)
            wait_for(lambda: central.heard == [(status, b"online")])


def test_a_new_worker_counts_as_soon_as_the_broker_has_read_its_rules(site: Site) -> None:
    issue_worker(site.authority, "w3", site.folder / "w3")
    topic = topic_of(Message.ACK, "desk-1")
    with site.connect("w3") as worker:
        assert not worker.say(topic)
        broker_files.refresh(site.authority, site.folder / "broker")
        wait_for(lambda: worker.say(topic))


def test_revoking_a_list_of_names_keeps_those_of_others(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    certificates.make()
    for name in ("one", "two"):
        certificates.device(name, new_tls_key().public_key())
    assert certificates.revoke(Sort.DEVICE, "one") == 1
    assert certificates.revoke(Sort.DEVICE, "one") == 0
    assert set(certificates.issued(Sort.DEVICE)) == {"two"}
    assert [one.name for one in certificates.revoked()] == ["one"]


def _is_refused(site: Site, name: str) -> bool:
    try:
        with site.connect(name):
            return False
    except Refused:
        return True


def test_the_example_is_what_the_command_writes() -> None:
    example = Path(__file__).parents[2] / "config" / "mosquitto"
    written = conf(Path("/etc/mosquitto/borderpost"), 8883)
    assert (example / "mosquitto.conf").read_text() == written
    told = rules(["receiver-1", "receiver-2"], ["utopia-lost-1"])
    assert (example / "acl").read_text() == told
