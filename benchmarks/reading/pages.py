"""A folder of pictures with a manifest: what is printed on each page.

`manifest.csv` (or `specimens.csv`) has the columns file, format, line1, line2, line3; `conditions`
and `burst` where known. Rows with the same `burst` are frames of one document, read together.

Where some rows have lines and some have none, those without are left out: they are no part of what
is scored. Where no row has lines, the folder is one of pictures *without* an MRZ, and whatever a
reader finds there is wrong.
"""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MANIFESTS = ("manifest.csv", "specimens.csv")

_NEEDED = {"file", "format", "line1", "line2"}


@dataclass(frozen=True)
class Page:
    """One document: its frames (nearly always one) and the lines printed on it."""

    paths: tuple[Path, ...]
    layout: str
    conditions: str
    lines: tuple[str, ...]

    @property
    def name(self) -> str:
        first = self.paths[0]
        return first.name if len(self.paths) == 1 else f"{first.parent.name}/"

    @cached_property
    def key(self) -> str:
        """What the frames and the lines are, whatever the files are called."""
        whole = hashlib.sha256("\n".join(self.lines).encode())
        for path in self.paths:
            whole.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"-")
        return whole.hexdigest()[:24]


def pages_in(corpus: Path) -> list[Page]:
    """The pages of the folder in the order of its manifest. Raises ValueError with one line."""
    manifest = next((corpus / name for name in MANIFESTS if (corpus / name).is_file()), None)
    if manifest is None:
        raise ValueError(f"{corpus}: there is no {' or '.join(MANIFESTS)}")
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = _NEEDED - set(rows.fieldnames or ())
        if missing:
            raise ValueError(f"{manifest}: no column {', '.join(sorted(missing))}")
        found = list(_pages(corpus, rows))
    with_lines = [page for page in found if page.lines]
    return with_lines or found


def have_no_mrz(pages: Sequence[Page]) -> bool:
    return not any(page.lines for page in pages)


def _pages(corpus: Path, rows: Iterable[dict[str, str]]) -> Iterable[Page]:
    bursts: dict[str, list[dict[str, str]]] = {}
    for number, row in enumerate(rows):
        bursts.setdefault(row.get("burst") or f"\0{number}", []).append(row)
    for frames in bursts.values():
        first = frames[0]
        yield Page(
            tuple(corpus / row["file"] for row in frames),
            first["format"],
            first.get("conditions") or "",
            tuple(line for n in (1, 2, 3) if (line := first.get(f"line{n}") or "")),
        )


def spread(pages: Sequence[Page], count: int | None) -> list[Page]:
    """At most `count` of the pages, spread evenly over all of them."""
    if count is None or count >= len(pages):
        return list(pages)
    return [pages[place * len(pages) // count] for place in range(count)]
