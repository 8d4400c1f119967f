"""`borderpost check`: MRZ lines against the lists."""

import json

from firmware.choice import chosen_lists, settings_if_any
from firmware.clock import machine_clock
from firmware.options import DEFAULT_CONFIG, AsJson, Config, ListFolder, ListKeys
from firmware.parse_cli import blocks_on_stdin
from firmware.terminal import checked_lines
from scanner.examine import Examiner
from scanner.mrz.text import reading_of
from scanner.report import checked_as_object
from scanner.sources.capture import Capture


def check(
    as_json: AsJson = False,
    lists: ListFolder = None,
    list_keys: ListKeys = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Checks MRZ lines from standard input, one document a block between blank lines."""
    asked = chosen_lists(lists, list_keys, settings_if_any(config)).lists()
    examiner = Examiner(None, asked, machine_clock)
    for number, rows in enumerate(blocks_on_stdin(), start=1):
        text = reading_of(rows, reader="typed", today=machine_clock().now.date())
        examination = examiner.examine(Capture(source=f"stdin:{number}", text=text))
        said = (
            (json.dumps(checked_as_object(examination)),) if as_json else checked_lines(examination)
        )
        for line in said:
            print(line, flush=True)
