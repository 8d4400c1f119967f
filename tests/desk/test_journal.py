"""The desk's record: what a scan, a hit and a referral leave, and that nobody changes it unseen."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware.record import file as journal_file
from firmware.record.journal import Entry, Journal, Row, What
from scanner.alert import Action, AnswerOutcome, new_id
from scanner.examine import Examination
from scanner.hash_chain import Broken, Head, hash_of
from scanner.mrz.reading import Reading, Status
from scanner.said import said
from scanner.verdict import Outcome, Verdict
from scanner.watchlist.contract import ListHealth, ListState
from tests.desk.at_the_prompt import Done, Prompt, configured
from tests.desk.desk_fixture import LISTED, WholeDesk, typed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = NOW - 3000 * DAY

FIRST_FORMAT = """
CREATE TABLE entry (
  n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, what TEXT NOT NULL, officer TEXT,
  device TEXT NOT NULL, outcome TEXT NOT NULL, lists TEXT NOT NULL, reader TEXT, ms REAL, alert TEXT
);
CREATE INDEX by_time ON entry (at);
CREATE TABLE retention (before REAL NOT NULL);
CREATE TRIGGER unchanged BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER kept BEFORE DELETE ON entry
  WHEN OLD.at >= coalesce((SELECT max(before) FROM retention), 0)
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
"""What the first release made."""


def scan(outcome: Outcome = Outcome.CLEAR, reader: str = "litert") -> Examination:
    reasons = (said("Listed as {status}.", status="stolen"),) if outcome is Outcome.HIT else ()
    return Examination(
        "scanner",
        reading=Reading(Status.READ, (), reader),
        verdict=Verdict(
            outcome, reasons, (), (ListState("sltd", 7, NOW, 1.0, ListHealth.OK),), ("a name",)
        ),
        ms={"total": 12.345},
    )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db", "desk-1")


def scans(journal: Journal, count: int, first: datetime = NOW) -> list[Head]:
    """The chain's head after each of some scans, a day apart."""
    heads = []
    for number in range(count):
        journal.write(scan(), now=first + number * DAY, alert_id=None, officer="17")
        heads.append(journal.head())
    return heads


def by_force(journal: Journal, folder: Path, *statements: str) -> None:
    """What whoever owns the file can do to it."""
    journal.close()
    with sqlite3.connect(folder / "journal.db") as db:
        for trigger in ("unchanged", "kept", "in_order"):
            db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            assert db.execute(statement).rowcount
    db.close()


def test_a_hit_s_row_says_what_was_shown_without_what_stood_in_it_and_a_clear_one_s_nothing(
    journal: Journal,
) -> None:
    alert = new_id()
    journal.write(scan(), now=NOW, alert_id=None)
    journal.write(scan(Outcome.HIT), now=NOW, alert_id=alert, officer="17", drill=True)
    clear, hit = journal.entries(NOW)
    assert (clear.detail, clear.alert, clear.drill) == ({}, None, False)
    assert (hit.detail, hit.alert, hit.drill) == (
        {"shown": ["Listed as {status}."], "listed": []},
        alert,
        True,
    )


def test_how_a_document_was_entered_is_in_its_row(journal: Journal) -> None:
    for reader in ("litert", "serial", "typed", "corrected", "number"):
        journal.write(scan(reader=reader), now=NOW, alert_id=None)
    journal.write(Examination("x"), now=NOW, alert_id=None)
    assert [entry.entered for entry in journal.entries(NOW)] == [
        *("read", "read", "typed", "corrected", "number"),
        None,
    ]


def test_a_hit_waits_for_its_referral_s_outcome_also_after_a_restart(
    journal: Journal, tmp_path: Path
) -> None:
    first, second, old = new_id(), new_id(), new_id()
    journal.write(scan(Outcome.HIT), now=NOW - 9 * DAY, alert_id=old)
    journal.write(scan(Outcome.HIT), now=NOW, alert_id=first, officer="17")
    journal.write(scan(), now=NOW, alert_id=None)
    journal.write(scan(Outcome.POSSIBLE), now=NOW + DAY, alert_id=second, drill=True)
    journal.answered(first, AnswerOutcome.CONFIRMED, now=NOW + DAY, officer="17")
    journal.close()
    journal = Journal(tmp_path / "journal.db", "desk-1")
    told = [(one.alert, one.outcome, one.officer, one.drill) for one in journal.pending(NOW)]
    assert told == [
        (first, Outcome.HIT, "17", False),
        (second, Outcome.POSSIBLE, None, True),
    ]
    journal.referral(first, Action.HANDED_OVER, now=NOW + DAY, officer="18")
    assert [one.alert for one in journal.pending(NOW)] == [second]


