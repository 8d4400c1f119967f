"""`borderpost-central alerts`: the alerts, and what an operator answers."""

import json
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from central.answering.answers import Answer
from central.moments import in_iso
from central.opening import DEFAULT_CONFIG, open_store
from central.receiving.show import object_of, print_alert
from central.settings import load
from central.systems.cli import follow_alerts
from scanner.alert import AnswerOutcome
from scanner.command_line import Refusal

_HOURS_MOST = 24 * 366
_INSTRUCTION_MOST = 500
_REASON_MOST = 280

alerts_app = typer.Typer(help="The alerts: lists them, or answers one.")

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


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
            print_alert(row)


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


def _check_line(what: str, text: str, most: int) -> None:
    if len(text) > most or not text.isprintable():
        raise Refusal(f"{what} is one line of at most {most} characters")
