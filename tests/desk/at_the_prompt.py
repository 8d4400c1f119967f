"""The device's commands without a process for each: fast, and with the same ends."""

import io
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from firmware.cli import app
from scanner.command_line import run_command
from tests.desk.test_settings import GOOD


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str


def configured(folder: Path) -> Path:
    """A configuration that keeps everything under `folder`."""
    path = folder / "borderpost.toml"
    path.write_text(
        f"""{GOOD}
[officers]
file = "{folder}/data/officers.json"
""".replace("[[sources]]", f'data = "{folder}/data"\n[[sources]]', 1)
    )
    return path


class Prompt:
    """Runs commands as typed; `typed` is what comes on standard input."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object, typed: str = "") -> Done:
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        self._capsys.readouterr()
        command = partial(app, [str(one) for one in arguments])
        code = run_command(command, "borderpost")
        told = self._capsys.readouterr()
        return Done(code, told.out, told.err)
