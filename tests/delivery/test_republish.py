"""Alerts and answers are told to other systems, each at least once, and only where configured."""

import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from jsonschema import Draft7Validator, FormatChecker

from central import audit
from central.answering import answers as answering
from central.answering.answers import Answer
from central.brokers.publish_link import Link
from central.settings import RepublishSettings, SettingsError, load
from central.store.schema import alerts, answers
from central.store.store import Store
from central.systems.republish import Republisher, check
from central.systems.republished import ANSWERED
from scanner.alert import AlertData, AnswerOutcome
from scanner.command_line import Refusal
from tests.delivery.both_ends import Stranger, over_both_databases, running, wait_for
from tests.delivery.broker import Broker
from tests.delivery.test_central_commands import started
from tests.delivery.test_follow import commit

ROOT = Path(__file__).parents[2]
PREFIX = "borderpost-events/v1"


class Listener(Stranger):
    """Another system, which hears what is republished."""

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(message.payload) for message in list(self.heard)]

    def ids(self) -> list[str]:
        return [event["id"] for event in self.events()]


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    broker.start()
    with Listener(broker.port) as one:
        one.listen(f"{PREFIX}/#")
        yield one


def republisher(store: Store, broker: Broker, **more: Any) -> Republisher:
    settings = RepublishSettings(enabled=True, host="127.0.0.1", port=broker.port, **more)
    return Republisher(store, settings.prefix, lambda: Link(settings, None))


def answer(store: Store, alert: str) -> str:
    now = datetime.now(UTC)
    until = now + timedelta(hours=2)
    given = Answer(alert, AnswerOutcome.CONFIRMED, "Keep it.", until, "olga", "the owner says so")
    with store.changing() as tx:
        return answering.record(tx, given, now)


def untold(store: Store) -> int:
    with store.reading() as db:
        counts = [
            db.scalar(
                sa.select(sa.func.count())
                .select_from(table)
                .where(table.c.republished_at.is_(None))
            )
            for table in (alerts, answers)
        ]
    return sum(count or 0 for count in counts)


@over_both_databases
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_committed_is_told_as_plain_events(
    store: Store, broker: Broker, listener: Listener, protocol: str
) -> None:
    one = republisher(store, broker, protocol=protocol)
    with running(one.run):
        wait_for(lambda: since(store))
        (alert_id,) = commit(store)
        wait_for(lambda: listener.ids() == [alert_id])
        answer_id = answer(store, alert_id)
        wait_for(lambda: listener.ids() == [alert_id, answer_id])
        wait_for(lambda: untold(store) == 0)
    first, second = listener.events()
    assert listener.heard[0].topic == f"{PREFIX}/alert/desk-1"
    assert listener.heard[1].topic == f"{PREFIX}/answer/desk-1"
    told = {"source": "borderpost/device/desk-1", "type": "org.borderpost.alert.v1"}
    assert {name: first[name] for name in told} == told
    assert AlertData.model_validate(first["data"], strict=False).document.number == "L898902C3"
    assert datetime.fromisoformat(first["receivedat"]).tzinfo
    assert (second["source"], second["type"]) == ("borderpost/central", ANSWERED)
    assert second["data"] == {
        "device": "desk-1",
        "alert": alert_id,
        "outcome": "confirmed",
        "instruction": "Keep it.",
        "at": second["time"],
        "until": second["data"]["until"],
    }
    document = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
    for event, name in ((first, "RepublishedAlert"), (second, "RepublishedAnswer")):
        schema = {"$ref": f"#/components/schemas/{name}", **document}
        Draft7Validator(schema, format_checker=FormatChecker()).validate(event)
        assert not Draft7Validator(schema).is_valid({**event, "by": "olga"})
        assert event["specversion"] == "1.0"
        assert event["datacontenttype"] == "application/json"
        assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event), "as CloudEvents asks"


def since(store: Store) -> bool:
    with store.reading() as db:
        return any(row["action"] == "republishing began" for row in audit.rows(db))


def test_what_was_there_before_is_not_told_and_what_comes_while_it_is_off_is(
    store: Store, broker: Broker, listener: Listener
) -> None:
    commit(store, at=datetime.now(UTC) - timedelta(seconds=5))
    with running(republisher(store, broker).run):
        wait_for(lambda: since(store))
    meanwhile = commit(store, 2)
    with running(republisher(store, broker).run):
        wait_for(lambda: len(listener.heard) == 2)
    assert sorted(listener.ids()) == sorted(meanwhile)
    with store.reading() as db:
        assert [row["subject"] for row in audit.rows(db)] == [PREFIX]


