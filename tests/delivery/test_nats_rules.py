"""A NATS server set up as config/nats says: who may say and hear what, held against the server."""

import asyncio
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import nats
import pytest
from typer.testing import CliRunner

from central.brokers.nats_names import subject_of
from central.brokers.nats_users import DEVICE, users
from central.cli import app
from central.enrolment.files import issue_server, issue_worker
from central.receiving.inflow import LinkDown, Source
from central.receiving.nats_inflow import nats_sources
from central.settings import NatsSettings
from scanner.alert import Message, topic_of
from tests.delivery.both_ends import Desk, HeadOffice, wait_for
from tests.delivery.broker import free_port, listens
from tests.delivery.nats_cluster import SERVER
from tests.delivery.site_broker import Client, Refused

CONFIG = Path(__file__).parents[2] / "config" / "nats"
PORTS = {"4222": "client", "8883": "mqtt", "8222": "monitor", "6222": "route"}


@dataclass
class Site:
    """Headquarters, one node set up by config/nats, and its ports."""

    office: HeadOffice
    folder: Path
    client: int
    mqtt: int
    process: subprocess.Popen[bytes]

    @property
    def settings(self) -> NatsSettings:
        worker = self.folder / "worker"
        return NatsSettings(
            servers=(f"nats://127.0.0.1:{self.client}",),
            replicas=1,
            ca=worker / "ca.crt",
            certificate=worker / "tls.crt",
            private_key=worker / "tls.key",
        )

    def as_device(self, name: str, will: tuple[str, bytes] | None = None) -> Client:
        return Client(
            self.mqtt, self.office.folder / f"for-{name}", client_id=name, five=False, will=will
        )

    def write_users(self) -> None:
        keys = str(self.office.folder / "keys")
        told = CliRunner().invoke(
            app, ["broker", "nats-users", str(self.folder / "users.conf"), "--keys", keys]
        )
        assert told.exit_code == 0, told.output


class Headquarters(HeadOffice):
    """Headquarters at that node."""

    site: Site

    def sources(self) -> list[Source]:
        return nats_sources(self.site.settings, None)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    office = Headquarters(tmp_path, 1, "3.1.1")
    folder = tmp_path / "nats"
    office.authority.make()
    for name in ("desk-1", "desk-2", "desk.3"):
        office.enrol(name)
    issue_server(office.authority, "nats-1", ["localhost", "127.0.0.1"], folder)
    issue_worker(office.authority, "receiver-1", folder / "worker")
    ports = {name: free_port() for name in PORTS.values()}
    assert SERVER
    site = Site(office, folder, ports["client"], ports["mqtt"], subprocess.Popen(["true"]))
    office.site = site
    site.write_users()
    (folder / "cluster.conf").write_text("")
    (folder / "nats-server.conf").write_text(_for_one_node(folder, ports))
    with (folder / "log").open("wb") as log:
        site.process = subprocess.Popen(
            [SERVER, "-c", str(folder / "nats-server.conf")], stdout=log, stderr=log
        )
    try:
        wait_for(lambda: listens(site.mqtt) and listens(site.client))
        yield site
    finally:
        site.process.kill()
        site.process.wait(10)
        office.store.close()


def _for_one_node(folder: Path, ports: dict[str, int]) -> str:
    """The configuration as it stands, at other places and for a single node."""
    text = (CONFIG / "nats-server.conf").read_text()
    text = text.replace("/etc/nats", str(folder)).replace("/var/lib/nats", str(folder / "held"))
    for port, name in PORTS.items():
        text = re.sub(rf'"(?:0\.0\.0\.0|127\.0\.0\.1):{port}"', f'"127.0.0.1:{ports[name]}"', text)
    return text.replace("stream_replicas: 3", "stream_replicas: 1")


def test_the_users_that_are_shown_are_the_users_that_are_written() -> None:
    shown = (CONFIG / "users.conf").read_text()
    assert shown == users(["receiver-1"], ["desk-1", "desk.2"])


def test_the_configuration_of_a_cluster_is_one_that_the_server_takes(site: Site) -> None:
    shutil.copy(CONFIG / "cluster.conf", site.folder)
    for name in ("tls.crt", "tls.key", "ca.crt"):
        as_route = f"route-{name}" if name == "ca.crt" else name.replace("tls", "route")
        shutil.copy(site.folder / name, site.folder / as_route)
    conf = site.folder / "cluster.conf"
    conf.write_text(conf.read_text().replace("/etc/nats", str(site.folder)))
    path = str(site.folder / "nats-server.conf")
    checked = subprocess.run(
        [str(SERVER), "-t", "-c", path], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", ["desk-1", "desk.3"])
def test_an_alert_of_a_device_with_its_certificate_arrives_and_is_acknowledged(
    site: Site, name: str
) -> None:
    folder = site.office.folder / f"for-{name}"
    desk = Desk(site.office.folder / name, name, folder, site.mqtt, "3.1.1")
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    desk.link = replace(desk.link, keepalive_s=5, tls=lambda: context)
    with desk.running(), site.office.receiving():
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0, 30)
        wait_for(lambda: site.office.device(name).get("online"))
    assert site.office.alert_ids() == [alert_id]


