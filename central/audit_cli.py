"""`borderpost-central audit`: the trail of who did what at central."""

import json
from pathlib import Path
from typing import Annotated

import typer

from central.moments import iso
from central.opening import DEFAULT_CONFIG, open_store
from scanner.command_line import Failure, noted_head

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
    from central import audit  # noqa: PLC0415  needs the extra `central`

    with open_store(config) as store, store.reading() as db:
        for row in audit.rows(db, after=after):
            told = {**row, "at": iso(row["at"])}
            if as_json:
                print(json.dumps(told, ensure_ascii=False))
            else:
                detail = json.dumps(row["detail"], ensure_ascii=False) if row["detail"] else ""
                words = (told["n"], told["at"], row["actor"], row["role"], row["action"])
                print("  ".join(str(word) for word in (*words, row["subject"], detail) if word))
