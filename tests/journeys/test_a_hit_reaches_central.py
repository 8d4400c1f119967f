"""From the scanner at the desk to headquarters, through whatever may go wrong in between."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.broker import Broker
from tests.desk.desk_fixture import CLEAN, LISTED
from tests.journeys.whole_site import WholeSite, wait_for


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as one:
        yield one


@pytest.fixture
def site(tmp_path: Path, broker: Broker, request: pytest.FixtureRequest) -> Iterator[WholeSite]:
    """A site that speaks MQTT 5, or what the test names by the parameter."""
    with WholeSite(tmp_path, broker.port, getattr(request, "param", "5")) as one:
        yield one


over_both_protocols = pytest.mark.parametrize("site", ["5", "3.1.1"], indirect=True)


@over_both_protocols
def test_scanned_while_the_broker_is_down_it_arrives_exactly_once_when_the_broker_is_up(
    site: WholeSite, broker: Broker
) -> None:
    site.start_desk()
    site.start_headquarters()
    site.scan(LISTED)
    wait_for(lambda: site.outcomes() == ["HIT"])
    assert site.waiting() == 1
    assert site.alerts() == []
    wait_for(lambda: "UTC, queued alerts: 1" in site.desk_log())

    broker.start()
    wait_for(lambda: site.waiting() == 0, within_s=60)
    (alert,) = site.alerts()
    assert alert["device"] == "desk-1"


@over_both_protocols
def test_scanned_and_the_daemon_killed_before_delivery_it_arrives_exactly_once(
    site: WholeSite, broker: Broker
) -> None:
    desk = site.start_desk()
    site.scan(LISTED)
    wait_for(lambda: site.outcomes() == ["HIT"])
    desk.send_signal(signal.SIGKILL)
    desk.wait(10)
    assert site.waiting() == 1

    broker.start()
    site.start_headquarters()
    site.start_desk()
    wait_for(lambda: site.waiting() == 0, within_s=60)
    assert len(site.alerts()) == 1


def test_a_clean_document_reaches_nobody(site: WholeSite, broker: Broker) -> None:
    broker.start()
    site.start_headquarters()
    site.start_desk()
    site.scan(CLEAN)
    wait_for(lambda: site.outcomes() == ["CLEAR"])
    assert site.waiting() == 0
    assert site.alerts() == []


def test_told_to_stop_the_desk_stops_in_order_and_loses_nothing(
    site: WholeSite, broker: Broker
) -> None:
    desk = site.start_desk()
    site.scan(LISTED)
    wait_for(lambda: site.outcomes() == ["HIT"])
    while site.next_notice() != "WATCHDOG=1":
        continue
    assert site.stop(desk) == 0
    while site.next_notice() != "STOPPING=1":
        continue
    assert site.waiting() == 1


@over_both_protocols
def test_central_s_answer_comes_back_to_the_desk(site: WholeSite, broker: Broker) -> None:
    broker.start()
    site.start_headquarters()
    site.start_desk()
    site.scan(LISTED)
    wait_for(lambda: site.outcomes() == ["HIT"])
    wait_for(lambda: site.waiting() == 0)
    (alert,) = site.alerts()
    site.central(
        "alerts", "answer", alert["id"], "--not-confirmed",
        "--instruction", "Recovered by A. Eriksson.", "--holds-hours", "1",
    )  # fmt: skip

    def possible() -> bool:
        seen = len(site.outcomes())
        site.scan(LISTED)
        wait_for(lambda: len(site.outcomes()) > seen)
        return site.outcomes()[-1] == "POSSIBLE"

    wait_for(possible)
    assert set(site.outcomes()) == {"HIT", "POSSIBLE"}
    wait_for(lambda: "Answered by central" in site.desk_log())
    assert "Eriksson" not in site.desk_log()


def test_neither_log_names_the_document(site: WholeSite, broker: Broker) -> None:
    broker.start()
    desk = site.start_desk()
    site.scan(LISTED)
    site.scan(CLEAN)
    wait_for(lambda: len(site.outcomes()) == 2)
    site.stop(desk)
    log = site.desk_log()
    assert "ready" in log
    for personal in ("L898902C3", "ERIKSSON", "U71B40952", "LINDQVIST"):
        assert personal not in log
