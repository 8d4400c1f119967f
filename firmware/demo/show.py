"""The demo's story: documents at the desk, alerts at central, and a count of both at the end."""

import contextlib
import json
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from firmware.box import Box, CannotStart
from firmware.delivery.link import LinkState
from firmware.demo.broker import DemoBroker
from firmware.demo.stage import Site, SiteFailed, set_up
from firmware.panel import PATTERNS, Light
from firmware.record.journal import ALERTING
from firmware.screen import Reply, Screen, Shown
from firmware.settings import load
from firmware.supervisor import GaveUp

_DELIVERED_WITHIN_S = 60.0
_READY_WITHIN_S = 30.0
_PAUSE_S = 2.0
"""Between two documents, so that a person can follow; none where it goes once through."""
_TELLING = threading.Lock()
_LAMP = {Light.ON: "●", Light.OFF: "○"}


class DemoFailed(Exception):
    """The demo could not be shown; the message says why and what to do."""


def show(*, once: bool) -> bool:
    """Runs the demo until the specimens are through (`once`) or Ctrl-C. True when every hit's
    alert arrived at central. Raises DemoFailed."""
    try:
        with _folder() as folder, DemoBroker() as broker:
            _say("demo", "a desk, a broker and headquarters on this machine; all persons invented")
            site = set_up(folder, broker.port, loop=not once)
            screen = _DemoScreen(0.0 if once else _PAUSE_S)
            with _headquarters(site):
                _run_desk(site, screen, once=once)
            return _sum_up(site, screen)
    except (SiteFailed, CannotStart, GaveUp) as failure:
        raise DemoFailed(str(failure)) from None


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="borderpost-demo-") as folder:
        yield Path(folder)


def _run_desk(site: Site, screen: "_DemoScreen", *, once: bool) -> None:
    box = Box(load(site.device_toml), [screen])
    box.start()
    try:
        _say("demo", f"the officer's page: open {site.kiosk} in a browser")
        _say("demo", "lamps: ready, go, attend (● on, ○ off)")
        while not (once and box.exhausted):
            box.watch()
            time.sleep(0.1)
        deadline = time.monotonic() + _DELIVERED_WITHIN_S
        while box.queued and time.monotonic() < deadline:
            box.watch()
            time.sleep(0.1)
    except KeyboardInterrupt:
        _say("demo", "stopping")
    finally:
        box.stop()


@contextlib.contextmanager
def _headquarters(site: Site) -> Iterator[None]:
    """A receiver and the console, each a process of its own."""
    # Before it receives, it would hear of the first alerts late and out of order: right, but
    # confusing.
    with (
        _process(site.central("receive"), "central", ready="receiving from"),
        _process(site.central("serve"), "console", ready="the console is at"),
    ):
        _say("demo", f"headquarters' console: open {site.console} in a browser, and sign in as")
        _say("demo", f"operator or supervisor with the password {site.password} (of this demo)")
        yield


@contextlib.contextmanager
def _process(command: list[str], who: str, *, ready: str) -> Iterator[None]:
    """A process whose lines are told, from when one of them says that it is `ready`."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    is_ready = threading.Event()
    teller = threading.Thread(target=_tell, args=(process, who, ready, is_ready), daemon=True)
    teller.start()
    try:
        is_ready.wait(_READY_WITHIN_S)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        teller.join(5)


def _tell(
    process: "subprocess.Popen[str]", who: str, ready: str, is_ready: threading.Event
) -> None:
    assert process.stdout is not None  # noqa: S101  it was asked for
    for line in process.stdout:
        _say(who, line.rstrip())
        if ready in line:
            is_ready.set()
    is_ready.set()  # it has ended, and said why


class _DemoScreen(Screen):
    """The officer's screen, as lines on the terminal. What it shows of a document is its file's
    name: the holders are invented, and a terminal is no place for the habit."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self.outcomes: Counter[str] = Counter()
        self.alerts: set[str] = set()
        self.unwritten = 0

    def show(self, shown: Shown) -> None:
        examination = shown.examination
        name = Path(examination.source).name
        if examination.verdict is None:
            message = examination.fault.message if examination.fault else "nothing was examined"
            _say("desk", f"{name:<33} {message}")
            return
        outcome = examination.verdict.outcome
        self.outcomes[outcome.value] += 1
        if outcome in ALERTING:
            if shown.alert_id:
                self.alerts.add(shown.alert_id)
            else:
                self.unwritten += 1
        lamps = " ".join(_LAMP[light] for light in PATTERNS[outcome])
        _say("desk", f"{name:<33} {lamps}  {outcome.value:<12} {examination.verdict.reasons[0]}")
        for line in (*examination.verdict.beside, *shown.faults):
            _say("desk", f"{'':<39}  {'':<12} {line}")
        time.sleep(self._pause_s)

    def answered(self, reply: Reply) -> None:
        about = "the document on the desk" if reply.still_shown else "an earlier document"
        _say("desk", f"central on {about}: {reply.outcome.value.replace('_', ' ')}")
        if reply.instruction:
            _say("desk", f"{'':<22}{reply.instruction} (holds until {reply.until:%d %b %H:%M} UTC)")

    def link(self, state: LinkState) -> None:
        # While all is well each alert comes and goes within a moment, and is no news.
        if not state.connected:
            _say("desk", str(state))


def _sum_up(site: Site, screen: _DemoScreen) -> bool:
    at_central = {alert["id"] for alert in json.loads(site.ask_central("alerts", "--json"))}
    arrived = screen.alerts & at_central
    hits = len(screen.alerts) + screen.unwritten
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(screen.outcomes.items()))
    _say("demo", f"verdicts: {told}; a hit is a HIT or a POSSIBLE, and each raises an alert")
    documents = sum(screen.outcomes.values())
    print(
        f"demo: {documents} documents, {hits} hits, {len(arrived)} alerts received by central",
        flush=True,
    )
    return len(arrived) == hits


def _say(who: str, line: str) -> None:
    """A line of the story; two threads tell it, and each line stays whole."""
    with _TELLING:
        print(f"{who:<8}| {line}", flush=True)
