"""A store of central's filled with alerts of invented people, for tests and to look at the console:

    .venv/bin/python -m tests.console.sample_site FOLDER [--every SECONDS]

fills FOLDER and serves the console there until Ctrl-C; with `--every`, a new hit arrives now and
then. The users are olga (operator), omar (operator), selma (supervisor), tom (technician) and ada
(auditor), each with PASSWORD.
"""

import argparse
import functools
import itertools
import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from joserfc.jwk import OKPKey

from central import users
from central.answering import answers as answering
from central.answering.answers import Answer
from central.console.roles import Role
from central.console.server import Console, listen, serving
from central.settings import ConsoleSettings
from central.store.schema import alerts
from central.store.store import Received, Store
from scanner.alert import (
    Action,
    AlertData,
    AnswerOutcome,
    DeviceFault,
    Event,
    ListVersion,
    Message,
    OutcomeData,
    Place,
    StatsData,
    StatusData,
    alert_data,
    new_id,
    seal,
    source_of,
)
from scanner.mrz.document import Checks, Document, Format, Kind, NumberRule
from scanner.mrz.reading import Entered
from scanner.watchlist.contract import (
    AskedAs,
    Certainty,
    ListHealth,
    ListState,
    ListStatus,
    Match,
)

PASSWORD = "a lantern over the pass"  # noqa: S105  of invented people
STAFF = {
    "olga": Role.OPERATOR,
    "omar": Role.OPERATOR,
    "selma": Role.SUPERVISOR,
    "tom": Role.TECHNICIAN,
    "ada": Role.AUDITOR,
}
PLACES = {
    "north-1": Place(site="Utopia North", lane="1"),
    "north-2": Place(site="Utopia North", lane="2"),
    "harbour-1": Place(site="Utopia Harbour", lane="A"),
    "harbour-2": Place(site="Utopia Harbour", lane="B"),
    "airport-1": Place(site="Utopia Airport", lane="7"),
    "bridge-1": Place(site="Old Bridge", lane=""),
}
PEOPLE = (
    ("UTO", "ERIKSSON", "ANNA MARIA", "F", "1974-08-12"),
    ("UTO", "QUILL", "BASIL", "M", "1969-03-01"),
    ("D", "MUSTERMANN", "ERIKA", "F", "1983-08-12"),
    ("XXA", "NEMO", "", "X", "1990"),
    ("UTO", "THISTLEWOOD", "CLEMENTINE OPHELIA", "F", "2001-11-30"),
    ("FRA", "DUPONTEL", "AGATHE", "F", "1958-01-17"),
    ("NLD", "DE VOORBEELD", "WILLEKE LISELOTTE", "F", "1965-03-10"),
    ("UTO", "O", "JUN", "M", "1995-05-05"),
)


@functools.cache
def hashed_password() -> str:
    """The staff's password as it is kept; to hash it is slow on purpose."""
    return users.hash_of("nobody", PASSWORD)


