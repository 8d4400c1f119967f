"""`/metrics` for Prometheus: how alerts, operators, devices and receivers are doing.

Everything is read from the store when it is asked for, so one place tells of all receivers, also of
those that run elsewhere; only the open pages are those of the console that is asked. A device's
name is a label, and a list's; no label and no value is about a document or a person.

`METRICS` is the table of all of them; `docs/systems.md` tells the same, and a test compares.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from central.console import devices as fleet
from central.lists.rollout import WELL
from central.moments import to_ms
from central.settings import ConsoleSettings
from central.store.counters import (
    ANSWER_UP_TO_S,
    BATCH_UP_TO,
    BEYOND,
    STORE_UP_TO_S,
    Key,
    every_count,
)
from central.store.schema import alerts, answers
from central.store.store import Store

Load = Callable[[], tuple[int, int]]
"""How many pages are open at the console, and how many events wait for the slowest of them."""
Values = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True)
class Told:
    """A metric: `kind` as Prometheus names it, its labels, and what it says."""

    kind: str
    text: str
    labels: tuple[str, ...] = ()


_DEVICE = ("device",)
_LIST = ("device", "list")

METRICS: dict[str, Told] = {
    "borderpost_build_info": Told("gauge", "Always 1.", ("version",)),
    "borderpost_alerts_total": Told("counter", "Alerts received, by outcome.", ("outcome",)),
    "borderpost_alerts_open": Told("gauge", "Alerts without an answer."),
    "borderpost_alerts_overdue": Told("gauge", "Open alerts whose time to answer has run out."),
    "borderpost_alerts_unseen": Told("gauge", "Escalated alerts no supervisor took note of yet."),
    "borderpost_answers_total": Told("counter", "Answers given, by outcome.", ("outcome",)),
    "borderpost_answers_waiting": Told("gauge", "Answers that their device does not hold yet."),
    "borderpost_answer_seconds": Told("histogram", "From an alert's receipt to its first answer."),
    "borderpost_messages_received_total": Told(
        "counter", "Genuine messages from devices, by kind.", ("message",)
    ),
    "borderpost_messages_refused_total": Told(
        "counter", "Messages that were not believed, by the code of docs/mqtt.md.", ("reason",)
    ),
    "borderpost_messages_repeated_total": Told("counter", "Messages that were there already."),
    "borderpost_batch_messages": Told("histogram", "How many messages were stored at a time."),
    "borderpost_store_seconds": Told("histogram", "How long the store took for a batch."),
    "borderpost_store_refused_total": Told("counter", "Batches that the store did not take."),
    "borderpost_device_online": Told("gauge", "1 where the device's link is up.", _DEVICE),
    "borderpost_device_blind": Told(
        "gauge", "1 where a hit there would reach nobody or not be found.", _DEVICE
    ),
    "borderpost_device_heard_timestamp_seconds": Told(
        "gauge", "When something was last heard of the device.", _DEVICE
    ),
    "borderpost_device_queued_messages": Told(
        "gauge", "Messages that wait at the device, as it said last.", _DEVICE
    ),
    "borderpost_device_missing_messages": Told(
        "gauge", "Places of its sequence whose message never came.", _DEVICE
    ),
    "borderpost_device_refused_messages": Told(
        "gauge", "Messages that the device did not believe since its start.", _DEVICE
    ),
    "borderpost_device_faults": Told("gauge", "Faults that the device told of last.", _DEVICE),
    "borderpost_device_certificate_left_seconds": Told(
        "gauge", "Until its certificate ends; below zero once it has.", _DEVICE
    ),
    "borderpost_device_list_age_seconds": Told("gauge", "How old a list there is.", _LIST),
    "borderpost_device_list_version": Told("gauge", "Which version of a list is there.", _LIST),
    "borderpost_device_list_ok": Told("gauge", "1 where the list there is in order.", _LIST),
    "borderpost_device_list_update_ok": Told(
        "gauge", "0 where the last update of a list there was refused or failed.", _LIST
    ),
    "borderpost_console_pages": Told("gauge", "Pages that are open at this console."),
    "borderpost_console_waiting_events": Told(
        "gauge", "Events that wait for the slowest of these pages."
    ),
}
_COUNTERS = {
    "borderpost_alerts_total": "alerts",
    "borderpost_answers_total": "answers",
    "borderpost_messages_received_total": "received",
    "borderpost_messages_refused_total": "refused",
    "borderpost_messages_repeated_total": "repeated",
    "borderpost_store_refused_total": "store_refused",
}
_HISTOGRAMS = {
    "borderpost_answer_seconds": ("answer", ANSWER_UP_TO_S),
    "borderpost_batch_messages": ("batch", BATCH_UP_TO),
    "borderpost_store_seconds": ("store", STORE_UP_TO_S),
}


class StoreCollector(Collector):
    """What the store says at the moment. `collect` raises StoreFault."""

    def __init__(
        self, store: Store, settings: ConsoleSettings, load: Load, version: str, now: datetime
    ) -> None:
        self._store = store
        self._settings = settings
        self._load = load
        self._version = version
        self._now = now

    def describe(self) -> list[Metric]:
        """Nothing: being registered must not read the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All of METRICS."""
        with self._store.reading() as db:
            counts = every_count(db)
            gauges = _of_alerts(db, self._now)
            known = fleet.known(db)
        pages, waiting = self._load()
        gauges["borderpost_console_pages"] = [((), pages)]
        gauges["borderpost_console_waiting_events"] = [((), waiting)]
        gauges["borderpost_build_info"] = [((self._version,), 1)]
        gauges |= _of_devices(known, self._settings, self._now)
        for name, told in METRICS.items():
            if told.kind == "gauge":
                yield _gauge(name, told, gauges.get(name, ()))
            elif told.kind == "counter":
                yield _counter(name, told, counts)
            else:
                yield _histogram(name, told, counts)


def exposition(collector: Collector, accept: str) -> tuple[bytes, str]:
    """The metrics in the form that was asked for, and that form's name. Raises StoreFault."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    encode, form = choose_encoder(accept)
    return encode(registry), form


