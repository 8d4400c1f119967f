"""A whole site behind certificates: what the broker may see, and keys that change under way."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.answering.answers import Answer
from central.enrolment.authority import Authority
from central.enrolment.enrolling import Enrolment
from central.enrolment.files import issue_worker
from central.receiving.connection import brokers
from central.receiving.receiver import Receiver
from central.settings import BrokerSettings
from central.store.store import Store
from firmware.identity.enrolling import renewal, take_renewal
from firmware.identity.identity import Identity
from scanner.alert import Action, AnswerOutcome, Message, OutcomeData, address_of
from scanner.alert.encryption import is_encrypted
from tests.delivery.both_ends import Desk, document, running, wait_for
from tests.delivery.site_broker import Client, SiteBroker

WORKER = "receiver-1"


class Site:
    """A desk and headquarters with certificates, and a broker that is listened to."""

    def __init__(self, folder: Path, *, conceals: bool) -> None:
        self.folder = folder
        self.authority = Authority(folder / "keys")
        self.authority.enrol("desk-1", folder / "desk-1-keys")
        self.enrolment = Enrolment(self.authority, folder / "keys" / "authority")
        for name in (WORKER, "listener"):
            issue_worker(self.authority, name, folder / name)
        self.broker = SiteBroker(self.authority, folder / "broker")
        self.identity = Identity(folder / "desk-1-keys", conceals=conceals)
        self.url = f"sqlite:///{folder}/central.db"
        self.store = Store(self.url)
        self.desk = self._new_desk()

    def _new_desk(self) -> Desk:
        desk = Desk(
            self.folder / "desk-1", "desk-1", self.folder / "desk-1-keys", self.broker.port, "5"
        )
        desk.keys = self.identity
        desk.link = desk.link.__class__(
            "localhost",
            self.broker.port,
            "5",
            client_id="desk-1",
            keepalive_s=2,
            tls=self.identity.tls,
        )
        return desk

    def receiver(self) -> Receiver:
        files = self.folder / WORKER
        settings = BrokerSettings(
            host="localhost",
            port=self.broker.port,
            group=self.authority.group("central"),
            keepalive_seconds=2,
            ca=files / "ca.crt",
            certificate=files / "tls.crt",
            private_key=files / "tls.key",
        )
        return Receiver(brokers(settings, None), self.store, self.authority, lambda alert: None)

    def listener(self) -> Client:
        """Whoever runs the broker: hears everything."""
        client = Client(self.broker.port, self.folder / "listener")
        client.listen("borderpost/v1/#")
        return client

    def stored(self) -> list[str]:
        return [row.id for row in self.store.all_alerts()]

    def status(self) -> dict[str, object]:
        rows = [row for row in self.store.devices() if row["device"] == "desk-1"]
        return rows[0]["status"] or {} if rows else {}


@pytest.fixture
def concealing(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path, conceals=True)
    with one.broker:
        yield one
    one.store.close()


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path, conceals=False)
    with one.broker:
        yield one
    one.store.close()


def everything_said(client: Client) -> bytes:
    """All that the broker could read, also within signed messages."""
    said = b""
    for _, payload in client.heard:
        said += payload
        for part in payload.split(b"."):
            said += _decoded(part)
    return said


def _decoded(part: bytes) -> bytes:
    try:
        return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        return b""


def test_a_broker_that_may_see_nothing_sees_nothing_of_a_document(concealing: Site) -> None:
    site, now = concealing, datetime.now(UTC)
    with (
        site.listener() as listener,
        running(site.receiver().run),
        site.desk.running(),
    ):
        alert = site.desk.raise_alert()
        site.desk.outbox.put(
            Message.OUTCOME,
            OutcomeData(alert=alert, action=Action.DOCUMENT_HELD, at=now, note="in the safe"),
            now,
        )
        wait_for(lambda: site.stored() == [alert])
        answer(site, alert, "hold Anna Maria Eriksson")
        wait_for(lambda: site.desk.answered)
        wait_for(lambda: site.desk.uplink.queued == 0)
        wait_for(lambda: len(kinds(listener)) == 5)
    assert site.desk.answered[0].instruction == "hold Anna Maria Eriksson"
    said = everything_said(listener).upper()
    one = document()
    for word in (one.number, one.surname, one.birth_date or "", "ERIKSSON", "IN THE SAFE"):
        assert word.encode() not in said
    for topic, payload in listener.heard:
        address = address_of(topic)
        assert address is not None
        closed = address.message in (Message.ALERT, Message.OUTCOME, Message.ANSWER)
        assert is_encrypted(payload) is closed
    assert b"UTOPIA NORTH" in said, "a status is signed, and open"


def kinds(listener: Client) -> set[Message]:
    addresses = [address_of(topic) for topic, _ in listener.heard]
    said = {address.message for address in addresses if address is not None}
    wanted = {Message.ALERT, Message.OUTCOME, Message.ANSWER, Message.ACK, Message.STATUS}
    return said & wanted


def answer(site: Site, alert: str, instruction: str) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    site.store.answer(
        Answer(alert, AnswerOutcome.CONFIRMED, instruction, until, "op", "checked"),
        datetime.now(UTC),
        role="operator",
    )


def test_without_encryption_the_broker_sees_what_was_signed(open_site: Site) -> None:
    site = open_site
    with site.listener() as listener, running(site.receiver().run), site.desk.running():
        alert = site.desk.raise_alert()
        wait_for(lambda: site.stored() == [alert])
        wait_for(lambda: Message.ALERT in kinds(listener))
    assert b"ERIKSSON" in everything_said(listener)


def test_keys_that_are_renewed_under_way_lose_nothing(concealing: Site) -> None:
    site, before = concealing, concealing.identity.signing.thumbprint()
    raised = []
    with running(site.receiver().run), site.desk.running():
        raised.append(site.desk.raise_alert("A1"))
        wait_for(lambda: site.stored() == raised)
        for n in range(2):
            pending, message = renewal(site.identity, "desk-1")
            take_renewal(site.identity, pending, site.enrolment.renew(message))
            raised.append(site.desk.raise_alert(f"B{n}"))
            wait_for(lambda: sorted(site.stored()) == sorted(raised))
            wait_for(lambda: site.desk.uplink.queued == 0)
            wait_for(lambda: len(site.authority.keys_of("borderpost/device/desk-1")) == 1)
        until = site.identity.certificate_until
        assert until is not None
        wait_for(lambda: datetime.fromisoformat(str(site.status()["certificate_until"])) == until)
    assert site.identity.signing.thumbprint() != before
    wait_for(lambda: site.broker.log.read_text().count("New client connected") >= 4)


def test_centrals_key_is_changed_while_devices_are_there(open_site: Site) -> None:
    site = open_site
    with running(site.receiver().run), site.desk.running():
        first = site.desk.raise_alert("A1")
        wait_for(lambda: site.stored() == [first])
        announced = site.authority.own.rotate()
        wait_for(lambda: announced in site.identity.central_keys)
        wait_for(lambda: announced in site.status()["central_keys"])  # type: ignore[operator]
        site.authority.own.finish()
        second = site.desk.raise_alert("A2")
        wait_for(lambda: site.stored() == [first, second])
        wait_for(lambda: site.desk.uplink.queued == 0)
        answer(site, second, "wait")
        wait_for(lambda: site.desk.answered)
        assert site.desk.uplink.refused == 0


def test_a_device_with_centrals_old_key_alone_is_told_the_new_ones_when_it_comes_back(
    open_site: Site,
) -> None:
    site = open_site
    with running(site.receiver().run), site.desk.running():
        wait_for(lambda: site.status().get("central_keys"))
    site.authority.own.rotate()
    present = site.authority.own.finish()
    with running(site.receiver().run), site.desk.running():
        raised = site.desk.raise_alert()
        wait_for(lambda: site.identity.central_keys == (present,))
        wait_for(lambda: site.desk.uplink.queued == 0, 30)
        assert site.stored() == [raised]


def test_encrypted_rubbish_is_refused_and_counted(concealing: Site) -> None:
    site = concealing
    with running(site.receiver().run), site.desk.running():
        alert = site.desk.raise_alert()
        wait_for(lambda: site.stored() == [alert])
        wait_for(lambda: site.desk.uplink.queued == 0)
    receiver = site.receiver()
    with (
        Client(site.broker.port, site.folder / "desk-1-keys") as other,
        running(receiver.run),
    ):
        wait_for(lambda: receiver.connected)
        head = json.dumps({"alg": "dir", "enc": "A256GCM"})
        for rubbish in (b"a.b.c.d.e", b"....", b"x" * 80_000 + b".b.c.d.e", head.encode()):
            assert other.say("borderpost/v1/desk-1/alert", rubbish)
        wait_for(lambda: receiver.refused == 4)
    assert site.stored() == [alert]
