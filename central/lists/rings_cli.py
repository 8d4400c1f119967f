"""`borderpost-central lists open` and `status`: ring after ring, as the devices fare.

A publication is opened to the next ring where the devices of the rings that have it report no
errors, or no more than allowed; central's store says that. With `--watch` this goes on by itself,
ring after ring, until all have it or the errors are too many.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from central.course import Course
from central.enrolment.authority import Authority
from central.lists.publish_parts import (
    Config,
    Name,
    OnlineKey,
    Repository,
    SignWith,
    check_ring,
    chosen_config,
    one_line_each,
    publisher_of,
    told,
)
from central.lists.ring_opening import Opening, Rule
from central.opening import open_store
from central.publishing.repository import RepositoryFolder
from central.publishing.targets import published_in
from central.settings import load
from scanner.command_line import Failure, Refusal
from scanner.watchlist.publication import Publication

if TYPE_CHECKING:  # the store needs the extra `central`; publishing does not
    from central.lists.rollout import Fare, Fleet


def open_ring(
    folder: Repository,
    name: Name,
    rings: Annotated[
        list[str], typer.Argument(help="The ring to open it to; several with --watch, in order.")
    ],
    after: Annotated[str, typer.Option(help="The ring that has it already.")],
    sign_with: SignWith,
    online_key: OnlineKey,
    errors: Annotated[
        int, typer.Option(min=0, help="How many devices of the rings before may be in error.")
    ] = 0,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Open it whatever devices report, or without asking.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Ring after ring, each once the one before has it.")
    ] = False,
    share: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="With --watch: the share that must have it.")
    ] = 0.9,
    every: Annotated[
        float, typer.Option(min=0.1, help="With --watch: seconds between two looks.")
    ] = 30.0,
    config: Config = None,
) -> None:
    """Opens a publication to the next ring, unless devices that have it report errors."""
    for ring in rings:
        check_ring(ring)
    if len(rings) > 1 and not watch:
        raise Refusal("several rings are opened one after the other: give --watch")
    rule = Rule(errors, share, anyway)
    with Course() as course, one_line_each(), _asked(config, rule, watch) as fleet:
        publisher = publisher_of(folder, sign_with, online_key, course)
        opening = Opening(publisher, RepositoryFolder(folder), name, fleet, rule, config, course)
        for before, ring in zip((after, *rings), rings, strict=False):
            if watch and fleet is not None:
                opening.wait(fleet, before, ring, every)
            opening.open(before, ring)


def status(
    folder: Repository,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = None,
) -> None:
    """Says what each ring's devices are to have of each list, and how they fare with it."""
    with one_line_each():
        found = list(published_in(RepositoryFolder(folder)))
        if not found:
            raise Failure(f"{folder}: nothing is published yet")
        chosen = chosen_config(config)
        fares = _fares(chosen, found) if chosen else [None] * len(found)
    if as_json:
        rows = zip(found, fares, strict=True)
        print(json.dumps([_as_object(publication, one) for publication, one in rows]))
        return
    for publication, one in zip(found, fares, strict=True):
        print(told(publication))
        if one is not None:
            print(f"  {one}")
            for stand in (*one.errors, *one.waits):
                print(f"  {stand}")


@contextmanager
def _asked(config: Path | None, rule: Rule, watch: bool) -> Iterator["Fleet | None"]:
    """Whoever knows how devices fare; None where nobody does and nobody wants to know."""
    chosen = chosen_config(config)
    if chosen is not None:
        with _fleet(chosen) as fleet:
            yield fleet
        return
    if watch or not rule.anyway:
        raise Refusal(
            "how the devices fare is in central's store: give --config"
            + ("" if watch else ", or --anyway to open it without asking")
        )
    yield None


@contextmanager
def _fleet(config: Path) -> Iterator["Fleet"]:
    from central.lists.rollout import Fleet  # noqa: PLC0415  needs the extra `central`

    settings = load(config)
    with open_store(settings) as store:
        yield Fleet(store, Authority(settings.keys.folder))


def _fares(config: Path, publications: Sequence[Publication]) -> list["Fare | None"]:
    with _fleet(config) as fleet:
        return [fleet.fare(one) for one in publications]


def _as_object(publication: Publication, one: "Fare | None") -> dict[str, Any]:
    told_of = publication.model_dump(mode="json")
    if one is None:
        return told_of
    groups = {"has": one.has, "errors": one.errors, "waits": one.waits}
    return told_of | {
        "devices": {
            **{
                group: [{"device": stand.device, "why": str(stand)} for stand in stands]
                for group, stands in groups.items()
            },
            "versions": [{"version": version, "devices": n} for version, n in one.versions],
        }
    }