def _of_alerts(db: sa.Connection, now: datetime) -> dict[str, Values]:
    unanswered = alerts.c.answered_at.is_(None)
    unseen = (unanswered, alerts.c.escalated_at.is_not(None), alerts.c.seen_at.is_(None))
    counted = {
        "borderpost_alerts_open": (alerts, (unanswered,)),
        "borderpost_alerts_overdue": (alerts, (unanswered, alerts.c.answer_until <= to_ms(now))),
        "borderpost_alerts_unseen": (alerts, unseen),
        "borderpost_answers_waiting": (answers, (answers.c.send_at.is_not(None),)),
    }
    return {
        name: [
            ((), float(db.scalar(sa.select(sa.func.count()).select_from(of).where(*those)) or 0))
        ]
        for name, (of, those) in counted.items()
    }


def _of_devices(
    known: list[fleet.Known], settings: ConsoleSettings, now: datetime
) -> dict[str, list[tuple[tuple[str, ...], float]]]:
    found: dict[str, list[tuple[tuple[str, ...], float]]] = {
        name: [] for name, told in METRICS.items() if told.labels[:1] == _DEVICE
    }

    def add(name: str, labels: tuple[str, ...], value: float | None) -> None:
        if value is not None:
            found[f"borderpost_device_{name}"].append((labels, float(value)))

    for one in known:
        seen, labels = fleet.view(one, settings, now), (one.device,)
        add("online", labels, bool(one.online))
        add("blind", labels, seen["blind"])
        add("heard_timestamp_seconds", labels, one.heard_at / 1000)
        add("queued_messages", labels, seen["queued"])
        add("missing_messages", labels, sum(last - first + 1 for first, last in one.missing))
        add("refused_messages", labels, seen["refused"])
        add("faults", labels, len(seen["faults"]))
        add("certificate_left_seconds", labels, _left_s(seen["certificate_until"], now))
        for each in seen["lists"]:
            of_list = (one.device, each["name"])
            add("list_age_seconds", of_list, each["age_s"])
            add("list_version", of_list, each["version"])
            add("list_ok", of_list, each["health"] == "ok")
        for update in seen["updates"]:
            add("list_update_ok", (one.device, update["list"]), update["outcome"] in WELL)
    return found


def _left_s(until: str | None, now: datetime) -> float | None:
    return None if until is None else (datetime.fromisoformat(until) - now).total_seconds()


def _gauge(name: str, told: Told, values: Values) -> Metric:
    family = GaugeMetricFamily(name, told.text, labels=told.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _counter(name: str, told: Told, counts: dict[Key, int]) -> Metric:
    family = CounterMetricFamily(name, told.text, labels=told.labels)
    if not told.labels:
        family.add_metric((), counts.get((_COUNTERS[name], ""), 0))
        return family
    for (counter, label), value in sorted(counts.items()):
        if counter == _COUNTERS[name]:
            family.add_metric((label,), value)
    return family


def _histogram(name: str, told: Told, counts: dict[Key, int]) -> Metric:
    counter, limits = _HISTOGRAMS[name]
    buckets, total = [], 0
    for limit in (*map(str, limits), BEYOND):
        total += counts.get((counter, limit), 0)
        buckets.append((limit, float(total)))
    family = HistogramMetricFamily(name, told.text)
    family.add_metric((), buckets, counts.get((f"{counter}_sum", ""), 0) / 1e6)
    return family
