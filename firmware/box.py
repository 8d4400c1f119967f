"""The composition root: every part of the box, built here and nowhere else.

Read `Box.__init__` from top to bottom for what there is, and `_parts` for the order in which it
starts; it stops in reverse, so that the sources fall silent first, the desk finishes what it took
in, and the uplink leaves last. Nothing in between holds anything that is not on disk.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Event

from firmware.buttons import Act, Buttons, open_buttons
from firmware.choice import chosen_lists, configured_clock
from firmware.clock import DeviceClock
from firmware.delivery.answers import Answers
from firmware.delivery.broker_access import link_of
from firmware.delivery.link import LinkState
from firmware.delivery.outbox import Outbox
from firmware.delivery.uplink import Uplink
from firmware.delivery.watching import LinkWatch
from firmware.desk import Desk, Rules
from firmware.doctor.desk_says import DeskSays, SourceSays
from firmware.doctor.finding import Finding
from firmware.doctor.rounds import Rounds
from firmware.drill import Drill, Record
from firmware.identity.identity import Identity
from firmware.identity.keys import KeyFault
from firmware.identity.renewal import Renewal
from firmware.kiosk.display import Display, Upkeep
from firmware.kiosk.server import CannotListen, Kiosk, Served
from firmware.lists.rollouts import Rollouts
from firmware.lists.updater import Updater
from firmware.officers.duty import duty_of
from firmware.panel import open_panel
from firmware.pins import PinsUnavailable, open_pins
from firmware.record.journal import Journal
from firmware.record.referrals import Referrals
from firmware.record.stats import HourlyStats
from firmware.screen import Screen
from firmware.settings import Settings
from firmware.sources import open_source, read_now
from firmware.supervisor import Part, Supervisor
from firmware.updates.plan import PlanUnusable, plan_of
from firmware.wellbeing import Wellbeing
from scanner.alert import CommandData, Place
from scanner.examine import Examiner
from scanner.said import said
from scanner.sources.camera import Camera
from scanner.sources.capture import Source
from scanner.sources.replay import Replay
from scanner.vision.engine import open_reader
from scanner.vision.reader import Reader, ReaderUnavailable
from scanner.watchlist.age import ClockReading
from scanner.watchlist.keyring import KeySource
from scanner.watchlist.lists import Lists

log = logging.getLogger(__name__)

STUCK_AFTER_S = 30.0
"""A desk without progress for so long is stuck, and the watchdog hears nothing more of it."""


class CannotStart(Exception):
    """The box cannot start as configured; the message says why and what to do."""


class Box:
    """One desk's appliance. `screens` are shown what happens at the desk; `sources` take the place
    of those that the settings name. Raises CannotStart."""

    def __init__(
        self,
        settings: Settings,
        screens: Sequence[Screen] = (),
        sources: Sequence[Source] | None = None,
    ) -> None:
        device, data = settings.device, settings.device.data
        try:
            data.mkdir(parents=True, exist_ok=True)
            identity = Identity(settings.identity.folder, conceals=settings.identity.encrypt)
            link = link_of(device.name, settings.broker, identity)
            reader = _reader(settings)
            self._pins = open_pins(settings.panel)
            self.panel = open_panel(settings.panel, self._pins)
        except OSError as error:
            raise CannotStart(f"{error.filename}: {error.strerror}") from None
        except (KeyFault, PinsUnavailable, ReaderUnavailable) as fault:
            raise CannotStart(str(fault)) from None
        self.clock = configured_clock(settings)
        self.display = Display(timedelta(seconds=settings.kiosk.hold_seconds))
        screens = (*screens, self.display) if settings.kiosk.enabled else screens
        self.outbox = Outbox(data / "outbox.db", device.name, identity.marks)
        self.answers = Answers(data / "answers.db", identity.marks, self.outbox.document_of)
        self.journal = Journal(data / "journal.db", device.name)
        keep = timedelta(days=settings.alerts.keep_days)
        self.duty = duty_of(settings.officers, self.journal, self.clock.now)
        self.referrals = Referrals(self.outbox, self.answers, self.journal, self.clock.now)
        self.referrals.restore(keep)
        chosen = chosen_lists(None, None, settings)
        lists = chosen.lists()
        self._lists = lists
        place = Place(site=device.site, lane=device.lane)
        self.drill = Drill(
            settings.drill,
            data,
            Record(self.journal, self.outbox),
            self.clock.now,
            place=place,
            sees=reader is not None,
            signing_in=settings.officers.sign_in != "off",
        )
        self.desk = Desk(
            examiner=Examiner(
                reader,
                lists,
                self.clock.reading,
                lambda document: self.answers.holding(document, self.clock.now()),
            ),
            outbox=self.outbox,
            answers=self.answers,
            journal=self.journal,
            referrals=self.referrals,
            duty=self.duty,
            panel=self.panel,
            screens=screens,
            rules=Rules(
                place=place,
                answer_within=timedelta(minutes=settings.alerts.answer_within_minutes),
                hold=timedelta(seconds=settings.panel.hold_seconds),
            ),
            clock=self.clock.reading,
            drill=self.drill,
        )
        self.drill.on_answer = self.desk.rehearse_answer
        self.updater = _updater(settings, lists, chosen.keys, self.clock, self.outbox)
        opened = (open_source(one, self.clock.today, self.duty.badge) for one in settings.sources)
        self.sources = tuple(opened if sources is None else sources)
        self._settings, self._identity = settings, identity
        self.rounds = Rounds(settings, self.clock, lists, self._says)
        wellbeing = self._wellbeing = Wellbeing(
            place,
            lists,
            self.clock,
            self.sources,
            self.desk,
            self.answers,
            identity,
            self.updater,
            self.rounds,
        )
        self.uplink = Uplink(
            link,
            device.name,
            self.outbox,
            self.answers,
            identity,
            wellbeing.status,
            on_answer=self.desk.answered,
            on_command=partial(_carry_out, self.drill),
            ring=self.updater.ring if self.updater else None,
            on_update=self.updater.hint if self.updater else lambda hint: None,
            clock=self.clock.now,
            keep=keep,
        )
        self.renewal = Renewal(
            identity, device.name, settings.identity.service, clock=self.clock.now
        )
        self.stats = HourlyStats(
            self.journal,
            self.outbox,
            self.clock.reading,
            keep=timedelta(days=settings.journal.keep_days),
        )
        self.watching = LinkWatch(self.link_state, screens)
        self.kiosk = self._open_kiosk(settings) if settings.kiosk.enabled else None
        self._buttons = self._open_buttons()
        self._supervisor = Supervisor(self._parts())

    def _parts(self) -> tuple[Part, ...]:
        return (
            Part("clock", self.clock.run),
            Part("renewal", self.renewal.run),
            Part("uplink", self.uplink.run),
            Part("link watch", self.watching.run),
            Part("stats", self.stats.run),
            *([Part("updates", self.updater.run)] if self.updater else []),
            Part("health", self.rounds.run),
            Part("duty", self.duty.run),
            Part("desk", self.desk.run),
            Part("drill", partial(_feed, self.drill, self.desk)),
            *([Part("kiosk", self.kiosk.run)] if self.kiosk else []),
            *(
                Part(
                    f"source {source.name}",
                    partial(_feed, source, self.desk),
                    # A folder comes to its end; a device that does has died.
                    may_end=isinstance(source, Replay),
                )
                for source in self.sources
            ),
        )

    def _open_kiosk(self, settings: Settings) -> Kiosk:
        try:
            return Kiosk(
                settings.kiosk,
                Served(
                    display=self.display,
                    desk=self.desk,
                    referrals=self.referrals,
                    duty=self.duty,
                    drill=self.drill,
                    cameras=tuple(one for one in self.sources if isinstance(one, Camera)),
                    upkeep=self._upkeep,
                    findings=self._findings,
                    clock=self.clock.now,
                ),
            )
        except CannotListen as fault:
            raise CannotStart(str(fault)) from None

    def _open_buttons(self) -> Buttons | None:
        read = partial(read_now, self.sources)
        acts: dict[str, Act] = {"trigger": read, "foot_switch": read}
        if self.kiosk is not None:
            acts["privacy"] = self.display.blank
        try:
            return open_buttons(self._settings.panel, self._pins, acts)
        except PinsUnavailable as unavailable:
            raise CannotStart(str(unavailable)) from None

    def _upkeep(self) -> Upkeep:
        """How the desk itself is, for its page."""
        clock = self.clock.reading()
        return Upkeep(
            lists=self._lists.states(clock),
            clock=clock,
            sources={source.name: source.health for source in self.sources},
            faults=tuple(self._faults(clock)),
            updating=self.updater.progress() if self.updater else None,
        )

    def _faults(self, clock: ClockReading) -> Iterator[str]:
        """What is at fault beside lists and sources, which the page tells of by themselves."""
        if self.drill.notice is not None:
            yield self.drill.notice
        for part, why in self._wellbeing.other_faults(clock):
            if not part.startswith("source "):
                yield said("{part}: {why}", part=part, why=why)

    def _findings(self, again: bool) -> Iterable[Finding]:
        """What the checks of the device found last, or find now."""
        return self.rounds.examined() if again else self.rounds.findings

    def _says(self) -> DeskSays:
        """How the devices and links are that this process alone can use."""
        state = self.link_state()
        faults = [f"{part}: {why}" for part, why in self.updater.faults()] if self.updater else None
        return DeskSays.now(
            (
                SourceSays(name=one.name, ok=one.health.ok, message=one.health.message)
                for one in self.sources
            ),
            connected=state.connected,
            link=said("{link}, {broker}", link=state, broker=state.broker),
            lamps=self._settings.panel.pins,
            identity=self._identity.fault,
            updates=None if faults is None else tuple(faults),
        )

    def start(self) -> None:
        """Starts every part, in order."""
        self._supervisor.start()

    def watch(self) -> None:
        """Looks after the parts, once. Raises GaveUp where one has died too often."""
        self._supervisor.watch()

    def stop(self) -> None:
        """Stops every part, in reverse order, and lets go of files and pins."""
        self._supervisor.stop()
        for held in (self._buttons, self.panel, self._pins):
            if held is not None:
                held.close()
        if self.kiosk is not None:
            self.kiosk.close()
        for file in (self.outbox, self.answers, self.journal):
            file.close()

    @property
    def stuck(self) -> bool:
        """Whether the desk has made no progress for too long."""
        return time.monotonic() - self.desk.last_beat > STUCK_AFTER_S

    @property
    def exhausted(self) -> bool:
        """Whether every source has ended and the desk has finished what they gave."""
        ended = all(self._supervisor.ended(f"source {source.name}") for source in self.sources)
        return ended and self.desk.idle

    @property
    def queued(self) -> int:
        """Messages that central has not yet acknowledged."""
        return self.uplink.queued

    def link_state(self) -> LinkState:
        """How the link to central is, and how much waits for it, also what the disk refuses."""
        state, unwritten = self.uplink.state(), self.desk.unwritten
        return replace(state, queued=state.queued + unwritten, alerts=state.alerts + unwritten)


def _feed(source: Source, desk: Desk, stop: Event) -> None:
    """A source's part: everything that it captures goes to the desk."""
    for capture in source.captures(stop):
        desk.offer(capture, stop)


def _carry_out(drill: Drill, command: CommandData) -> None:
    if not drill.commanded(command):
        log.warning("central asks for %s, which this version cannot do", command.order.value)


def _updater(
    settings: Settings, lists: Lists, keys: KeySource, clock: DeviceClock, outbox: Outbox
) -> Updater | None:
    """What fetches lists, where a server is configured."""
    if settings.updates.url is None:
        return None
    try:
        plan = plan_of(settings, lists, keys, clock)
    except PlanUnusable as unusable:
        raise CannotStart(str(unusable)) from None
    updates = settings.updates
    return Updater(
        plan,
        timedelta(minutes=updates.every_minutes),
        Rollouts(outbox, plan.ring, clock.now).tell,
        timedelta(seconds=updates.spread_seconds),
    )


def _reader(settings: Settings) -> Reader | None:
    """The reader, where any source gives pictures. Raises ReaderUnavailable."""
    if all(source.kind == "serial" for source in settings.sources):
        return None
    return open_reader(settings.reader.engine, settings.reader.second_opinion)
