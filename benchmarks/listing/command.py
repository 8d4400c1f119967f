"""The command behind `benchmarks/lists.py`."""

import argparse
from collections.abc import Mapping, Sequence

from benchmarks.listing.figures import figures_of
from benchmarks.listing.program import (
    BYTES_AT_LEAST,
    Program,
    arguments_of,
    go,
    peers_named,
    work_folder,
)
from benchmarks.listing.settings import ALL_PEERS, Settings
from benchmarks.listing.stages import stages_of
from benchmarks.listing.telling import markdown

_BYTES_A_RECORD = 230
"""What all stores, columns and folds of a run take on the disk together, at their most."""
_BYTES_A_ROW = 400


def main(given: Sequence[str] | None = None) -> int:
    return go(_program(), given)


def _program() -> Program:
    return Program(
        "benchmarks/lists.py",
        _arguments(),
        _settings,
        lambda settings, _: stages_of(settings),
        _room,
        _told,
    )


def _arguments() -> argparse.ArgumentParser:
    parser = arguments_of("Measure the list engine beside open stores.", ALL_PEERS)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    for name, told in (
        ("probes", "random keys that are not listed"),
        ("asked", "keys that are asked warm"),
        ("cold", "keys that are asked cold"),
        ("csv_rows", "rows of the larger source file"),
        ("days", "daily deltas that are folded"),
        ("adds", "records that a day adds"),
        ("removals", "records that a day removes"),
        ("travellers", "clean travellers of each format"),
    ):
        default = getattr(Settings, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, default=default, help=f"{told} ({default})"
        )
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        work_folder(arguments.work, f"lists-{arguments.records}-{arguments.seed}"),
        arguments.records,
        arguments.seed,
        peers_named(arguments.peers, ALL_PEERS),
        arguments.probes,
        arguments.asked,
        arguments.cold,
        arguments.csv_rows,
        arguments.adds,
        arguments.removals,
        arguments.days,
        arguments.travellers,
    )


def _room(settings: Settings) -> int:
    return settings.records * _BYTES_A_RECORD + settings.csv_rows * _BYTES_A_ROW + BYTES_AT_LEAST


def _told(settings: Settings, not_done: Mapping[str, str]) -> str:
    return markdown(settings, figures_of(settings, not_done))
