"""What the tests of the lists share: a list built from rows, and a clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scanner.watchlist.age import ClockReading
from scanner.watchlist.build import Built
from tests.listing import built

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HEADER = "issuer,number,number_to,kind,status,recorded,reference"


@pytest.fixture
def clock() -> ClockReading:
    return ClockReading(NOW, synchronised=True, unsynchronised_s=0.0, grace_s=86400.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where lists are built."""
    return tmp_path / "lists"


@pytest.fixture
def build(tmp_path: Path, folder: Path) -> Callable[..., Built]:
    """Builds a list from CSV rows: `build(rows…, name="sltd", as_of=…, …)`."""

    def build_rows(
        *rows: str, name: str = "sltd", as_of: datetime = NOW, **options: object
    ) -> Built:
        source = tmp_path / "source.csv"
        source.write_text("\n".join([HEADER, *rows]) + "\n")
        return built(source, folder, name, as_of=as_of, **options)  # type: ignore[arg-type]

    return build_rows
