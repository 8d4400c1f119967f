"""The programs' tables of commands, which are believed until a command is called."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from central.cli import app as headquarters
from firmware.cli import app as box
from scanner.commands import Commands

HEAVY = {"numpy", "cv2", "cryptography", "joserfc", "sqlalchemy", "starlette", "tuf"}
SAYS_WHAT_IS_IMPORTED = """
import sys
from scanner.command_line import run_command
from {program}.cli import app
run_command(app, "program")
print("imported:", *sys.modules)
"""


@pytest.mark.parametrize("app", [box, headquarters], ids=["borderpost", "borderpost-central"])
def test_every_command_of_a_table_is_there_and_does_what_the_table_says(app: typer.Typer) -> None:
    groups: list[Any] = [typer.main.get_group(app)]
    while groups:
        group = groups.pop()
        for name, (_, does) in group.table.items():
            command = group.imported(name)
            assert " ".join(command.help.split()).startswith(does), name
            assert command.rich_markup_mode is None
            if isinstance(command, Commands):
                groups.append(command)


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("firmware", ["--help"]),
        ("firmware", ["parse"]),
        ("firmware", ["config", "check", "config/borderpost.toml"]),
        ("central", ["--help"]),
    ],
    ids=str,
)
def test_a_command_imports_only_what_it_needs(program: str, arguments: list[str]) -> None:
    said = subprocess.run(
        [sys.executable, "-c", SAYS_WHAT_IS_IMPORTED.format(program=program), *arguments],
        input="",
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    _, _, imported = said.rpartition("imported:")
    assert "typer" in imported.split()
    assert HEAVY.isdisjoint(imported.split())
