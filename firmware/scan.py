"""`borderpost scan`: pictures one by one, each answered before the next is opened.

A file that cannot be read is an answer too, and the run goes on; Ctrl-C ends it after what was
answered so far. No picture is kept: the memory of a run does not grow with its files.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from firmware.overlays import OverlayFolder
from firmware.progress import Progress
from firmware.terminal import scanned_lines
from scanner.command_line import Failure
from scanner.examine import Examination, Examiner
from scanner.report import as_object
from scanner.sources.capture import Fault
from scanner.sources.replay import Replay


def scan_all(
    replay: Replay, examiner: Examiner, overlays: OverlayFolder | None, as_json: bool
) -> bool:
    """Scans every file and says whether all went well. Raises Failure on Ctrl-C."""
    progress = Progress(replay.files(), sys.stderr)
    text_from = ""
    try:
        for capture in replay.captures(Event()):
            examination = examiner.examine(capture)
            overlay = overlays.write(capture, examination) if overlays else None
            progress.make_room()
            for line in _answer(examination, overlay, as_json):
                print(line, flush=True)
            failed = examination.fault is not None or isinstance(overlay, Fault)
            progress.count(failed, same_file=capture.source == text_from)
            text_from = capture.source if capture.text else ""
            del capture  # its frame would stay while the next one is decoded
    except KeyboardInterrupt:
        progress.make_room()
        raise Failure(f"interrupted: {progress.told()}") from None
    progress.finish()
    return progress.failed == 0


def _answer(examination: Examination, overlay: Path | Fault | None, as_json: bool) -> Iterator[str]:
    """What is told of one document; `overlay` is where its overlay stands, or why it does not."""
    if not as_json:
        yield from scanned_lines(examination, overlay)
        return
    told = as_object(examination)
    if isinstance(overlay, Path):
        told["overlay"] = str(overlay)
    elif overlay is not None:
        told["error"] = {"code": overlay.code, "message": overlay.message}
    yield json.dumps(told)
