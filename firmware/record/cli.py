"""`borderpost journal`: the device's record, for an auditor.

Everything is read from the device's own file, also while the desk runs. An export's JSON holds just
the words that the hashes are made of.
"""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from firmware.options import DEFAULT_CONFIG, AsJson, Config
from firmware.record.journal import Journal, Row
from firmware.settings import load
from scanner.command_line import Failure, Refusal, noted_head

journal_app = typer.Typer(help="The device's record: verifies, lists or exports it.")


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"


Since = Annotated[
    str | None, typer.Option(help="From this moment on: 2026-11-23, or 2026-11-23T08:00 (UTC).")
]
Until = Annotated[str | None, typer.Option(help="Before this moment.")]

_SHOWN = ("n", "at", "what", "outcome", "officer", "entered", "alert")


@journal_app.command("verify")
def journal_verify(
    noted: Annotated[
        str | None,
        typer.Option(help="What this command printed, or central was told, as NUMBER:HASH."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Checks the whole chain, and prints its head to be noted elsewhere."""
    earlier = noted_head(noted)
    with _journal(config) as journal:
        broken, head = journal.verify(earlier)
    if broken is not None:
        raise Failure(f"the journal is broken at row {broken.n}: {broken.why}")
    print(f"the journal holds; its head is {head}")


@journal_app.command("list")
def journal_list(
    as_json: AsJson = False,
    since: Since = None,
    until: Until = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists the rows, oldest first."""
    for row in _rows(config, since, until):
        words = row.words
        if as_json:
            print(json.dumps(_told(row), ensure_ascii=False))
            continue
        lists = [f"{name} {version}" for name, version in words["lists"].items()]
        told = [str(words[name]) for name in _SHOWN if words[name] not in (None, "")]
        print("  ".join([*told, *lists, *(["drill"] if words["drill"] else [])]))


@journal_app.command("export")
def journal_export(
    form: Annotated[Format, typer.Option("--format", help="What is written.")] = Format.JSON,
    since: Since = None,
    until: Until = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Writes the rows to standard output, with their hashes: one JSON object a line, or CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    headed = False
    for row in _rows(config, since, until):
        words = _told(row)
        if form is Format.JSON:
            print(json.dumps(words, ensure_ascii=False))
            continue
        if not headed:
            writer.writerow(words)
            headed = True
        writer.writerow(_cell(word) for word in words.values())


def _told(row: Row) -> dict[str, Any]:
    return {**row.words, "hash": row.hash}


def _cell(word: Any) -> Any:
    return json.dumps(word, ensure_ascii=False) if isinstance(word, dict | bool) else word


def _rows(config: Config, since: str | None, until: str | None) -> Iterator[Row]:
    first, end = _moment(since), _moment(until)
    with _journal(config) as journal:
        yield from journal.rows(first, end)


@contextmanager
def _journal(config: Config) -> Iterator[Journal]:
    device = load(config).device
    path = device.data / "journal.db"
    if not path.exists():
        raise Failure(
            f"{path}: there is no journal yet; the desk begins it with the first document"
        )
    journal = Journal(path, device.name)
    try:
        yield journal
    finally:
        journal.close()


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{text}: give a moment as 2026-11-23 or 2026-11-23T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
