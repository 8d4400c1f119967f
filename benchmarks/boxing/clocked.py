"""The service itself, with a clock at its parts, up to the first verdict.

It runs what `borderpost run` runs. Each part is the processor's time of the thread that does it,
without what is done in between for another part; what no part accounts for is the rest.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any


class Clock:
    """Seconds of processor time by part."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._within = threading.local()

    def at(self, part: str, owner: Any, name: str) -> None:
        """Has every call of `owner.name` counted for `part`."""
        called: Callable[..., Any] = getattr(owner, name)

        @wraps(called)
        def counted(*given: Any, **named: Any) -> Any:
            outer, self._within.others = getattr(self._within, "others", 0.0), 0.0
            began = time.thread_time()
            try:
                return called(*given, **named)
            finally:
                whole = time.thread_time() - began
                self.parts[part] = self.parts.get(part, 0.0) + whole - self._within.others
                self._within.others = outer + whole

        setattr(owner, name, counted)


class FirstVerdict:
    """A screen that notes when the first verdict is there, and ends the service."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    def show(self, shown: Any) -> None:
        if self.told or shown.examination.verdict is None:
            return
        self.told = {
            "cpu_s": time.process_time(),
            "at": time.monotonic(),
            "outcome": str(shown.examination.verdict.outcome),
        }
        os.kill(os.getpid(), signal.SIGTERM)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: None


def main(began: float, config: Path, out: Path) -> None:
    """`began` is the processor's time when the interpreter was ready."""
    clock = Clock()
    from firmware import box, desk, run_cli  # noqa: PLC0415
    from scanner.watchlist import slot  # noqa: PLC0415

    clock.parts |= {"interpreter": began, "imports": time.process_time() - began}
    clock.at("settings", run_cli, "load")
    clock.at("identity", box, "link_of")
    clock.at("identity", box.Identity, "__init__")
    clock.at("models", box, "_reader")
    clock.at("lists", slot, "open_store")
    clock.at("sources", box, "open_source")
    clock.at("page", box.Kiosk, "__init__")
    clock.at("first verdict", desk.Desk, "handle")
    first = FirstVerdict()
    run_until_told = partial(run_cli.run_until_told, screens=(first,))
    run_cli.run_until_told = run_until_told  # type: ignore[assignment]
    run_cli.run(config)
    out.write_text(json.dumps({"parts": clock.parts, **first.told}))
