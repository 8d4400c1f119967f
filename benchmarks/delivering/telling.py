"""The figures of a run beside their goals, and what it did not measure."""

from collections.abc import Callable, Mapping

from benchmarks.delivering.sizes import Json

SAYS = """\
outbox: an alert put into a device's outbox and committed with synchronous=FULL; beside it the same
number of bytes inserted into a table of SQLite with the same pragmas, one commit each, in turns;
median of the rounds. Queued: files on the disk (with the log) and memory of the whole process at
its most, with the uplink saying alerts to a broker where nobody hears.
hit to console: from before the commit on the device until a client of the console's event stream
has the alert. answer to desk: from the operator's request until `on_answer` at the device, where
the answer is held durably. bare: SQLite commit, paho publishes at QoS 1, paho receives, SQLite
commit, through the same Mosquitto, samples in turns; medians, with the 90th percentile behind.
receivers: alerts signed beforehand, of many devices in turn, until central has acknowledged all;
publisher, Mosquitto and PostgreSQL (which waits for the disk) on the same processors.
fleet: each device with its own certificate, will, status and one signed alert, acknowledged by
central's signature; Mosquitto as `borderpost-central broker config` sets it up. Then 1 % vanish.
load: the machine's load average before the stage; times of a busy machine tell little."""

NOT_MEASURED = (
    "Not measured: a network (all is loopback); a Raspberry Pi or an SD card; what a browser needs "
    "to paint; receivers, broker, database and a fleet's devices on machines of their own."
)

Row = tuple[str, str, str, bool | None]
"""What is told, its goal, what was measured, and whether that reaches the goal."""


def markdown(results: Mapping[str, Json], not_done: Mapping[str, str]) -> str:
    """The whole of what is printed."""
    rows: list[Row] = []
    for stage, tell in _STAGES.items():
        if stage in results:
            result = results[stage]
            rows += [
                (name, goal, f"{said} (load {result['load_before']})", holds)
                for name, goal, said, holds in tell(result)
            ]
        else:
            rows.append((stage, "", f"not measured: {not_done.get(stage, 'not run')}", None))
    told = ["| figure | goal | measured | holds |", "|---|---|---|---|"]
    told += [f"| {name} | {goal} | {said} | {_word(holds)} |" for name, goal, said, holds in rows]
    return "\n".join([*told, "", SAYS, NOT_MEASURED])


def _word(holds: bool | None) -> str:
    if holds is None:
        return "-"
    return "yes" if holds else "**no**"


def _outbox(one: Json) -> list[Row]:
    rate, most = one["commits_per_s"], max(one["files_mb"], one["memory_grown_mb"])
    return [
        (
            "outbox, commits a second",
            "≥ 200",
            f"{rate}; SQLite alone {one['sqlite_alone_per_s']}, {one['ratio']} ×",
            rate >= 200,
        ),
        (
            f"outbox with {one['queued']:,} queued",
            "< 50 MB",
            f"files {one['files_mb']} MB; memory {one['memory_before_mb']} MB before, at most "
            f"{one['memory_most_mb']} MB, grown by {one['memory_grown_mb']} MB",
            most < 50,
        ),
    ]


def _latency(one: Json) -> list[Row]:
    rows: list[Row] = []
    for store in ("sqlite", "postgresql"):
        if store not in one:
            continue
        of = one[store]
        bare = _ms(of["bare"])
        for name, what, ratio in (
            ("hit to console", "hit_to_console", of["ratio_there"]),
            ("answer to desk", "answer_to_desk", of["ratio_back"]),
        ):
            said = f"{_ms(of[what])}; bare {bare}: {ratio} ×"
            rows.append((f"{name}, {store}", "≤ 3 × bare", said, ratio <= 3))
    return rows


def _ms(times: Json) -> str:
    return f"{times['median_ms']} ms ({times['p90_ms']})"


def _receivers(one: Json) -> list[Row]:
    said = (
        f"{one['per_s']} over {one['alerts']:,} of {one['devices']} devices, slowest tenth "
        f"{one['slowest_tenth_per_s']}; CPU seconds: {_each(one['cpu_s'])}"
    )
    name = f"alerts a second into PostgreSQL, {one['receivers']} receivers"
    return [(name, "≥ 1,000", said, one["per_s"] >= 1000)]


def _fleet(one: Json) -> list[Row]:
    count = one["devices"]
    all_there = one["connected"] == one["acknowledged"] == one["stored"] == count
    said = (
        f"{one['connected']:,} connected in {one['connecting_s']} s; {one['stored']:,} alerts "
        f"stored and {one['acknowledged']:,} acknowledged in {one['alerts_s']} s; of "
        f"{one['vanished']} that vanished {one['known_gone']} known to be away; CPU seconds "
        f"connecting: {_each(one['cpu_connecting_s'])}; alerts: {_each(one['cpu_alerts_s'])}; "
        f"memory in MB: {_each(one['memory_mb'])}"
    )
    holds = all_there and one["known_gone"] == one["vanished"]
    return [(f"{count:,} devices by mutual TLS", "all", said, holds)]


def _each(values: Json) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


_STAGES: dict[str, Callable[[Json], list[Row]]] = {
    "outbox": _outbox,
    "latency": _latency,
    "receivers": _receivers,
    "fleet": _fleet,
}
