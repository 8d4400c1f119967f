"""`borderpost parse`: what MRZ lines say, without any list."""

import json
import sys
from collections.abc import Iterator

from firmware.clock import machine_clock
from firmware.options import AsJson
from firmware.terminal import parsed_lines
from scanner.command_line import Refusal
from scanner.mrz.parse import parse as parse_lines
from scanner.mrz.text import blocks
from scanner.report import parsed_as_object


def parse(as_json: AsJson = False) -> None:
    """Says what MRZ lines from standard input say, one document a block between blank lines."""
    for rows in blocks_on_stdin():
        parsed = parse_lines(rows, machine_clock().now.date())
        said = (json.dumps(parsed_as_object(parsed)),) if as_json else parsed_lines(parsed)
        for line in said:
            print(line, flush=True)


def blocks_on_stdin() -> Iterator[list[str]]:
    """The blocks of lines on standard input. Raises Refusal."""
    if sys.stdin is None:
        raise Refusal("standard input is closed; give the lines of an MRZ there")
    yield from blocks(sys.stdin.buffer.read())
