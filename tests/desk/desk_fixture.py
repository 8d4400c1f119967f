"""A whole desk without its threads: real list, outbox, journal, answers and mock lamps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firmware import desk
from firmware.clock import machine_clock
from firmware.delivery.answers import Answers
from firmware.delivery.link import LinkState
from firmware.delivery.outbox import Outbox
from firmware.desk import Desk, OnDuty, Rules
from firmware.drill import Drill, Record
from firmware.panel import Pattern
from firmware.record.journal import Journal
from firmware.record.referrals import Referrals
from firmware.screen import Reply, Shown
from firmware.settings import DrillSettings
from scanner.examine import Examiner
from scanner.mrz.document import Format
from scanner.mrz.text import reading_of
from scanner.mrz.write import compose, write
from scanner.sources.capture import Capture
from tests.delivery.both_ends import MARKS, PLACE
from tests.listing import built, lists_in

HEADER = "issuer,number,number_to,kind,status,recorded,reference\n"
LISTED = write(
    compose(
        Format.TD3,
        number="L898902C3",
        surname="ERIKSSON",
        given_names="ANNA MARIA",
        birth_date="1974-08-12",
        sex="F",
        expiry_date="2034-04-15",
    )
)
CLEAN = write(
    compose(
        Format.TD3,
        number="U71B40952",
        surname="LINDQVIST",
        given_names="ASTRID",
        birth_date="1986-03-14",
        sex="F",
        expiry_date="2034-11-20",
    )
)


@dataclass
class Lamps:
    """A panel that remembers what it was told, and what was on disk when it was told."""

    shown: list[Pattern] = field(default_factory=list)

    def show(self, pattern: Pattern) -> None:
        self.shown.append(pattern)

    def close(self) -> None:
        return


@dataclass
class Screen(desk.Screen):
    shown: list[Shown] = field(default_factory=list)

    replies: list[Reply] = field(default_factory=list)
    links: list[LinkState] = field(default_factory=list)

    def show(self, shown: Shown) -> None:
        self.shown.append(shown)

    def answered(self, reply: Reply) -> None:
        self.replies.append(reply)

    def link(self, state: LinkState) -> None:
        self.links.append(state)


class Nobody:
    """A desk where nobody signs in."""

    name = None

    def active(self) -> None:
        return


class WholeDesk:
    """`screens` are shown what happens, too; `duty` makes who is at the desk, of its journal; the
    list is in `lists` already, or is built."""

    def __init__(
        self,
        folder: Path,
        screens: Sequence[desk.Screen] = (),
        duty: Callable[[Journal], OnDuty] = lambda journal: Nobody(),
        lists: Path | None = None,
    ) -> None:
        self.folder = folder
        if lists is None:
            lists = folder / "lists"
            build_lists(lists)
        self.outbox = Outbox(folder / "outbox.db", "desk-1", MARKS)
        self.answers = Answers(folder / "answers.db", MARKS, self.outbox.document_of)
        self.journal = Journal(folder / "journal.db", "desk-1")
        self.referrals = Referrals(
            self.outbox, self.answers, self.journal, lambda: datetime.now(UTC)
        )
        self.lamps = Lamps()
        self.screen = Screen()
        self.ticks = 1000.0
        """What the drill's clock says."""
        self.drill = self.new_drill()
        self.desk = Desk(
            examiner=Examiner(
                None,
                lists_in(lists),
                machine_clock,
                lambda document: self.answers.holding(document, datetime.now(UTC)),
            ),
            outbox=self.outbox,
            answers=self.answers,
            journal=self.journal,
            referrals=self.referrals,
            duty=duty(self.journal),
            panel=self.lamps,
            screens=[self.screen, *screens],
            rules=Rules(PLACE, timedelta(minutes=15), timedelta(0)),
            clock=machine_clock,
            drill=self.drill,
        )
        self.drill.on_answer = self.desk.rehearse_answer

    def new_drill(
        self, *, sees: bool = False, signing_in: bool = False, now: datetime | None = None
    ) -> Drill:
        """A drill as a desk begins with, over the same disk; its clock may stand at `now`."""
        return Drill(
            DrillSettings(allowed=True, minutes=30),
            self.folder,
            Record(self.journal, self.outbox),
            lambda: now or datetime.now(UTC),
            place=PLACE,
            sees=sees,
            signing_in=signing_in,
            ticks=lambda: self.ticks,
        )


def build_lists(folder: Path) -> None:
    """Builds the list that LISTED is on in `folder`."""
    source = folder.with_name("sltd.csv")
    source.write_text(HEADER + "UTO,L898902C3,,passport,stolen,2026-01-05,R-1\n")
    built(source, folder, "sltd", as_of=datetime.now(UTC))


def typed(lines: tuple[str, ...]) -> Capture:
    today = datetime.now(UTC).date()
    return Capture("typed", text=reading_of(lines, reader="typed", today=today))
