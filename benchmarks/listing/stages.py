"""The stages of a run, in their order: each is a function that is given the settings and gives back
what it measured. Each runs in a process of its own (`worker`)."""

from dataclasses import dataclass, field

from benchmarks.listing.building import ALL_FIELDS, KEY_AND_THREE
from benchmarks.listing.settings import Json, Settings

LIBRARIES = {
    "sqlite": ("sqlite",),
    "lmdb": ("lmdb",),
    "rocksdict": ("rocksdict", "rocksdict-compressed"),
}
"""Which stores a peer's library is measured with."""

CSV_PARTS = (4, 1)
"""Sources of a fourth of the rows, and of all."""

UPDATED = ("sqlite", "lmdb")
"""Peers that take a day's update."""


@dataclass(frozen=True)
class Stage:
    """`calls` is `module:function` below `package`. `needs` names the stages whose files it reads,
    `wants` those whose files it reads where there are any, `peer` the peer whose library it
    needs."""

    name: str
    calls: str
    needs: tuple[str, ...] = ()
    peer: str = ""
    wants: tuple[str, ...] = ()
    arguments: Json = field(default_factory=dict)
    package: str = "benchmarks.listing"


def stages_of(settings: Settings) -> list[Stage]:
    """Every stage of the run."""
    stores = [(peer, store) for peer in settings.peers for store in LIBRARIES[peer]]
    return [
        Stage("columns", "columns:make"),
        Stage("build-ours", "building:ours", ("columns",)),
        *(_build(peer, store, ALL_FIELDS) for peer, store in stores),
        *(
            _build(peer, store, KEY_AND_THREE)
            for peer, store in stores
            if store != "rocksdict-compressed"
        ),
        Stage("rows-alone", "building:rows_alone", ("columns",)),
        Stage(
            "warm",
            "asking:warm",
            ("build-ours",),
            _any_library(settings),
            wants=tuple(build_name(store) for _, store in stores),
        ),
        Stage("cold-ours", "asking:cold_ours", ("build-ours",)),
        *(_of_store("cold", "asking:cold_peer", peer, store) for peer, store in stores),
        Stage("in-force", "building:in_force", ("build-ours",)),
        Stage("memory", "looking:memory", ("in-force",)),
        *(
            stage
            for part in CSV_PARTS
            for stage in (
                Stage(f"source-{part}", "source_building:write", arguments={"part": part}),
                Stage(
                    f"csv-{part}",
                    "source_building:build",
                    (f"source-{part}",),
                    arguments={"part": part},
                ),
            )
        ),
        Stage("probes", "probing:probes", ("build-ours",)),
        Stage("possible", "travellers:possible"),
        Stage("publish", "daily:publish", ("in-force",)),
        Stage("make-delta", "daily:make_first", ("publish",)),
        Stage("apply", "daily:apply_all", ("publish",)),
        Stage("memory-overlay", "looking:memory_with_overlay", ("apply",)),
        Stage("cold-overlay", "asking:cold_overlay", ("apply",)),
        *(
            _of_store("update", "updating:peer", peer, store)
            for peer, store in stores
            if peer in UPDATED
        ),
        Stage("scratch", "daily:scratch", ("in-force",)),
        Stage("fold", "daily:fold_all", ("apply", "memory-overlay", "cold-overlay")),
    ]


def with_needs(wanted: list[str], stages: list[Stage]) -> list[Stage]:
    """The stages that are named, a name that ends in * standing for all that begin so, and those
    that they need. Raises ValueError for a name that is none."""
    known = {stage.name: stage for stage in stages}
    chosen: set[str] = set()
    waiting = [found for name in wanted for found in _named(name, known)]
    while waiting:
        name = waiting.pop()
        if name not in chosen:
            chosen.add(name)
            waiting += (*known[name].needs, *known[name].wants)
    return [stage for stage in stages if stage.name in chosen]


def _named(name: str, known: dict[str, Stage]) -> list[str]:
    found = [one for one in known if one == name or _stands_for(name, one)]
    if not found:
        raise ValueError(f"no stage {name!r}; there is {', '.join(known)}")
    return found


def _stands_for(name: str, stage: str) -> bool:
    return name.endswith("*") and stage.startswith(name[:-1])


def build_name(store: str, value_bytes: int = ALL_FIELDS) -> str:
    return f"build-{store}" + ("" if value_bytes == ALL_FIELDS else "-key3")


def _build(peer: str, store: str, value_bytes: int) -> Stage:
    arguments = {"name": store, "value_bytes": value_bytes}
    name = build_name(store, value_bytes)
    return Stage(name, "building:peer", ("columns",), peer, arguments=arguments)


def _any_library(settings: Settings) -> str:
    """A peer whose library is not in Python itself, where there is one."""
    return next((peer for peer in settings.peers if peer != "sqlite"), "")


def _of_store(kind: str, calls: str, peer: str, store: str) -> Stage:
    arguments = {"name": store}
    return Stage(f"{kind}-{store}", calls, (build_name(store),), peer, arguments=arguments)
