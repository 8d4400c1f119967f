"""A repository served to devices by a web server in a process of its own, so that what the server
uses is none of the device's."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.listing.settings import Json
from tests.updates.web_server import WebServer


@dataclass(frozen=True)
class Served:
    """The address, and `sums`: what was sent so far, in how many answers, with how many cuts."""

    url: str
    sums: Callable[[], Json]


@contextmanager
def served(folder: Path, cut_every: int | None = None) -> Iterator[Served]:
    """Serves a folder. With `cut_every` each answer's link fails after so many bytes."""
    ours, theirs = multiprocessing.Pipe()
    start = multiprocessing.get_context("spawn").Process
    process = start(target=_serve, args=(folder, cut_every, theirs), daemon=True)
    process.start()

    def sums() -> Json:
        ours.send("sums")
        said: Json = ours.recv()
        return said

    try:
        yield Served(ours.recv(), sums)
    finally:
        ours.send(None)
        process.join(10)
        process.kill()


def _serve(folder: Path, cut_every: int | None, link: Connection) -> None:
    server = WebServer(folder)
    server.cut_every, server.abort = cut_every, True
    with server.serving():
        link.send(server.url)
        while link.recv() is not None:
            link.send(
                {
                    "bytes": server.sent + server.heads,
                    "requests": server.requests,
                    "cuts": server.cuts,
                    "cpu_s": time.process_time(),
                }
            )
