"""The lists' keys: at hand, and not where a thief of the card would find them."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.lists.status import Held, standings
from scanner.said import said
from scanner.watchlist.key_keeping import Grade

_SEAL = said("keep it apart from the card, or seal it to a TPM: docs/operations.md, 'A list's key'")


def check(context: Context) -> Iterator[Finding]:
    chosen = context.chosen
    if chosen.folder is None:
        return
    for one in standings(context.lists, chosen.folder, chosen.keys, context.clock):
        name = one.state.name
        yield (
            _finding(name, one.key)
            if one.key
            else skipped(said("{name}: there is no version that names its key", name=name))
        )


def _finding(name: str, key: Held) -> Finding:
    if key.grade is None:
        return fail(
            said("{name}: {why}", name=name, why=key.said),
            said("bring {name}.key from headquarters", name=name),
        )
    line = said(
        "{name}: the key is at hand in {file}: {how}", name=name, file=key.file, how=key.said
    )
    return warn(line, _SEAL) if key.grade is Grade.POOR else ok(line)