def test_a_broker_that_goes_away_delays_and_loses_nothing(
    store: Store, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "central.systems.republish")
    broker.start()
    with running(republisher(store, broker).run):
        wait_for(lambda: "republishing" in caplog.messages)
        broker.kill()
        wait_for(lambda: any("not republishing" in line for line in caplog.messages))
        waiting = commit(store, 250)
        broker.start()
        with Listener(broker.port) as listener:
            listener.listen(f"{PREFIX}/#")
            wait_for(lambda: untold(store) == 0)
            later = commit(store)
            wait_for(lambda: later[0] in listener.ids())
    assert len(waiting) == 250
    assert not any("L898902C3" in line or "ERIKSSON" in line for line in caplog.messages)


def test_a_kill_at_any_moment_loses_nothing(
    store: Store, broker: Broker, listener: Listener, tmp_path: Path, store_url: str
) -> None:
    config = tmp_path / "central.toml"
    config.write_text(
        f'[store]\nurl = "{store_url}"\n'
        f'[republish]\nenabled = true\nhost = "127.0.0.1"\nport = {broker.port}\n'
    )
    command = [sys.executable, "-m", "central.cli", "republish", "--config", str(config)]
    every: set[str] = set()
    for _ in range(2):
        with process(command):
            wait_for(lambda: since(store))
            heard = len(listener.heard)
            every.update(commit(store, 150))
            wait_for(lambda heard=heard: len(listener.heard) > heard)
    with process(command) as last:
        wait_for(lambda: untold(store) == 0)
        last.send_signal(signal.SIGTERM)
        assert last.wait(20) == 0
        assert last.stderr is not None
        assert "Traceback" not in last.stderr.read()
    wait_for(lambda: set(listener.ids()) == every)


@contextmanager
def process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Killed at the end, if it is still there."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as one:
        try:
            yield one
        finally:
            one.kill()


def test_what_was_told_and_not_marked_is_told_again_under_the_same_id(
    store: Store, broker: Broker, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = republisher(store, broker)
    began = one._since()
    (alert_id,) = commit(store)
    link = Link(RepublishSettings(host="127.0.0.1", port=broker.port), None)
    link.open()
    with monkeypatch.context() as broken:
        broken.setattr(store, "changing", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.tell(link, began)
    assert one.tell(link, began) == 1
    assert one.tell(link, began) == 0
    wait_for(lambda: listener.ids() == [alert_id, alert_id])
    link.close()


def test_what_a_broker_s_rules_refuse_is_not_taken_for_told(
    store: Store, broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic read #\n")
    with broker._config.open("a") as config:
        config.write(f"acl_file {rules}\n")
    broker.start()
    with running(republisher(store, broker).run):
        wait_for(lambda: since(store))
        commit(store)
        wait_for(lambda: any("refuses what is published" in line for line in caplog.messages))
        assert untold(store) == 1
        broker.kill()
        rules.write_text("topic readwrite #\n")
        broker.start()
        wait_for(lambda: untold(store) == 0)


def test_it_is_off_unless_configured_and_goes_nowhere_else_unprotected(tmp_path: Path) -> None:
    config = tmp_path / "central.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/central.db"\n')
    _, said = started("republish", "--config", str(config), code=2)
    assert len(said) == 1
    assert "republishing is switched off" in said[0]
    assert "document data" in said[0]
    for host in ("broker.example.org", "10.0.0.1", "::2"):
        with pytest.raises(Refusal, match="without TLS"):
            check(RepublishSettings(enabled=True, host=host))
    check(RepublishSettings(enabled=True, host="10.0.0.1", plain=True))
    check(RepublishSettings(enabled=True, host="10.0.0.1", ca=tmp_path / "ca.crt"))
    check(RepublishSettings(enabled=True, host="::1"))


@pytest.mark.parametrize("prefix", ["", "/", "a/", "a/+/b", "#", "a b", "x" * 129])
def test_a_prefix_that_is_no_topic_is_refused(tmp_path: Path, prefix: str) -> None:
    config = tmp_path / "central.toml"
    config.write_text(f'[republish]\nenabled = true\nprefix = "{prefix}"\n')
    with pytest.raises(SettingsError, match=r"line 3: republish\.prefix"):
        load(config)
