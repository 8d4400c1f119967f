"""Whatever fails at the desk, what is said of it holds nothing of the document."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from firmware.supervisor import Part, Supervisor
from scanner.sources.capture import Capture
from tests.desk.desk_fixture import CLEAN, WholeDesk, typed
from tests.desk.traces import traces

WORDS = [*CLEAN, "U71B40952", "LINDQVIST", "ASTRID", "860314", "1986-03-14"]
QUOTING = f"cannot handle {CLEAN[0]} {CLEAN[1]}"


class QuotingReader:
    name = "quoting"

    def read(self, frames: object) -> object:
        raise ValueError(QUOTING)


def quotes(*_: object) -> object:
    raise RuntimeError(QUOTING)


def no_lamps(whole: WholeDesk) -> None:
    def gone(pattern: object) -> None:
        raise OSError(5, "the pin is gone")

    whole.lamps.show = gone  # type: ignore[method-assign]


def damaged_list(whole: WholeDesk) -> None:
    for path in (whole.folder / "lists").rglob("*"):
        if path.is_file() and path.stat().st_size > 2000:
            path.write_bytes(bytes(path.stat().st_size))


def held_journal(whole: WholeDesk) -> None:
    """Somebody else holds the file's lock."""
    whole.journal.close()
    holder = sqlite3.connect(whole.folder / "journal.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    whole.held = holder  # type: ignore[attr-defined]


def overwritten(name: str) -> Callable[[WholeDesk], None]:
    def overwrite(whole: WholeDesk) -> None:
        for file in (whole.outbox, whole.answers, whole.journal):
            file.close()
        for path in whole.folder.glob(f"{name}*"):
            path.write_bytes(b"no database at all, be it called so or not " * 99)

    return overwrite


def quoting_screen(method: str) -> Callable[[WholeDesk], None]:
    return lambda whole: setattr(whole.screen, method, quotes)


def reader_that_quotes(whole: WholeDesk) -> None:
    whole.desk._examiner._reader = QuotingReader()  # type: ignore[assignment]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(held_journal, id="a journal that is held"),
        pytest.param(overwritten("journal.db"), id="a journal that is none"),
        pytest.param(overwritten("answers.db"), id="answers that are none"),
        pytest.param(damaged_list, id="a damaged list"),
        pytest.param(no_lamps, id="lamps that are gone"),
        pytest.param(quoting_screen("busy"), id="a screen that fails"),
        pytest.param(quoting_screen("show"), id="a screen that shows nothing"),
        pytest.param(reader_that_quotes, id="a reader that quotes what it read"),
    ],
)
def test_no_fault_leaves_anything_of_a_document(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[WholeDesk], None],
) -> None:
    monkeypatch.setattr("firmware.database._BUSY_S", 0.05)
    whole = WholeDesk(tmp_path)
    whole.desk.handle(typed(CLEAN))
    fault(whole)
    stop = Event()
    with caplog.at_level(logging.DEBUG):
        whole.desk.offer(typed(CLEAN), stop)
        whole.desk.offer(Capture("camera"), stop)
        desk = Supervisor((Part("desk", whole.desk.run),))
        desk.start()
        desk.stop()
    told = tmp_path / "told.log"
    told.write_text(caplog.text + "".join(capfd.readouterr()))
    assert "ERROR" in caplog.text or "CLEAR" not in caplog.text, "it was no fault"
    if held_by := getattr(whole, "held", None):
        held_by.close()
    assert traces([tmp_path], WORDS) == []
