"""The lists' keys: at hand, and not where a thief of the card would find them."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.list_status import Held, standings
from scanner.watchlist.key_keeping import Grade

_SEAL = "keep it apart from the card, or seal it to a TPM: docs/operations.md, 'A list's key'"


def check(context: Context) -> Iterator[Finding]:
    chosen = context.chosen
    if chosen.folder is None:
        return
    for one in standings(context.lists, chosen.folder, chosen.keys, context.clock):
        name = one.state.name
        yield (
            _finding(name, one.key)
            if one.key
            else skipped(f"{name}: there is no version that names its key")
        )


def _finding(name: str, key: Held) -> Finding:
    if key.grade is None:
        return fail(f"{name}: {key.said}", f"bring {name}.key from headquarters")
    line = f"{name}: the key is at hand in {key.file}: {key.said}"
    return warn(line, _SEAL) if key.grade is Grade.POOR else ok(line)
