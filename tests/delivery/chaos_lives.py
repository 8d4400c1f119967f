"""What the processes of a tortured site run, and the points at which they end themselves.

A device commits alerts at a rate to its real outbox, which its real uplink carries away; each id is
written to a ledger, durably, once `put_alert` has returned. A receiver is the command
`borderpost-central receive`. Either may be armed with a point of its own code and a count: it kills
itself (SIGKILL) when it comes there for that many times.

`forget` is a double that must be found out: a receiver whose store says that a batch is committed
and commits it only later.
"""

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from central import cli
from central.receiving import connection as central_connection
from central.store.sequence import Gap
from central.store.store import Committed, Received, Store
from firmware import database
from firmware.delivery import connection, outbox
from firmware.delivery.outbox import OutboxFault
from scanner.alert import TallyData
from tests.delivery.both_ends import Desk, Protocol

QUIET = "quiet"
"""A file of this name in the site's folder: devices commit nothing new. Each puts one into its own
folder when it has seen that."""
LEDGER, PRINTED = "ledger", "printed"
FORGETS_FOR_S = 0.4
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class Point:
    """A place in the code: before or after a method, or at the end of a transaction's block."""

    of: Any
    method: str
    when: str


DEVICE_POINTS = {
    "before a commit": Point(database.Database, "change", "inside"),
    "after a commit": Point(database.Database, "change", "after"),
    "after publishing": Point(connection.Connection, "publish", "after"),
    "on an acknowledgement": Point(outbox.Outbox, "acknowledge", "before"),
}
RECEIVER_POINTS = {
    "with a batch in hand": Point(Store, "commit", "before"),
    "before a commit": Point(Store, "changing", "inside"),
    "committed, nothing acknowledged": Point(Store, "commit", "after"),
    "acknowledged to the broker alone": Point(
        central_connection.Connection, "acknowledge", "after"
    ),
}


@dataclass(frozen=True)
class Armed:
    """A process ends itself when it comes to the point called `point` for the `nth` time."""

    point: str
    nth: int


def device(folder: Path, name: str, keys: Path, port: int, protocol: Protocol, per_s: float,
           armed: Armed | None) -> None:  # fmt: skip
    """A device that commits `per_s` alerts a second and says them to central, for ever."""
    if armed:
        _arm(DEVICE_POINTS[armed.point], armed.nth)
    _begin(folder / "device.log", folder / "device.log")
    desk = Desk(folder, name, keys, port, protocol)
    threading.Thread(target=desk.uplink.run, args=(threading.Event(),), daemon=True).start()
    ledger = os.open(folder / LEDGER, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    pace = random.Random(os.getpid())  # noqa: S311 - no secret
    while True:
        time.sleep(pace.expovariate(per_s))
        while (folder.parent / QUIET).exists():
            (folder / QUIET).touch()
            time.sleep(_LOOK_EVERY_S)
        try:
            alert_id = desk.raise_alert(f"X{pace.randrange(10**8):08d}")
        except OutboxFault:
            continue
        os.write(ledger, f"{alert_id}\n".encode())
        os.fsync(ledger)


def receiver(config: Path, folder: Path, armed: Armed | None, forgetful: bool) -> None:
    """`borderpost-central receive`; what it prints is added to a file."""
    if forgetful:
        forget()
    if armed:
        _arm(RECEIVER_POINTS[armed.point], armed.nth)
    _begin(folder / PRINTED, folder / "receiver.log")
    sys.argv = ["borderpost-central", "receive", "--config", str(config)]
    cli.main()


def forget() -> None:
    """From now on a store of this process says that it has committed before it has; and never what
    is missing, for the device would say it again, and nothing would be lost."""
    truly = Store.commit

    def commit(self: Store, batch: Sequence[Received], now: datetime) -> Committed:
        def later() -> None:
            time.sleep(FORGETS_FOR_S)
            truly(self, batch, datetime.now(UTC))

        threading.Thread(target=later, daemon=True).start()
        counter = time.time_ns() // 1_000_000
        return Committed(counters={received.device: counter for received in batch})

    def tallies(self: Store, gaps: Sequence[Gap], now: datetime) -> list[TallyData]:
        return []

    Store.commit = commit  # type: ignore[method-assign]
    Store.tallies = tallies  # type: ignore[method-assign]


def _arm(point: Point, nth: int) -> None:
    """Has this process end itself at the `nth` passing of `point`."""
    truly: Callable[..., Any] = getattr(point.of, point.method)
    left = [nth]

    def passing() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(*arguments: Any, **named: Any) -> Any:
        if point.when == "before":
            passing()
        given = truly(*arguments, **named)
        if point.when == "after":
            passing()
        return given

    @contextmanager
    def block(*arguments: Any, **named: Any) -> Iterator[Any]:
        with truly(*arguments, **named) as given:
            yield given
            if point.when == "inside":
                passing()
        if point.when == "after":
            passing()

    in_a_block = point.method.startswith("chang")
    setattr(point.of, point.method, block if in_a_block else around)


def _begin(out: Path, err: Path) -> None:
    """Adds what is said to files, and ends with the torture, however that ends."""
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)


def _outlive_nobody() -> None:
    torture = multiprocessing.parent_process()
    if torture is not None:
        torture.join()
        os._exit(1)
