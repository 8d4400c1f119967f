"""Hourly counts: each full hour once, out of the journal, with small counts suppressed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware.journal import Journal
from firmware.outbox import Outbox
from firmware.stats import SUPPRESSED_BELOW, HourlyStats
from scanner.alert import Message, StatsData, new_key, sign, topic_of, unseal
from scanner.examine import Examination
from scanner.verdict import Outcome, Verdict
from scanner.watchlist.age import ClockReading
from tests.delivery.both_ends import MARKS

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
KEEP = timedelta(days=30)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> ClockReading:
        return ClockReading(self.now, synchronised=True, unsynchronised_s=0.0, grace_s=0.0)


class Hours:
    """A device's journal and outbox, and the counts between them."""

    def __init__(self, folder: Path) -> None:
        self.key = new_key()
        self.clock = Clock(NINE + timedelta(minutes=5))
        self.journal = Journal(folder / "journal.db", "desk-1")
        self.outbox = Outbox(folder / "outbox.db", "desk-1", MARKS)
        self.stats = HourlyStats(self.journal, self.outbox, self.clock, keep=KEEP)

    def scans(self, outcome: Outcome, count: int) -> None:
        examination = Examination("x", verdict=Verdict(outcome, ("so",)))
        for _ in range(count):
            self.journal.write(examination, now=self.clock.now, alert_id=None)

    def told(self) -> list[StatsData]:
        topic = topic_of(Message.STATS, "desk-1")
        data = [
            unseal(topic, sign(one.body or b"", self.key), lambda _: [self.key]).data
            for one in self.outbox.waiting(9)
        ]
        assert all(isinstance(one, StatsData) for one in data)
        return [one for one in data if isinstance(one, StatsData)]


@pytest.fixture
def hours(tmp_path: Path) -> Hours:
    return Hours(tmp_path)


def test_nothing_is_told_before_the_hour_is_over(hours: Hours) -> None:
    hours.scans(Outcome.CLEAR, 20)
    hours.clock.now = NINE + timedelta(minutes=59)
    hours.stats.look()
    assert hours.told() == []


def test_an_hour_is_told_once_with_its_counts_and_small_ones_suppressed(hours: Hours) -> None:
    hours.scans(Outcome.CLEAR, 20)
    hours.scans(Outcome.HIT, SUPPRESSED_BELOW - 1)
    hours.clock.now = NINE + timedelta(hours=1, minutes=1)
    hours.scans(Outcome.CLEAR, 7)
    hours.stats.look()
    hours.stats.look()
    (stats,) = hours.told()
    assert (stats.since, stats.until) == (NINE, NINE + timedelta(hours=1))
    assert stats.counts == {"CLEAR": 20, "HIT": None}


def test_an_hour_without_a_scan_is_not_told(hours: Hours) -> None:
    hours.clock.now = NINE + timedelta(hours=3)
    hours.stats.look()
    assert hours.told() == []


def test_old_rows_of_the_journal_go_when_an_hour_is_told(hours: Hours) -> None:
    hours.scans(Outcome.CLEAR, 3)
    hours.clock.now = NINE + KEEP + timedelta(hours=2)
    hours.scans(Outcome.CLEAR, 1)
    hours.stats.look()
    entries = list(hours.journal.entries(NINE - timedelta(days=1)))
    assert [entry.what for entry in entries] == ["scan", "purged"]
    assert entries[0].at > NINE + KEEP
