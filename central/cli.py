"""`borderpost-central`: the commands of headquarters.

Exit codes: 0 done, 2 wrong usage or configuration, 1 anything else. An error is one clear line on
stderr; a traceback is a bug of ours.
"""

import sys
from typing import ClassVar

import typer

from scanner.command_line import run_command
from scanner.commands import Commands, Table


class CentralCommands(Commands):
    table: ClassVar[Table] = {
        "lists": ("central.lists.cli:lists_app", "The lists of documents."),
        "enrol": (
            "central.enrolment.cli:enrol_app",
            "Enrols devices, and gives certificates: `enrol DEVICE OUT`, or one of these commands.",
        ),
        "broker": (
            "central.brokers.cli:broker_app",
            "A site's Mosquitto, or the users of its NATS cluster.",
        ),
        "keys": (
            "central.enrolment.keys_cli:keys_app",
            "The keys that all rely on: rotates them, and says which devices follow.",
        ),
        "alerts": ("central.answering.cli:alerts_app", "The alerts: lists them, or answers one."),
        "receive": (
            "central.receiving.cli:receive",
            "Receives alerts and prints each as it arrives, until SIGTERM.",
        ),
        "serve": (
            "central.serve_cli:serve",
            "Serves the console: alerts, answers, devices, history, trends, audit.",
        ),
        "devices": ("central.devices_cli:devices", "Lists the enrolled devices and how they are."),
        "users": (
            "central.users_cli:users_app",
            "The console's users: adds, lists, disables them.",
        ),
        "audit": (
            "central.audit_cli:audit_app",
            "The audit trail: lists it, or verifies that nobody changed it.",
        ),
        "purge": (
            "central.retention_cli:purge",
            "Removes what is beyond the time that [retention] gives it.",
        ),
        "backup": (
            "central.backup.cli:backup",
            "Copies store, keys and configuration into one file, while everything goes on working.",
        ),
        "restore": (
            "central.backup.cli:restore",
            "Brings a backup back to where the configuration says, or to where it was where "
            "there is no configuration yet.",
        ),
        "drill": (
            "central.drills_cli:drill",
            "Asks a device to begin a drill: training with specimens, of which nothing is real.",
        ),
        "drills": (
            "central.drills_cli:drills",
            "Lists the drills at the devices, and how those went that were kept.",
        ),
        "tokens": (
            "central.systems.tokens_cli:tokens_app",
            "The tokens that other systems read with: adds, lists, revokes.",
        ),
        "asyncapi": (
            "central.systems.cli:asyncapi",
            "Prints the AsyncAPI document of what crosses the network.",
        ),
        "republish": (
            "central.systems.cli:republish",
            "Tells other systems of alerts and answers at a broker of their choice, until SIGTERM.",
        ),
    }


app = typer.Typer(
    cls=CentralCommands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def borderpost_central() -> None:
    """Headquarters: receives alerts, answers them, enrols devices, builds lists."""


def main() -> None:
    """The way in: turns every error into one line and an exit code."""
    sys.exit(run_command(app, "borderpost-central"))


if __name__ == "__main__":
    main()
