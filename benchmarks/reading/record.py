"""What a run leaves in JSON, and what a later run takes from it.

Peers are slow, so `--resume` takes their marks of pages (and models) that have not changed. Our own
readers are always asked anew: they change.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.reading.contest import Contestant
from benchmarks.reading.marks import Mark, score

Json = dict[str, Any]


def suite_as_object(kind: str, folder: Path, contestants: Sequence[Contestant]) -> Json:
    return {
        "suite": kind,
        "folder": str(folder),
        "readers": [_contestant_as_object(one) for one in contestants],
    }


def _contestant_as_object(one: Contestant) -> Json:
    marks = list(one.marks.values())
    return {
        "name": one.name,
        "title": one.title,
        "ours": one.ours,
        "not_run": one.not_run,
        "model": one.model,
        "load_ms": one.load_ms,
        "first_reading_ms": one.cold_ms,
        "peak_mb": one.peak_mb,
        "before_mb": one.before_mb,
        "score": asdict(score(marks)) if marks else None,
        "marks": [asdict(mark) for mark in marks],
    }


def write(path: Path, suites: Iterable[Json]) -> None:
    """All of it or what was there before: a run that is stopped keeps a whole file."""
    aside = path.with_name(path.name + ".part")
    aside.write_text(json.dumps({"suites": list(suites)}, indent=1) + "\n", encoding="utf-8")
    os.replace(aside, path)  # noqa: PTH105


def earlier_marks(path: Path, kind: str, one: Contestant) -> dict[str, Mark]:
    """The peer's marks of the suite in an earlier run's JSON, by page. Raises ValueError."""
    if one.ours or not path.is_file():
        return {}
    try:
        suites = json.loads(path.read_text(encoding="utf-8"))["suites"]
        return {
            told["key"]: Mark(**told)
            for suite in suites
            if suite["suite"] == kind
            for reader in suite["readers"]
            if (reader["name"], reader["model"]) == (one.name, one.model)
            for told in reader["marks"]
        }
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path}: this is no result of an earlier run") from None
