"""The command behind `benchmarks/box.py`."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.boxing import site, starting, waiting
from benchmarks.listing.program import work_folder
from benchmarks.listing.settings import Settings
from benchmarks.written import write
from tests.delivery.broker import Broker

IDLE_PERCENT, MEMORY_MB = 3.0, 250.0
"""Goals: of a core, and resident."""
NOT_MEASURED = """\
Not measured: a Raspberry Pi or an SD card; a real camera and its program (`rpicam-vid`; a program
that writes frames of an empty desk, 1920 × 1080 and 10 a second, stands in, and its own time is not
counted); lamps on pins; a browser that shows the page; a start from a cold disk."""


def main(given: Sequence[str] | None = None) -> int:
    """Measures and prints. Exit code 1 where a goal is missed, 2 where it cannot be measured."""
    options = _options(given)
    kept = Settings(
        work_folder(options.work, f"lists-{options.records}-{Settings.seed}"),
        options.records,
        peers=(),
    )
    try:
        with TemporaryDirectory(prefix="borderpost-box-") as name, Broker(Path(name)) as broker:
            broker.start()
            place = site.made(Path(name), kept, broker.port, _say)
            start = starting.measured(place, options.rounds, _say)
            waits = waiting.measured(place, options.settle, options.seconds, _say)
    except (ValueError, OSError) as error:
        print(f"benchmarks/box.py: {error}", file=sys.stderr)
        return 2
    print(told(start, waits, options.records))
    _say(f"the list is kept for the next run, and for benchmarks/lists.py: {kept.work}")
    if options.json:
        stages = {
            "start": asdict(start) | {"rest_ms": start.rest_ms},
            "waiting": asdict(waits) | {"whole": asdict(waits.whole)},
        }
        write(options.json, stages, {}, asked={"records": options.records})
    return 0 if reached(start, waits) else 1


def reached(start: starting.Start, waits: waiting.Waiting) -> bool:
    """Whether every goal is."""
    return (
        all(part.within for part in start.parts)
        and waits.cpu_percent < IDLE_PERCENT
        and waits.whole.rss_mb < MEMORY_MB
    )


def told(start: starting.Start, waits: waiting.Waiting, records: int) -> str:
    """The figures as tables, and what they do not say."""
    load = os.getloadavg()[0]
    rows = [
        f"From start to first verdict (processor time; load average {load:.0f}):",
        "",
        "| part | of the service, ms | its imports alone, ms | ratio |",
        "|---|---|---|---|",
        *(
            f"| {part.name} | {part.ms:.1f} | {part.alone_ms:.1f} | {_ratio(part)} |"
            for part in start.parts
        ),
        f"| the rest | {start.rest_ms:.1f} | – | – |",
        f"| all | {start.cpu_ms:.0f}; on the wall {start.wall_ms:.0f} | – | – |",
        "",
        f"Waiting under a camera, with a list of {records:,} records:",
        "",
        "| what | goal | measured |",
        "|---|---|---|",
        f"| of a core, over {waits.seconds:.0f} s | < {IDLE_PERCENT:.0f} % "
        f"| {waits.cpu_percent:.1f} % |",
        f"| … of it what only takes the frames (a process beside it) | – "
        f"| {waits.frames_alone_percent:.1f} % |",
        f"| resident memory | < {MEMORY_MB:.0f} MB | {_weight(waits.whole)} |",
        *(f"| … {what} | – | {_weight(one)} |" for what, one in waits.memory.items()),
        "",
        NOT_MEASURED,
    ]
    return "\n".join(rows)


def _ratio(part: starting.Part) -> str:
    ratio = f"{part.ms / part.alone_ms:.2f}" if part.alone_ms > 0 else "–"
    return ratio if part.within else f"**{ratio}**"


def _weight(one: waiting.Weighed) -> str:
    return f"{one.rss_mb:.1f} MB (PSS {one.pss_mb:.1f})"


def _options(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The box as a service: start, waiting, memory.")
    parser.add_argument("--records", type=int, default=10_000_000, help="how many the list holds")
    parser.add_argument("--rounds", type=int, default=7, help="how many starts are timed")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the desk waits")
    parser.add_argument("--settle", type=float, default=20.0, help="after the last document")
    parser.add_argument("--work", type=Path, help="the list's folder (default: in your cache)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    return parser.parse_args(given)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