def test_a_device_neither_says_nor_hears_what_is_anothers(site: Site) -> None:
    own, others = topic_of(Message.ACK, "desk-1"), topic_of(Message.ACK, "desk-2")
    with site.as_device("desk-2") as second, site.as_device("desk-1") as first:
        second.listen(others)
        first.listen(own, others, "borderpost/v1/+/ack", "#", "$MQTT/sub/#")
        asyncio.run(_say_as_worker(site, others, own))
        wait_for(lambda: second.heard and first.heard)
        first.say(others, b"forged")
        first.say("$MQTT/msgs/" + others, b"forged")
        asyncio.run(_say_as_worker(site, others, own))
        wait_for(lambda: len(second.heard) >= 2 and len(first.heard) >= 2)
        assert first.heard == 2 * [(own, b"central's")]
        assert second.heard == 2 * [(others, b"central's")]


def test_whoever_connects_by_anothers_client_id_hears_nothing_of_what_waits_there(
    site: Site,
) -> None:
    ack = topic_of(Message.ACK, "desk-1")
    folders = [site.office.folder / f"for-{name}" for name in ("desk-1", "desk-2")]
    with Client(site.mqtt, folders[0], client_id="desk-1", keep=True, five=False) as first:
        first.listen(ack)
    with Client(site.mqtt, site.folder / "worker", client_id="worker", five=False) as worker:
        worker.say(ack, b"waits")
        with Client(site.mqtt, folders[1], client_id="desk-1", keep=True, five=False) as thief:
            thief.listen(topic_of(Message.ACK, "desk-2"))
            worker.say(topic_of(Message.ACK, "desk-2"), b"its own")
            wait_for(lambda: thief.heard)
            assert [payload for _, payload in thief.heard] == [b"its own"]
    with Client(site.mqtt, folders[0], client_id="desk-1", keep=True, five=False) as back:
        wait_for(lambda: back.heard)
        assert back.heard == [(ack, b"waits")]


def test_a_forged_last_will_and_a_forged_status_are_not_kept(site: Site) -> None:
    status = topic_of(Message.STATUS, "desk-1")
    site.as_device("desk-2", will=(status, b"forged")).vanish()
    wait_for(lambda: "Publish Violation" in (site.folder / "log").read_text())
    with site.as_device("desk-2") as second:
        second.say(status, b"forged", retain=True)
    with Client(site.mqtt, site.folder / "worker", client_id="worker", five=False) as worker:
        worker.listen(status)
        with site.as_device("desk-1") as first:
            first.say(status, b"its own")
        wait_for(lambda: worker.heard)
        assert worker.heard == [(status, b"its own")]


def test_whoever_is_not_named_is_refused_and_a_device_only_comes_by_mqtt(site: Site) -> None:
    site.office.enrol("desk-9")
    with pytest.raises(Refused):
        site.as_device("desk-9")
    with pytest.raises(Refused):
        Client(site.mqtt, None, ca=site.folder / "ca.crt", client_id="anyone", five=False)
    folder = site.office.folder / "for-desk-1"
    with pytest.raises(nats.errors.Error):
        asyncio.run(_connect(site, folder))
    assert f'user: "{DEVICE}desk-9"' not in (site.folder / "users.conf").read_text()
    site.write_users()
    subprocess.run([str(SERVER), "--signal", f"reload={site.process.pid}"], check=True)
    wait_for(lambda: _is_let_in(site, "desk-9"))


def test_a_receiver_does_not_speak_to_a_server_without_tls(site: Site, tmp_path: Path) -> None:
    port = free_port()
    plain = subprocess.Popen(
        [str(SERVER), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path / "plain")],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(port))
        settings = site.settings.model_copy(update={"servers": (f"nats://127.0.0.1:{port}",)})
        (source,) = nats_sources(settings, None)
        inflow = source.connect()
        with pytest.raises(LinkDown):
            inflow.open(Event())
        inflow.close()
    finally:
        plain.kill()
        plain.wait(5)


def _is_let_in(site: Site, name: str) -> bool:
    try:
        with site.as_device(name):
            return True
    except Refused:
        return False


async def _connect(site: Site, folder: Path) -> nats.NATS:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return await nats.connect(
        site.settings.servers[0],
        tls=context,
        tls_handshake_first=True,
        allow_reconnect=False,
        error_cb=_ignored,
    )


async def _ignored(error: Exception) -> None:
    pass


async def _say_as_worker(site: Site, *topics: str) -> None:
    client = await _connect(site, site.folder / "worker")
    for topic in topics:
        await client.publish(subject_of(topic), b"central's")
    await client.flush()
    await client.close()
