"""`borderpost-central audit`: the trail of who did what at central."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from central.moments import iso
from central.opening import DEFAULT_CONFIG, open_store
from scanner.command_line import Failure, noted_head

if TYPE_CHECKING:
    from central.store.store import Store

AT_ONCE = 1000
"""Rows that are read in one view of the store."""

audit_app = typer.Typer(help="The audit trail: lists it, or verifies that nobody changed it.")

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]


@audit_app.command("verify")
def audit_verify(
    noted: Annotated[
        str | None,
        typer.Option(help="What this command printed at some earlier time, as NUMBER:HASH."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Checks the whole chain, and prints its head to be noted elsewhere."""
    from central import audit  # noqa: PLC0415  needs the extra `central`

    earlier = noted_head(noted)
    with open_store(config) as store, store.reading() as db:
        broken = audit.verify(db, earlier)
        head = audit.head(db)
    if broken is not None:
        raise Failure(f"the audit trail is broken at row {broken.n}: {broken.why}")
    print(f"the audit trail holds; its head is {head}")


@audit_app.command("list")
def audit_list(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    after: Annotated[int, typer.Option(min=0, help="Only rows above this number.")] = 0,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists the trail, oldest first."""
    with open_store(config) as store:
        for row in _rows(store, after):
            told = {**row, "at": iso(row["at"])}
            if as_json:
                print(json.dumps(told, ensure_ascii=False))
            else:
                detail = json.dumps(row["detail"], ensure_ascii=False) if row["detail"] else ""
                words = (told["n"], told["at"], row["actor"], row["role"], row["action"])
                print("  ".join(str(word) for word in (*words, row["subject"], detail) if word))


def _rows(store: "Store", after: int) -> Iterator[dict[str, Any]]:
    """The rows above `after`, some at a time: whoever leafs through them holds nothing open."""
    from central import audit  # noqa: PLC0415  needs the extra `central`

    while True:
        with store.reading() as db:
            some = list(islice(audit.rows(db, after=after), AT_ONCE))
        yield from some
        if len(some) < AT_ONCE:
            return
        after = some[-1]["n"]
