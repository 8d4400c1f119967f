"""A command without a process for it: what it prints and how it ends are the same, and what it
imports is there already. What goes on until a signal, or is about a process itself (its memory, its
imports, its terminal, its logging), needs a real one."""

import io
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest

from central.cli import app as headquarters
from firmware.cli import app as box
from scanner.command_line import run_command


def _ran(
    app: Callable[..., object],
    program: str,
    arguments: tuple[object, ...],
    stdin: bytes,
    terminal: str = "utf-8:strict",
) -> subprocess.CompletedProcess[bytes]:
    words = [str(one) for one in arguments]
    encoding, _, errors = terminal.partition(":")
    told = [io.BytesIO(), io.BytesIO()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding, errors))
        for name, into in zip(("stdout", "stderr"), told, strict=True):
            stream = io.TextIOWrapper(into, encoding, errors, write_through=True)
            patch.setattr(sys, name, stream)
        code = run_command(partial(app, words), program)
        out, err = (into.getvalue() for into in told)
    return subprocess.CompletedProcess([program, *words], code, out, err)


def borderpost(
    *arguments: object, stdin: bytes = b"", terminal: str = "utf-8:strict"
) -> subprocess.CompletedProcess[bytes]:
    """One of the device's commands, in bytes, at a terminal of that encoding."""
    return _ran(box, "borderpost", arguments, stdin, terminal)


def borderpost_central(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """One of headquarters' commands, in text."""
    return in_text(_ran(headquarters, "borderpost-central", arguments, stdin.encode()))


def in_text(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[str]:
    """The same, as `text=True` would give it."""
    said = (done.stdout.decode(), done.stderr.decode())
    return subprocess.CompletedProcess(done.args, done.returncode, *said)
