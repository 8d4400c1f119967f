"""Processes that come to grief: run as `python -m tests.delivery.victim WHAT …`, each is killed by
its own hand or stands still by another's."""

import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from central.enrolment.authority import Authority
from central.opening import sources
from central.receiving.receiver import Receiver
from central.settings import load
from central.store.store import Committed, Received, Store
from firmware.delivery.outbox import Outbox, OutboxFault
from scanner.alert import AlertData
from tests.delivery.both_ends import MARKS, NOW, Desk, Protocol, alert


class DeadlyStore(Store):
    """Kills its process when the first alert is to be committed, or when it has been."""

    point = ""

    def commit(self, batch: Sequence[Received], now: datetime) -> Committed:
        deadly = any(isinstance(received.event.data, AlertData) for received in batch)
        if deadly and self.point == "before_commit":
            os.kill(os.getpid(), signal.SIGKILL)
        done = super().commit(batch, now)
        if deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


def receive(config: str, point: str) -> None:
    """A receiver that is killed at `point`."""
    settings = load(Path(config))
    store = DeadlyStore(settings.store.url)
    store.point = point
    authority = Authority(settings.keys.folder)
    Receiver(sources(settings), store, authority, print).run(threading.Event())


def desk(folder: str, name: str, keys: str, port: str, protocol: Protocol) -> None:
    """A desk that is there."""
    one = Desk(Path(folder), name, Path(keys), int(port), protocol)
    one.uplink.run(threading.Event())


def put(path: str, count: str) -> None:
    """Puts alerts, says each one's id as soon as it is put, and is killed after the last."""
    outbox = Outbox(Path(path), "desk-1", MARKS)
    for _ in range(int(count)):
        os.write(1, f"{outbox.put_alert(alert(), NOW)}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)


def fill(path: str) -> None:
    """Puts alerts until the disk is full, says why it stopped, makes room and puts one more."""
    outbox = Outbox(Path(path), "desk-1", MARKS)
    first = outbox.put_alert(alert(), NOW)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    count = 1
    try:
        while count < 1000:
            outbox.put_alert(alert(), NOW)
            count += 1
    except OutboxFault as fault:
        print(fault)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    outbox.put_alert(alert(), NOW)
    rows = outbox.waiting(10_000)
    assert rows[0].id == first
    assert [row.n for row in rows] == list(range(1, count + 2))
    print(count)


if __name__ == "__main__":
    {"receive": receive, "desk": desk, "put": put, "fill": fill}[sys.argv[1]](*sys.argv[2:])