def test_what_was_done_at_a_real_desk_stands_in_its_record_in_order(tmp_path: Path) -> None:
    whole = WholeDesk(tmp_path)
    shown = whole.desk.handle(typed(LISTED))
    assert shown.alert_id is not None
    whole.desk.refer(shown.alert_id, Action.DOCUMENT_HELD)
    told = [(one.what, one.outcome, one.entered) for one in whole.journal.entries(LONG_AGO)]
    assert told == [("scan", "HIT", "typed"), ("referral", "document_held", None)]
    (hit, _) = whole.journal.entries(LONG_AGO)
    assert hit.detail["listed"] == ["exact stolen passport (sltd)"]
    assert all(isinstance(line, str) for line in hit.detail["shown"])
    assert whole.journal.verify()[0] is None


@pytest.mark.parametrize(
    ("statement", "at"),
    [
        ("UPDATE entry SET officer = '18' WHERE n = 2", 2),
        ("UPDATE entry SET at = at + 1 WHERE n = 3", 3),
        ("UPDATE entry SET drill = 1 WHERE n = 2", 2),
        ("UPDATE entry SET drill = 7 WHERE n = 2", 2),
        ("UPDATE entry SET outcome = x'00ff' WHERE n = 2", 2),
        ("UPDATE entry SET detail = '{' WHERE n = 2", 2),
        ("UPDATE entry SET detail = '[[[1' WHERE n = 2", 2),
        ("UPDATE entry SET lists = '{\"sltd\": NaN}' WHERE n = 2", 2),
        ("DELETE FROM entry WHERE n = 2", 2),
        ("DELETE FROM entry WHERE n = 1", 1),
        ("UPDATE entry SET n = 9 WHERE n = 3", 3),
        ("INSERT OR REPLACE INTO entry SELECT 2, at, what, device, 'HIT', officer, lists, reader,"
         " took_us, alert, entered, drill, detail, previous, hash FROM entry WHERE n = 2", 2),
    ],
)  # fmt: skip
def test_a_row_that_was_changed_by_force_is_named_and_without_force_nothing_is_changed(
    journal: Journal, tmp_path: Path, statement: str, at: int
) -> None:
    scans(journal, 4)
    with (
        sqlite3.connect(tmp_path / "journal.db") as other,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        other.execute(statement)
    other.close()
    assert journal.verify()[0] is None
    by_force(journal, tmp_path, statement)
    broken, _ = journal.verify()
    assert broken is not None
    assert broken.n == at


def test_a_journal_that_was_cut_or_written_anew_does_not_hold_against_its_noted_head(
    journal: Journal, tmp_path: Path
) -> None:
    noted = scans(journal, 4)[-1]
    by_force(journal, tmp_path, "DELETE FROM entry WHERE n >= 3")
    assert journal.verify()[0] is None
    assert journal.verify(noted)[0] == Broken(4, "it was noted and is gone")
    scans(journal, 2, NOW + DAY)
    assert journal.verify(noted)[0] == Broken(4, "it is another row than was noted")


def test_what_policy_removes_leaves_a_journal_that_holds(journal: Journal) -> None:
    heads = scans(journal, 6)
    for days, left in ((2, [3, 4, 5, 6, 7]), (4, [5, 6, 7, 8])):
        journal.purge(NOW + 9 * DAY, (9 - days) * DAY)
        assert [row.n for row in journal.rows()] == left
        assert all(journal.verify(head)[0] is None for head in heads)
    assert journal.purge(NOW + 9 * DAY, 5 * DAY) == 0
    assert journal.purge(NOW + 99 * DAY, 5 * DAY) == 3
    assert [row.entry.what for row in journal.rows()] == [What.PURGED, What.PURGED]
    scans(journal, 1)
    assert journal.verify()[0] is None


def test_the_clock_s_step_into_the_past_keeps_nothing_beyond_its_time(journal: Journal) -> None:
    for at in (NOW + 5000 * DAY, NOW, NOW + 9 * DAY):
        journal.write(scan(), now=at, alert_id=None)
    assert journal.purge(NOW + 10 * DAY, 5 * DAY) == 2
    assert journal.verify()[0] is None


def first_format(folder: Path, rows: int) -> None:
    with sqlite3.connect(folder / "journal.db") as db:
        db.executescript(FIRST_FORMAT)
        db.executemany(
            "INSERT INTO entry (at, what, officer, device, outcome, lists, reader, ms, alert)"
            " VALUES (?, 'scan', NULL, 'desk-1', 'CLEAR', '[[\"sltd\", 7]]', 'serial', 12.5, NULL)",
            [(NOW.timestamp() + number,) for number in range(rows)],
        )
        db.execute("DELETE FROM entry WHERE n = 0")
    db.close()


def test_a_journal_of_the_first_format_is_taken_over_whole_and_chained(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_format(tmp_path, 5)
    with monkeypatch.context() as cut:
        made = iter(range(3))
        real = journal_file.row_after

        def until_the_power_goes(before: Head, entry: Entry) -> Row:
            if next(made, None) is None:
                raise OSError(5, "the power went")
            return real(before, entry)

        cut.setattr(journal_file, "row_after", until_the_power_goes)
        with pytest.raises(Exception, match="the power went"):
            journal.head()
    entries = list(journal.entries(NOW))
    assert [entry.at for entry in entries] == [NOW + timedelta(seconds=n) for n in range(5)]
    assert (entries[0].lists, entries[0].reader, entries[0].ms) == ((("sltd", 7),), "serial", 12.5)
    scans(journal, 1)
    broken, head = journal.verify()
    assert (broken, head.n) == (None, 6)
    with sqlite3.connect(tmp_path / "journal.db") as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    db.close()
    assert not {"entry_before", "retention"} & tables


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from firmware.record.journal import Journal, What
journal = Journal(Path(sys.argv[1]), "desk-1")
while True:
    journal.note(What.SIGNED_IN, now=datetime.now(UTC), officer=sys.argv[2])
    print(journal.head().n, flush=True)
"""


def test_two_writers_that_are_killed_leave_one_chain_with_every_row_that_was_said_to_be_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.db"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("17", "18")
    ]
    said_to_be = []
    for writer in writers:
        assert writer.stdout is not None
        said_to_be += [writer.stdout.readline() for _ in range(10)]
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
        assert writer.stdout is not None
        said_to_be += [line for line in writer.stdout if line.endswith("\n")]
        writer.wait(10)
        writer.stdout.close()
    journal = Journal(path, "desk-1")
    broken, head = journal.verify()
    assert broken is None
    assert head.n >= max(map(int, said_to_be))
    assert {row.entry.officer for row in journal.rows()} == {"17", "18"}


def test_an_auditor_verifies_lists_and_exports_by_command(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    borderpost = Prompt(capsys, monkeypatch)
    config = configured(tmp_path)
    data = tmp_path / "data"
    journal = Journal(data / "journal.db", "desk-1")

    def command(*arguments: str) -> Done:
        return borderpost("journal", *arguments, "--config", config)

    none_yet = command("verify")
    assert (none_yet.code, "no journal yet" in none_yet.stderr) == (1, True)
    alert = new_id()
    journal.write(scan(Outcome.HIT), now=NOW, alert_id=alert, officer="17")
    journal.write(scan(), now=NOW + DAY, alert_id=None)
    journal.referral(alert, Action.RELEASED, now=NOW + 2 * DAY, officer="17")

    assert command("verify").stdout.strip() == (f"the journal holds; its head is {journal.head()}")
    listed = command("list").stdout.splitlines()
    assert len(listed) == 3
    assert ("HIT" in listed[0], "17" in listed[0], "sltd 7" in listed[0]) == (True, True, True)
    exported = command("export", "--since", "2026-11-24").stdout.splitlines()
    rows = [json.loads(line) for line in exported]
    assert [row["n"] for row in rows] == [2, 3]
    for row in rows:
        assert row.pop("hash") == hash_of(row)
    table = list(csv.DictReader(io.StringIO(command("export", "--format", "csv").stdout)))
    assert [row["outcome"] for row in table] == ["HIT", "CLEAR", "released"]
    assert json.loads(table[0]["detail"])["shown"] == ["Listed as {status}."]

    assert command("list", "--since", "soon").code == 2
    assert command("verify", "--noted", "7").code == 2
    by_force(journal, data, "UPDATE entry SET officer = '18' WHERE n = 1")
    broken = command("verify")
    assert (broken.code, broken.stderr.count("\n")) == (1, 1)
    assert "broken at row 1" in broken.stderr