@dataclass
class Site:
    """A store, and whoever speaks to it. `rng` makes the same site each time."""

    store: Store
    rng: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311  no secret
    _keys: dict[str, OKPKey] = field(default_factory=dict)
    _epochs: dict[str, str] = field(default_factory=dict)
    _places: dict[str, Any] = field(default_factory=dict)

    def say(self, device: str, message: Message, data: Any, at: datetime, *, skip: int = 0) -> str:
        """`device` says something that arrives at `at`; `skip` places before it are lost."""
        said = self.said(device, message, data, at, skip=skip)
        self.store.commit([said], at)
        return said.event.id

    def said(
        self, device: str, message: Message, data: Any, at: datetime, *, skip: int = 0
    ) -> Received:
        """The same, not yet arrived."""
        key = self._keys.setdefault(device, OKPKey.generate_key("Ed25519"))
        sequenced = message is not Message.STATUS
        epoch = self._epochs.setdefault(device, new_id())
        n = self._next(device, skip) if sequenced else None
        event = Event(
            message, new_id(), source_of(device), at, data, epoch if sequenced else None, n
        )
        return Received(device, event, seal(event, key))

    def hit(self, at: datetime, *, device: str = "north-1", skip: int = 0, **about: Any) -> str:
        """A hit that arrives at `at`, to be answered within ten minutes; `about` it as `an_alert`
        takes it, `captured` when it arrives late."""
        said = self.said_hit(at, device=device, skip=skip, **about)
        self.store.commit([said], at)
        return said.event.id

    def said_hit(
        self, at: datetime, *, device: str = "north-1", skip: int = 0, **about: Any
    ) -> Received:
        """The same, not yet arrived."""
        captured = about.pop("captured", at)
        data = an_alert(captured, place=PLACES[device], **about)
        return self.said(device, Message.ALERT, data, at, skip=skip)

    def answer(
        self,
        alert: str,
        at: datetime,
        outcome: AnswerOutcome = AnswerOutcome.CONFIRMED,
        *,
        instruction: str = "",
        by: str = "omar",
    ) -> None:
        """Somebody answers it."""
        until = at + timedelta(hours=24)
        answer = Answer(alert, outcome, instruction, until, by, "asked the owner of the record")
        with self.store.changing() as tx:
            answering.record(tx, answer, at)

    def status(self, device: str, at: datetime, **values: Any) -> None:
        """`device` says how it is."""
        boot = values.pop("boot", 1)
        defaults: dict[str, Any] = {
            "place": PLACES.get(device),
            "software": "0.1.0",
            "lists": (a_list("sltd", at - timedelta(hours=5)), a_list("tdawn", at)),
            "certificate_until": at + timedelta(days=61),
        }
        data = StatusData(boot=boot, connection=1, **{**defaults, **values})
        self.say(device, Message.STATUS, data, at)

    def staff(self, now: datetime) -> None:
        """Lets everybody of STAFF in."""
        hashed = hashed_password()
        with self.store.changing() as tx:
            for name, role in STAFF.items():
                users.add_hashed(tx, name, role, hashed, now)

    def _next(self, device: str, skip: int) -> int:
        n = int(self._places.get(device, 0)) + 1 + skip
        self._places[device] = n
        return n


def an_alert(
    captured: datetime,
    *,
    place: Place = PLACES["north-1"],
    person: Sequence[str] = PEOPLE[0],
    number: str = "L898902C3",
    minutes: float | None = 10.0,
    outcome: str = "HIT",
    entered: Entered = Entered.READ,
) -> AlertData:
    """An alert about somebody's passport."""
    issuer, surname, given, sex, born = person
    document = Document(
        format=Format.TD3,
        code="P",
        issuer=issuer,
        number=number,
        number_rule=NumberRule.STANDARD,
        surname=surname,
        given_names=given,
        name_truncated=False,
        nationality=issuer,
        birth_date=born,
        sex=sex,
        expiry_date="2034-04-15",
        optional=None,
        optional_2=None,
        checks=Checks(),
        kind=Kind.PASSPORT,
    )
    certain = outcome == "HIT"
    match = Match(
        list="sltd",
        certainty=Certainty.EXACT if certain else Certainty.POSSIBLE,
        status=ListStatus.STOLEN if certain else ListStatus.LOST,
        kind=Kind.PASSPORT,
        recorded=date(2026, 1, 5),
        asked_as=AskedAs.NUMBER,
    )
    age = 3600.0 * 5
    as_of = captured - timedelta(seconds=age)
    until = None if minutes is None else captured + timedelta(minutes=minutes)
    return alert_data(
        document,
        outcome=outcome,
        matches=[match],
        lists=[ListState("sltd", 7, as_of, age, ListHealth.OK)],
        place=place,
        captured_at=captured,
        answer_until=until,
        entered=entered,
    )


def a_list(name: str, as_of: datetime, health: ListHealth = ListHealth.OK) -> ListVersion:
    """A list as a device tells of it."""
    return ListVersion(name=name, version=7, as_of=as_of, health=health)


def fill(site: Site, now: datetime) -> None:
    """A week of alerts and hours, open and overdue ones, and devices in every state."""
    site.staff(now - timedelta(days=30))
    _a_week(site, now)
    _the_last_hour(site, now)
    _devices(site, now)


