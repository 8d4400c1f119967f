"""The open pages: each is sent the latest state as it changes, and a beat in between.

A state is whole, so nothing is queued: a page that is slow to take one is sent the latest when it
is ready again, and what lay in between is not missed. The beat tells a page that the daemon is
there even while nothing happens.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from scanner.said import said
from scanner.web.problem import Problem

BEAT_S = 0.5
MOST = 8
"""More pages than any desk has; each costs a little memory."""


class Pages:
    """All open pages; `number` is the latest state's. `stream` and `close` are for the event loop,
    `tell` is for any thread."""

    def __init__(self, number: Callable[[], int]) -> None:
        self._number = number
        self._open: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = False

    def open_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop in which pages are served from now on."""
        self._loop, self._over = loop, False

    @property
    def is_open(self) -> bool:
        """Whether pages are served."""
        return self._loop is not None and not self._over

    def tell(self) -> None:
        """Something changed."""
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop is closed, and its pages with it
            return

    def close(self) -> None:
        """Ends every stream."""
        self._over = True
        self._wake()

    def stream(self, text: Callable[[], str]) -> AsyncIterator[bytes]:
        """What one page is sent; `text` gives the state as it is then. Raises Problem where there
        are too many pages."""
        if len(self._open) >= MOST:
            raise Problem(503, "pages", said("too many pages are open; close one"))
        changed = asyncio.Event()
        self._open.add(changed)
        return self._sent(changed, text)

    async def _sent(self, changed: asyncio.Event, text: Callable[[], str]) -> AsyncIterator[bytes]:
        try:
            changed.set()
            while not self._over:
                try:
                    await asyncio.wait_for(changed.wait(), BEAT_S)
                except TimeoutError:
                    yield f'event: beat\ndata: {{"n":{self._number()}}}\n\n'.encode()
                    continue
                changed.clear()
                if not self._over:
                    yield f"event: state\ndata: {text()}\n\n".encode()
        finally:
            self._open.discard(changed)

    def _wake(self) -> None:
        for changed in self._open:
            changed.set()
