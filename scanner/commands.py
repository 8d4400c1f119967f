"""Commands that are imported when they are called.

A program's commands lie in modules of their own, which import at their top whatever they need. The
program itself has a table of them: by a command's name, where it lies and what it does. The list
that `--help` prints comes from the table; only the command that is called is imported. So a command
starts as fast as what it needs itself, and one that needs nothing that is not installed works where
another one does not. A test holds the table to what it names.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

Table = Mapping[str, tuple[str, str]]
"""By a command's name: where it lies, as `module:attribute` (a function, or a Typer app of further
commands), and what it does, in a line."""


class Commands(TyperGroup):
    """A group of commands that are in its table, beside any that are registered with it. For Typer:
    `Typer(cls=…)` with a class that has a `table`."""

    table: ClassVar[Table] = {}

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for name, (_, does) in self.table.items():
            self.commands[name] = TyperCommand(name, help=does, rich_markup_mode=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Puts the command itself in the place of the name that stood for it until now."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, self.imported(name) if name else command, rest

    def imported(self, name: str) -> Any:
        """The command of that name, ready to run."""
        if name not in self.table:
            return self.commands[name]
        module, _, attribute = self.table[name][0].partition(":")
        found = getattr(import_module(module), attribute)
        around = typer.Typer(rich_markup_mode=None)
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=name)
        else:
            around.command(name)(found)
        return typer.main.get_group(around).commands[name]
