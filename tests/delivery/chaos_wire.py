"""Links that can be cut: loopback TCP ports that carry every connection on to another port, until
told to drop, delay, half-close or swallow it.

A black hole holds bytes back and lets neither side know, as a pulled cable does; what it held goes
on when it is mended, as TCP would send it again. A half-closed link carries one direction only. All
links are served by one thread.
"""

import asyncio
import random
import threading
from collections.abc import Coroutine
from contextlib import suppress
from enum import StrEnum
from typing import Any

_AT_ONCE = 65536
_LONGEST_DELAY_S = 0.3
_LOOK_EVERY_S = 0.02


class Cut(StrEnum):
    """What can be done to a link."""

    DROP = "dropped"
    DELAY = "delayed"
    HALF_CLOSE = "half-closed"
    BLACK_HOLE = "black-holed"


class _Call:
    """One connection: the two ends that the link joins."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.ends = (near, far)
        self.closed: asyncio.StreamWriter | None = None
        """The end that was half-closed: nothing is written to it any more."""

    def half_close(self) -> None:
        self.closed = random.choice(self.ends)  # noqa: S311 - no secret
        with suppress(OSError, RuntimeError):
            self.closed.write_eof()

    def drop(self) -> None:
        for end in self.ends:
            end.transport.abort()


class Wire:
    """One link, from `port` to wherever it was laid."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int) -> None:
        self._loop = loop
        self._target = target
        self._cut: Cut | None = None
        self._calls: set[_Call] = set()
        self.port = 0

    def cut(self, how: Cut) -> None:
        """Cuts the link until it is mended; whatever was done to it before is over."""
        self._loop.call_soon_threadsafe(self._do, how)

    def mend(self) -> None:
        """New connections pass, and so do those that still stand whole."""
        self._loop.call_soon_threadsafe(self._do, None)

    async def listen(self) -> None:
        server = await asyncio.start_server(self._called, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    def _do(self, how: Cut | None) -> None:
        self._cut = how
        for call in list(self._calls):
            if how is Cut.DROP:
                call.drop()
            elif how is Cut.HALF_CLOSE:
                call.half_close()

    async def _called(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            if not await self._passable():
                raise ConnectionRefusedError
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            near.transport.abort()
            return
        call = _Call(near, far)
        self._calls.add(call)
        try:
            with suppress(asyncio.CancelledError):
                await asyncio.gather(
                    self._carry(call, reader, far), self._carry(call, far_reader, near)
                )
        finally:
            self._calls.discard(call)
            call.drop()

    async def _carry(
        self, call: _Call, source: asyncio.StreamReader, to: asyncio.StreamWriter
    ) -> None:
        """One direction, until its source ends or the link drops it."""
        with suppress(OSError, RuntimeError):
            while data := await source.read(_AT_ONCE):
                if not await self._passable():
                    break
                if to is call.closed:
                    continue
                to.write(data)
                await to.drain()
            to.write_eof()

    async def _passable(self) -> bool:
        """Waits for as long as the link holds back; False where it drops what it carries."""
        if self._cut is Cut.DELAY:
            await asyncio.sleep(random.uniform(0, _LONGEST_DELAY_S))  # noqa: S311
        while self._cut is Cut.BLACK_HOLE:
            await asyncio.sleep(_LOOK_EVERY_S)
        return self._cut is not Cut.DROP


class Wires:
    """Lays links. Use as a context: they are all gone at its end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Wires":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def lay(self, target: int) -> Wire:
        """A link to `target`, a port of this machine."""
        wire = Wire(self._loop, target)
        self._run(wire.listen())
        return wire

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
