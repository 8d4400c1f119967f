"""What the tests of the verdict share: a list built from rows, and a clock."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scanner.watchlist.age import ClockReading
from tests.listing import built

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HEADER = "issuer,number,number_to,kind,status,recorded,reference"

BuildList = Callable[[Sequence[str]], Path]


@pytest.fixture
def clock() -> ClockReading:
    return ClockReading(NOW, synchronised=True, unsynchronised_s=0.0, grace_s=86400.0)


@pytest.fixture
def a_list(tmp_path: Path) -> BuildList:
    """Builds list `sltd` from CSV rows and gives its folder."""

    def build(rows: Sequence[str]) -> Path:
        source, folder = tmp_path / "source.csv", tmp_path / "lists"
        source.write_text("\n".join([HEADER, *rows]) + "\n")
        built(source, folder, "sltd", as_of=NOW)
        return folder

    return build
