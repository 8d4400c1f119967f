"""Documents at a desk: hits are committed and told to headquarters, over and over.

The desk is the real one, with its outbox, journal and referrals; what it sends and hears goes by
the console in a broker's place. What an officer was shown is said, for that is the promise: an
alert behind a lamp that says *refer* is on the disk.
"""

import base64
import random
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from firmware.delivery.hearing import Hearing
from firmware.delivery.link import LinkState
from firmware.delivery.sending import Sending
from firmware.delivery.window import Window
from firmware.identity.keys import load_keys
from firmware.screen import Reply, Screen, Shown
from scanner.alert import Action
from scanner.hash_chain import Head
from tests.desk.desk_fixture import CLEAN, LISTED, WholeDesk, typed
from tests.powercut.console import Wrong, hear, say

DEVICE = "desk-1"


class Said(Screen):
    """A screen that says which alerts were shown."""

    def show(self, shown: Shown) -> None:
        if shown.faults:
            raise Wrong("; ".join(shown.faults))
        if shown.alert_id is not None:
            say("alert", id=shown.alert_id)

    def answered(self, reply: Reply) -> None:
        return

    def link(self, state: LinkState) -> None:
        return


class Console:
    """What the desk takes for its connection to a broker."""

    room = 20

    def publish(self, topic: str, payload: bytes) -> None:
        say("post", topic=topic, payload=base64.b64encode(payload).decode())


def run(data: Path, folder: Path, known: dict[str, Any]) -> None:
    """Looks, then works until the power goes; the last time until headquarters have all."""
    (data / "desk").mkdir(exist_ok=True)
    desk = WholeDesk(data / "desk", [Said()], lists=folder / "lists")
    look(desk, known)
    if not known["last"]:
        say("ready")
    stop = Event()
    link = Thread(target=_guarded, args=(desk, folder, stop), daemon=True)
    link.start()
    if known["last"]:
        deadline = time.monotonic() + 60.0
        while desk.outbox.queued() and time.monotonic() < deadline:
            time.sleep(0.05)
        if left := desk.outbox.queued():
            raise Wrong(f"{left} messages are not acknowledged")
    else:
        _scan(desk, random.Random(known["life"]))  # noqa: S311
    stop.set()
    link.join()


def look(desk: WholeDesk, known: dict[str, Any]) -> None:
    """Everything that was said to be committed is there, and the journal's chain holds."""
    noted = Head(*known["head"]) if known.get("head") else None
    broken, head = desk.journal.verify(noted)
    if broken is not None:
        raise Wrong(f"the journal's chain is broken: {broken}")
    written = [row.entry.alert for row in desk.journal.rows() if row.entry.what == "scan"]
    for alert in known["alerts"]:
        if desk.outbox.alert(alert) is None:
            raise Wrong(f"alert {alert} was committed and is gone")
        if written.count(alert) != 1:
            raise Wrong(f"alert {alert} is {written.count(alert)} times in the journal")
    waiting = desk.outbox.waiting(10_000)
    if any(one.body is None for one in waiting):
        raise Wrong("a message is damaged")
    for path in desk.folder.glob("*.db"):
        with closing(sqlite3.connect(path)) as db:
            if (found := db.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                raise Wrong(f"{path.name}: {found}")
    say("checked", rows=head.n, waiting=len(waiting), messages=desk.outbox.last_n())


def _scan(desk: WholeDesk, rng: random.Random) -> None:
    """One document after the other; an officer deals with some of the referrals."""
    while True:
        shown = desk.desk.handle(typed(LISTED if rng.random() < 0.7 else CLEAN))
        if shown.alert_id is not None and rng.random() < 0.3:
            desk.desk.refer(shown.alert_id, Action.REFERRED)
        head = desk.journal.head()
        say("head", head=[head.n, head.hash])
        time.sleep(rng.random() * 0.1)


def _guarded(desk: WholeDesk, folder: Path, stop: Event) -> None:
    """Delivers; a thread that dies is told of."""
    try:
        _deliver(desk, folder, stop)
    except BaseException as error:
        say("wrong", why=f"delivering ended: {error!r}")
        raise


def _deliver(desk: WholeDesk, folder: Path, stop: Event) -> None:
    """Sends what waits, and takes what headquarters say."""
    keys = load_keys(folder / "keys")
    sending = Sending(DEVICE, desk.outbox, keys, Window(first_s=2.0), _now)
    hearing = Hearing(
        DEVICE, desk.answers, keys, sending, _now, lambda answer: None, lambda command: None
    )
    hearing.begin()
    console: Any = Console()
    while not stop.is_set():
        sending.publish_due(console)
        for message in hear(0.05):
            hearing.hear(message["topic"], base64.b64decode(message["payload"]))
        if hearing.refused:
            raise Wrong("the desk does not believe headquarters")


def _now() -> datetime:
    return datetime.now(UTC)
