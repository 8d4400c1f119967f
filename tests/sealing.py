"""A program that stands in for systemd-creds: who is not root can seal nothing to a machine.

What it seals opens under the name that it was sealed under, as with the real one, and is no secret.
"""

import base64
import os
from pathlib import Path

import pytest

from scanner.credentials import PREFIX

_PROGRAM = """#!/bin/sh
case $1 in
encrypt) echo "sealed $2"; exec base64 ;;
decrypt)
    read -r first
    [ "$first" = "sealed $2" ] || { echo "it is another machine's" >&2; exit 1; }
    exec base64 -d ;;
esac
"""


def put_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the program in `folder` found before systemd's own."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "systemd-creds"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def opened(sealed: Path) -> bytes:
    """What lies sealed in a file."""
    first, _, rest = sealed.read_text().partition("\n")
    assert first == f"sealed --name={PREFIX}{sealed.name}"
    return base64.b64decode(rest)
