"""`borderpost-central`: the commands of headquarters.

Exit codes: 0 done, 2 wrong usage or configuration, 1 anything else. An error is one clear line on
stderr; a traceback is a bug of ours.
"""

import json
import logging
import signal
import sys
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from central.audit_cli import audit_app
from central.brokers.cli import broker_app
from central.drills_cli import drill, drills
from central.enrolment.authority import Authority
from central.enrolment.cli import enrol_app
from central.enrolment.keys_cli import keys_app
from central.lists.cli import lists_app
from central.moments import in_iso
from central.opening import DEFAULT_CONFIG, open_store, sources
from central.receiving.show import device_line, line_of, object_of
from central.retention_cli import purge
from central.serve_cli import serve
from central.settings import load
from central.systems.cli import asyncapi, follow_alerts, republish
from central.systems.tokens_cli import tokens_app
from central.users_cli import users_app
from scanner.alert import AnswerOutcome
from scanner.command_line import Refusal, run_command

if TYPE_CHECKING:  # what speaks to the store needs the extra `central`; lists and keys do not
    from central.store.store import AlertRow

_HOURS_MOST = 24 * 366
_INSTRUCTION_MOST = 500
_REASON_MOST = 280

app = typer.Typer(
    help="Headquarters: receives alerts, answers them, enrols devices, builds lists.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
alerts_app = typer.Typer(help="The alerts: lists them, or answers one.")
app.add_typer(lists_app, name="lists")
app.add_typer(enrol_app, name="enrol")
app.add_typer(broker_app, name="broker")
app.add_typer(keys_app, name="keys")
app.add_typer(alerts_app, name="alerts")
app.command()(serve)
app.add_typer(users_app, name="users")
app.add_typer(audit_app, name="audit")
app.command()(purge)
app.command()(backup)
app.command()(restore)
app.command()(drill)
app.command()(drills)
app.add_typer(tokens_app, name="tokens")
app.command("asyncapi")(asyncapi)
app.command("republish")(republish)


Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command()
def receive(config: Config = DEFAULT_CONFIG) -> None:
    """Receives alerts and prints each as it arrives, until SIGTERM."""
    from central.receiving.receiver import Receiver  # noqa: PLC0415  needs the extra `central`

    settings = load(config)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_store(settings, waiting=stop) as store:
        receiver = Receiver(
            sources(settings),
            store,
            Authority(settings.keys.folder),
            _print_alert,
            settings.retention,
        )
        receiver.run(stop)


@alerts_app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    as_json: AsJson = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Each alert as it is committed, one a line.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(help="With --follow: those received since this moment, first.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists the alerts in the order of their arrival."""
    context.obj = config
    if context.invoked_subcommand is not None:
        return
    if since is not None and not follow:
        raise Refusal("--since goes with --follow")
    if follow:
        follow_alerts(config, since, as_json=as_json)
        return
    with open_store(load(config)) as store:
        if as_json:
            rows = store.all_alerts()
            print(json.dumps([object_of(row, store.answers_to(row.id)) for row in rows]))
            return
        for row in store.all_alerts():
            _print_alert(row)


@alerts_app.command("answer")
def alerts_answer(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(help="The alert's id.")],
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="The record is valid: it is a hit.")
    ] = False,
    not_confirmed: Annotated[
        bool, typer.Option("--not-confirmed", help="Recovered, or a mistake: it is none.")
    ] = False,
    need_more: Annotated[
        bool, typer.Option("--need-more", help="More is needed from the desk.")
    ] = False,
    instruction: Annotated[str, typer.Option(help="What the officer is to do.")] = "",
    holds_hours: Annotated[
        float, typer.Option(min=0.01, max=_HOURS_MOST, help="For how long the answer holds.")
    ] = 24.0,
    reason: Annotated[str, typer.Option(help="Why; it stays at central.")] = "",
    by: Annotated[str | None, typer.Option(help="Who answers; else you.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
) -> None:
    """Answers an alert; the answer is sent until the device holds it."""
    from central.answering.answers import Answer  # noqa: PLC0415  needs the extra `central`

    chosen = {
        AnswerOutcome.CONFIRMED: confirmed,
        AnswerOutcome.NOT_CONFIRMED: not_confirmed,
        AnswerOutcome.NEED_MORE: need_more,
    }
    outcomes = [outcome for outcome, given in chosen.items() if given]
    if len(outcomes) != 1:
        raise Refusal("give one of --confirmed, --not-confirmed and --need-more")
    _check_line("an instruction", instruction, _INSTRUCTION_MOST)
    _check_line("a reason", reason, _REASON_MOST)
    now = datetime.now(UTC)
    until = now + timedelta(hours=holds_hours)
    who = by or getuser()
    answer = Answer(alert, outcomes[0], instruction, until, who, reason)
    with open_store(load(config or context.obj)) as store:
        store.answer(answer, now, role="command line")
    print(f"{alert}: {outcomes[0].value.replace('_', ' ')}, holds until {in_iso(until)}")


@app.command()
def devices(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Lists the enrolled devices and how they are."""
    settings = load(config)
    with open_store(settings) as store:
        known = {row["device"]: row for row in store.devices()}
    nothing: dict[str, Any] = {
        "online": None,
        "heard_at": None,
        "status_at": None,
        "status": None,
        "missing": [],
    }
    enrolled = Authority(settings.keys.folder).devices()
    rows = [known.get(name, {"device": name, **nothing}) for name in enrolled]
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(device_line(row))


def main() -> None:
    """The way in: turns every error into one line and an exit code."""
    sys.exit(run_command(app, "borderpost-central"))


def _check_line(what: str, text: str, most: int) -> None:
    if len(text) > most or not text.isprintable():
        raise Refusal(f"{what} is one line of at most {most} characters")


def _print_alert(row: "AlertRow") -> None:
    print(line_of(row), flush=True)


if __name__ == "__main__":
    main()
