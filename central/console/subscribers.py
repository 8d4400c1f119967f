"""Who has a page open, and what waits to be sent to each.

An event is made once and put into each page's queue; a queue is bounded. A page that does not take
what it is sent is let go when its queue is full: it comes back, says what it has seen last, and is
given the rest, or is told to look anew.

The last events are kept in memory for that. They are numbered under a name that is new with each
start of the server, so a number of an earlier start is never taken for one of this.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from threading import Lock

from central.console.roles import May
from central.console.sessions import Who

QUEUE = 512
KEPT = 2_000
PING_S = 5.0


@dataclass(frozen=True)
class Sent:
    """An event as it goes over the wire, its number, and the right that shows it."""

    number: int
    right: May
    text: bytes


class Page:
    """One open page. Made and read in the event loop; given to by any thread."""

    def __init__(self, who: Who, rights: frozenset[May]) -> None:
        self.who = who
        self._rights = rights
        self._loop = asyncio.get_running_loop()
        self._queue: deque[bytes] = deque()
        self._something = asyncio.Event()
        self._over = False

    def give(self, sent: list[Sent]) -> None:
        """For any thread: what this page may see of it will be sent."""
        texts = [one.text for one in sent if one.right in self._rights]
        if texts:
            self._in_loop(self._put, texts)

    @property
    def waiting(self) -> int:
        """How many events wait to be sent."""
        return len(self._queue)

    def let_go(self) -> None:
        """For any thread: the stream ends."""
        self._in_loop(self._end)

    async def texts(self) -> AsyncIterator[bytes]:
        """What is to be sent, as it comes; empty when nothing came for a while."""
        while not self._over:
            if self._queue:
                yield self._queue.popleft()
                continue
            self._something.clear()
            try:
                async with asyncio.timeout(PING_S):
                    await self._something.wait()
            except TimeoutError:
                yield b""

    def _put(self, texts: list[bytes]) -> None:
        self._queue.extend(texts)
        if len(self._queue) > QUEUE:
            self._end()
        self._something.set()

    def _end(self) -> None:
        self._over = True
        self._something.set()

    def _in_loop(self, call: object, *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)  # type: ignore[arg-type]
        except RuntimeError:  # the loop is closed, and the page with it
            return


class Subscribers:
    """All open pages. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: set[Page] = set()
        self._kept: deque[Sent] = deque(maxlen=KEPT)
        self._start = secrets.token_hex(6)
        self._number = 0
        self._closed = False

    def join(self, page: Page, last: str) -> tuple[str, bool]:
        """Takes `page` in. Gives the id of where it stands, and whether it has missed nothing
        behind `last`, the id of the event that it saw last."""
        with self._lock:
            if self._closed:
                page.let_go()
            seen = self._number_of(last)
            oldest = self._kept[0].number if self._kept else self._number + 1
            resumes = seen is not None and oldest - 1 <= seen <= self._number
            if resumes and seen is not None:
                page.give([sent for sent in self._kept if sent.number > seen])
            self._pages.add(page)
            return f"{self._start}-{self._number}", resumes

    def load(self) -> tuple[int, int]:
        """How many pages are open, and how many events wait for the slowest of them."""
        with self._lock:
            return len(self._pages), max((page.waiting for page in self._pages), default=0)

    def leave(self, page: Page) -> None:
        """The page is closed."""
        with self._lock:
            self._pages.discard(page)

    def sessions(self) -> set[str]:
        """The sessions of all open pages."""
        with self._lock:
            return {page.who.session for page in self._pages}

    def let_go_of(self, ended: set[str]) -> None:
        """Ends the pages of these sessions."""
        with self._lock:
            for page in self._pages:
                if page.who.session in ended:
                    page.let_go()

    def tell(self, events: list[tuple[May, str, str]]) -> None:
        """Sends events, each the right that shows it, its name and its data in one line."""
        if not events:
            return
        with self._lock:
            new = [self._numbered(*event) for event in events]
            for page in self._pages:
                page.give(new)

    def look_anew(self) -> None:
        """Something could not be told: every page comes back, and looks at everything."""
        with self._lock:
            self._kept.clear()
            self._number += 1
            for page in self._pages:
                page.let_go()

    def close(self) -> None:
        """Ends all of them, and whoever comes later."""
        with self._lock:
            self._closed = True
            for page in self._pages:
                page.let_go()

    def _numbered(self, right: May, name: str, data: str) -> Sent:
        self._number += 1
        number = f"{self._start}-{self._number}"
        sent = Sent(self._number, right, event_text(name, data, number))
        self._kept.append(sent)
        return sent

    def _number_of(self, last: str) -> int | None:
        start, _, number = last.partition("-")
        fits = start == self._start and number.isascii() and number.isdigit() and len(number) < 16
        return int(number) if fits else None


def event_text(name: str, data: str, number: str | None = None) -> bytes:
    """An event as the stream writes it. `data` has no line breaks."""
    lines = [] if number is None else [f"id: {number}"]
    return "\n".join([*lines, f"event: {name}", f"data: {data}", "", ""]).encode()