def _a_week(site: Site, now: datetime) -> None:
    outcomes = itertools.cycle(AnswerOutcome)
    for number, hours in enumerate(range(24 * 7, 1, -3)):
        at = now - timedelta(hours=hours, minutes=site.rng.randrange(60))
        device = site.rng.choice(list(PLACES))
        alert = site.hit(
            at,
            device=device,
            person=site.rng.choice(PEOPLE),
            number=f"X{4_000_000 + number % 40}",
            outcome="HIT" if number % 4 else "POSSIBLE",
        )
        after = timedelta(seconds=site.rng.choice((12, 25, 40, 75, 140, 290)))
        site.answer(alert, at + after, next(outcomes), instruction="Keep the document.")
        if number % 3 == 0:
            done = OutcomeData(
                alert=alert,
                action=site.rng.choice(list(Action)),
                officer="K. Ford",
                at=at + after + timedelta(minutes=4),
                note="taken to the second line",
            )
            site.say(device, Message.OUTCOME, done, at + after + timedelta(minutes=4))
    hour = now.replace(minute=0, second=0, microsecond=0)
    for hours in range(24 * 7, 0, -1):
        since = hour - timedelta(hours=hours)
        told = [_an_hour(site, device, since) for device in PLACES]
        site.store.commit(told, since + timedelta(hours=1))


def _an_hour(site: Site, device: str, since: datetime) -> Received:
    busy = 40 + 30 * (6 <= since.hour <= 21)
    counts = {
        "CLEAR": busy + site.rng.randrange(20),
        "HIT": site.rng.choice((0, 0, 0, None)),
        "POSSIBLE": site.rng.choice((0, 0, None)),
        "NOT_CHECKED": 0,
    }
    until = since + timedelta(hours=1)
    stats = StatsData(since=since, until=until, counts=counts, suppressed_below=5)
    return site.said(device, Message.STATS, stats, until)


def _the_last_hour(site: Site, now: datetime) -> None:
    minute = timedelta(minutes=1)
    site.hit(now - 2 * minute, person=PEOPLE[0])
    site.hit(now - minute, device="harbour-1", person=PEOPLE[4], number="C01X0006H", minutes=4)
    site.hit(
        now - 3 * minute,
        device="airport-1",
        person=PEOPLE[5],
        number="12AB34567",
        outcome="POSSIBLE",
    )
    site.hit(now - 8 * minute, device="north-2", person=PEOPLE[1], number="K7700012", minutes=8.2)
    site.hit(now - 25 * minute, device="bridge-1", person=PEOPLE[2], number="C22990047", minutes=5)
    site.hit(
        now - 5 * minute,
        device="bridge-1",
        person=PEOPLE[6],
        number="SPECI2021",
        captured=now - timedelta(hours=19),
    )
    more = site.hit(now - 12 * minute, device="harbour-2", person=PEOPLE[7], number="M0012399")
    site.answer(more, now - 11 * minute, AnswerOutcome.NEED_MORE, instruction="Ask for a visa.")


def _devices(site: Site, now: datetime) -> None:
    old = now - timedelta(days=9)
    site.status("north-1", now)
    site.status("north-2", now, queued=3)
    site.status("harbour-1", now, lists=(a_list("sltd", old, ListHealth.OVER_AGE),))
    fault = DeviceFault(part="camera", message="no picture for 40 s")
    site.status("harbour-2", now, faults=(fault,))
    site.status("airport-1", now, certificate_until=now + timedelta(days=6), refused=2)
    site.hit(now - timedelta(hours=4), device="airport-1", number="L898902C3", skip=3)
    site.status("bridge-1", now - timedelta(hours=3))
    ended = StatusData(online=False, boot=1, connection=1)
    site.say("bridge-1", Message.STATUS, ended, now - timedelta(hours=2))


def open_alerts(store: Store) -> list[tuple[str, str]]:
    """Device and id of each alert without an answer."""
    with store.reading() as db:
        rows = db.execute(sa.select(alerts).where(alerts.c.answered_at.is_(None)))
        return [(row.device, row.id) for row in rows]


def main() -> None:
    """Serves the console over a filled store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8470)
    parser.add_argument("--every", type=float)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    fresh = not (given.folder / "central.db").exists()
    store = Store(f"sqlite:///{given.folder}/central.db")
    site = Site(store)
    if fresh:
        fill(site, datetime.now(UTC))
    console = Console(store, ConsoleSettings(port=given.port))
    stop = threading.Event()
    if given.every:
        threading.Thread(target=_go_on, args=(site, stop, given.every), daemon=True).start()
    print(f"http://127.0.0.1:{given.port}/  olga, omar, selma, tom, ada; password: {PASSWORD}")
    listener = listen(console.settings)
    with serving(console, listener) as server:
        server.run(sockets=[listener])
    stop.set()
    store.close()


def _go_on(site: Site, stop: threading.Event, every_s: float) -> None:
    while not stop.wait(every_s):
        site.hit(datetime.now(UTC), device=site.rng.choice(list(PLACES)), minutes=2)


if __name__ == "__main__":
    main()
