"""The command behind `benchmarks/updates.py`."""

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
from benchmarks.listing.settings import Settings
from benchmarks.listing.stages import UPDATED
from benchmarks.updating.rows import ROWS
from benchmarks.updating.stages import stages_of
from benchmarks.updating.telling import markdown

_BYTES_A_RECORD = 200
"""Columns, peers' stores, and every base that repository and devices keep, together."""


def main(given: Sequence[str] | None = None) -> int:
    return go(_program(), given)


def _program() -> Program:
    return Program(
        "benchmarks/updates.py",
        _arguments(),
        _settings,
        lambda settings, given: stages_of(settings, given.cuts, given.devices),
        lambda settings: settings.records * _BYTES_A_RECORD + BYTES_AT_LEAST,
        _told,
    )


def _arguments() -> argparse.ArgumentParser:
    parser = arguments_of("Measure updates over the air.", UPDATED)
    parser.add_argument("--days", type=int, default=66, help="that are published (66)")
    parser.add_argument("--devices", type=int, default=1000, help="of the fleet (1000)")
    parser.add_argument("--cuts", type=int, default=25, help="of the base's link (25)")
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        work_folder(arguments.work, f"updates-{arguments.records}-{arguments.days}"),
        arguments.records,
        peers=peers_named(arguments.peers, UPDATED),
        asked=1,
        cold=1,
        days=arguments.days,
    )


def _told(settings: Settings, not_done: Mapping[str, str]) -> str:
    return markdown(settings, figures_of(settings, not_done, ROWS))
