"""Hourly counts: each full hour once, out of the journal, with small counts suppressed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware.delivery.outbox import Outbox
from firmware.record.journal import Journal, What
from firmware.record.stats import SUPPRESSED_BELOW, HourlyStats
from scanner.alert import Message, StatsData, new_key, sign, topic_of, unseal
from scanner.examine import Examination
from scanner.mrz.document import Format
from scanner.mrz.parse import parse
from scanner.mrz.write import compose, write
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

    def scans(self, outcome: Outcome, count: int, drill: bool = False) -> None:
        examination = Examination("x", verdict=Verdict(outcome, ("so",)))
        for _ in range(count):
            self.journal.write(examination, now=self.clock.now, alert_id=None, drill=drill)

    def documents(self, issuer: str, count: int, again: int = 1, drill: bool = False) -> None:
        """So many documents of an issuer, each read `again` times."""
        for number in range(count):
            number_ = f"X{number:07}"
            lines = write(compose(Format.TD3, number=number_, surname="BERG", issuer=issuer))
            parsed = parse(lines, self.clock.now.date())
            examination = Examination("x", parsed=parsed, verdict=Verdict(Outcome.CLEAR, ("so",)))
            for _ in range(again):
                self.journal.write(examination, now=self.clock.now, alert_id=None, drill=drill)

    def hour_later(self) -> StatsData:
        """What was told of the running hour."""
        self.clock.now += timedelta(hours=1)
        self.stats.look()
        return self.told()[-1]

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


def test_an_hour_in_which_the_device_was_switched_off_is_told_once_when_it_is_back(
    tmp_path: Path,
) -> None:
    hours = Hours(tmp_path)
    hours.stats.look()
    hours.documents("FRA", 9)
    hours.clock.now += timedelta(hours=14)
    for _ in range(3):
        started = HourlyStats(hours.journal, hours.outbox, hours.clock, keep=KEEP)
        started.look()
        started.look()
    (told,) = hours.told()
    assert (told.since, told.until) == (NINE, NINE + timedelta(hours=1))
    assert (told.counts, told.issuers, told.issuers_since) == ({"CLEAR": 9}, {}, told.until)


def test_an_hour_without_a_scan_is_not_told(hours: Hours) -> None:
    hours.clock.now = NINE + timedelta(hours=3)
    hours.stats.look()
    assert hours.told() == []


def test_documents_are_counted_by_state_each_once_and_few_ones_of_a_state_are_not_named(
    hours: Hours,
) -> None:
    hours.documents("FRA", 20)
    hours.documents("D", 4)
    hours.documents("DEU", 9)
    hours.documents("GBN", 6, again=3)
    hours.documents("TUV", 1, again=9)
    hours.documents("ZZZ", 3)
    hours.documents("ITA", 3)
    hours.documents("TUV", 30, drill=True)
    hours.scans(Outcome.READ_AGAIN, 6)
    told = hours.hour_later()
    assert told.issuers == {"DEU": 13, "FRA": 20, "GBR": 6, "other": 7}
    assert told.issuers_since == NINE + timedelta(minutes=5), "the device was started then"
    assert told.counts == {"CLEAR": 20 + 13 + 18 + 9 + 3 + 3, "READ_AGAIN": 6}


@pytest.mark.parametrize(
    ("documents", "told"),
    [
        ({"FRA": 20, "TUV": 1}, {"other": 21}),
        ({"FRA": 20, "ITA": 6, "TUV": 1}, {"FRA": 20, "other": 7}),
        ({"FRA": 20, "ITA": 4, "TUV": 1}, {"FRA": 20, "other": 5}),
        ({"TUV": 1}, {"other": None}),
        ({"FRA": 5}, {"FRA": 5}),
        ({}, {}),
    ],
)
def test_no_few_ones_can_be_had_as_the_difference_to_the_sum(
    hours: Hours, documents: dict[str, int], told: dict[str, int | None]
) -> None:
    hours.scans(Outcome.READ_AGAIN, 5)
    for issuer, count in documents.items():
        hours.documents(issuer, count)
    assert hours.hour_later().issuers == told


def test_an_hour_s_counts_by_state_are_its_own_and_nothing_of_them_is_on_disk_before(
    hours: Hours, tmp_path: Path
) -> None:
    hours.documents("FRA", 9)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"FRA" not in kept
    assert hours.hour_later().issuers == {"FRA": 9}
    hours.documents("FRA", 6)
    second = hours.hour_later()
    assert (second.issuers, second.issuers_since) == ({"FRA": 6}, None)


def test_central_is_told_how_far_the_journal_goes(hours: Hours) -> None:
    hours.scans(Outcome.CLEAR, 7)
    head = hours.journal.head()
    told = hours.hour_later()
    assert told.journal is not None
    assert (told.journal.n, told.journal.hash) == (head.n, head.hash)


def test_a_drill_s_scans_are_no_counts(hours: Hours) -> None:
    hours.scans(Outcome.HIT, 20, drill=True)
    hours.scans(Outcome.CLEAR, 6)
    assert hours.hour_later().counts == {"CLEAR": 6}


def test_old_rows_go_at_the_start_and_in_hours_without_a_scan(tmp_path: Path) -> None:
    hours = Hours(tmp_path)
    hours.scans(Outcome.CLEAR, 3)
    hours.clock.now += KEEP
    started = HourlyStats(hours.journal, hours.outbox, hours.clock, keep=KEEP - timedelta(hours=2))
    started.look()
    assert [entry.what for entry in hours.journal.entries(NINE)] == ["scan", "purged"]
    hours.clock.now += timedelta(hours=1)
    hours.journal.note(What.SIGNED_IN, now=hours.clock.now)
    started.look()
    assert [entry.what for entry in hours.journal.entries(NINE)] == [
        "purged",
        "signed_in",
        "purged",
    ]
    assert hours.journal.verify()[0] is None


def test_old_rows_of_the_journal_go_when_an_hour_is_told(hours: Hours) -> None:
    hours.scans(Outcome.CLEAR, 3)
    hours.clock.now = NINE + KEEP + timedelta(hours=2)
    hours.scans(Outcome.CLEAR, 1)
    hours.stats.look()
    entries = list(hours.journal.entries(NINE - timedelta(days=1)))
    assert [entry.what for entry in entries] == ["scan", "purged"]
    assert entries[0].at > NINE + KEEP
