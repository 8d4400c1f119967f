"""Whether a version in force answers as it must: invented documents that it knows, and that it does
not."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from scanner.said import said
from scanner.watchlist.contract import AskedAs, Certainty, ListDamaged, Question
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest
from scanner.watchlist.publication import Canary
from scanner.watchlist.store import open_store


def probe(lists: Path, manifest: Manifest, key: ListKey, canaries: Sequence[Canary]) -> str | None:
    """Asks the version of every canary. Gives in a line what is wrong with it, or None."""
    try:
        with closing(open_store(lists, manifest, key)) as store:
            for number, canary in enumerate(canaries, start=1):
                question = Question(
                    canary.issuer, canary.number, canary.kind, AskedAs.NUMBER, exact=True
                )
                matches = store.look_up([question])
                found = any(match.certainty is Certainty.EXACT for match in matches)
                if found != canary.listed:
                    missed = said("is not found"), said("is found and must not be")
                    return said(
                        "canary {number} of {count} {fault}",
                        number=number,
                        count=len(canaries),
                        fault=missed[0] if canary.listed else missed[1],
                    )
    except ListDamaged as damage:
        return str(damage)
    return None
