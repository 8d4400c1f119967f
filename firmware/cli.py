"""`borderpost`: the commands of the box.

Exit codes: 0 done, 2 wrong usage or configuration, 1 anything else. An error is one clear line on
stderr; a traceback is a bug of ours.
"""

import sys
from typing import ClassVar

import typer

from scanner.command_line import run_command
from scanner.commands import Commands, Table


class DeviceCommands(Commands):
    table: ClassVar[Table] = {
        "scan": ("firmware.scan_cli:scan", "Reads pictures of documents and checks them."),
        "check": (
            "firmware.check_cli:check",
            "Checks MRZ lines from standard input, one document a block between blank lines.",
        ),
        "parse": (
            "firmware.parse_cli:parse",
            "Says what MRZ lines from standard input say, one document a block between blank "
            "lines.",
        ),
        "run": ("firmware.run_cli:run", "Runs the desk until SIGTERM."),
        "enrol": (
            "firmware.identity.cli:enrol",
            "Makes the device's keys and has headquarters enrol them; the keys never leave the "
            "device.",
        ),
        "setup": (
            "firmware.setup.command:setup",
            "Makes a desk of this device: asks what it cannot see, configures, enrols, fetches "
            "lists.",
        ),
        "doctor": (
            "firmware.doctor.command:doctor",
            "Looks whether the device is well, and says what to do where it is not.",
        ),
        "demo": (
            "firmware.demo_cli:demo",
            "Shows the whole product on this machine: specimens, mock lamps, a broker, "
            "headquarters.",
        ),
        "config": ("firmware.config_cli:config_app", "The device's configuration."),
        "list": (
            "firmware.lists.cli:list_app",
            "The device's lists: how they stand, whether they are whole.",
        ),
        "journal": (
            "firmware.record.cli:journal_app",
            "The device's record: verifies, lists or exports it.",
        ),
        "officers": (
            "firmware.officers.cli:officers_app",
            "The desk's officers: adds, removes, lists them.",
        ),
        "drills": ("firmware.drill_cli:drills", "Lists the kept results of drills, oldest first."),
    }


app = typer.Typer(
    cls=DeviceCommands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def borderpost() -> None:
    """Reads travel documents and checks them against lists, on the device."""


def main() -> None:
    """The way in: turns every error into one line and an exit code."""
    sys.exit(run_command(app, "borderpost"))


if __name__ == "__main__":
    main()
