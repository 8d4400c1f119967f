"""Does each kind of work a few times and says so by getsid, for `count_instructions.c`. Run by the
device's Python.

    counted.py PICTURE LISTS LIST_KEYS

Prints a line of JSON for each kind: its name, and how often it was done between two calls.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from firmware.choice import chosen_lists
from firmware.clock import machine_clock
from scanner.mrz.parse import parse
from scanner.sources.picture import decode
from scanner.verdict import judge
from scanner.vision.engine import open_reader
from scanner.watchlist.questions import questions

BEFORE = 5
"""How often it is done first: what only the first times cost is not the work."""
Work = dict[str, tuple[int, Callable[[], object]]]


def work(picture: Path, lists: Path, keys: Path) -> Work:
    clock = machine_clock()
    content = picture.read_bytes()
    frame = decode(content).frame
    reader = open_reader("litert")
    watchlists = chosen_lists(lists, keys, None).lists()
    today = clock.now.date()
    reading = reader.read([frame])
    parsed = parse(reading.lines, today)
    asked = questions(parsed, reading)
    inquiry = watchlists.ask(asked, clock)
    return {
        "parsing its lines": (20, lambda: parse(reading.lines, today)),
        "what to ask": (10, lambda: questions(parsed, reading)),
        f"asking a list ({len(asked.asked)} numbers)": (10, lambda: watchlists.ask(asked, clock)),
        "the verdict": (20, lambda: judge(reading, parsed, inquiry, clock)),
        "decoding its JPEG": (2, lambda: decode(content)),
        "reading the page": (2, lambda: reader.read([frame])),
    }


def main() -> None:
    for name, (times, does) in work(*map(Path, sys.argv[1:])).items():
        for _ in range(min(BEFORE, times)):
            does()
        os.getsid(0)
        for _ in range(times):
            does()
        os.getsid(0)
        print(json.dumps([name, times]), flush=True)


if __name__ == "__main__":
    main()
