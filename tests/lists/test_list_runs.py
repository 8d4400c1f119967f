"""The records of a build on disk: whatever their number and order, they come out as a list has
them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.watchlist import runs
from scanner.watchlist.runs import ROW, Rows, Runs, RunsDamaged, TooManyAlike

KEYS = st.sampled_from([0, 1, 255, 2**56, 2**56 + 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
HASHES = st.sampled_from([0, 1, 2**40, 2**64 - 1])
RESTS = st.builds(lambda kind, rest: kind << 32 | rest, st.integers(0, 5), st.integers(0, 3))
LISTED = st.lists(st.tuples(KEYS, HASHES, RESTS), max_size=60)


def rows_of(listed: list[tuple[int, int, int]], first_line: int = 2) -> Rows:
    rows = np.empty(len(listed), ROW)
    for at, (key, exact, rest) in enumerate(listed):
        rows[at] = (key, exact, first_line + at, rest)
    return rows


@given(LISTED, st.integers(1, 40), st.integers(1, 20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_records_come_out_in_order_and_of_equal_ones_the_last(
    tmp_path_factory: pytest.TempPathFactory,
    listed: list[tuple[int, int, int]],
    gathered: int,
    at_once: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "GATHERED", gathered)
        patch.setattr(runs, "SORTED_AT_ONCE", at_once)
        patch.setattr("os.fsync", lambda file: None)
        replaced = []
        with Runs(tmp_path_factory.mktemp("runs") / "runs") as some:
            for begin in range(0, len(listed), 7):
                replaced.append(some.add(rows_of(listed[begin : begin + 7], 2 + begin)))
            replaced.append(some.kept()[1])
            found = []
            for part, more, _ in some.in_order():
                found += list(zip(part.keys.tolist(), part.rest.tolist(), strict=True))
                replaced.append(more)
    last: dict[tuple[int, int, int], tuple[int, int]] = {}
    wanted = set()
    for line, (key, exact, rest) in enumerate(listed, start=2):
        if before := last.get((key, exact, rest >> 32)):
            wanted.add((before[1], line))
        last[key, exact, rest >> 32] = (rest, line)
    assert found == sorted((key, rest) for (key, _, _), (rest, _) in last.items())
    assert wanted == {
        pair
        for one in replaced
        for pair in zip(one.lines.tolist(), one.by_lines.tolist(), strict=True)
    }


def test_more_look_alikes_than_a_list_holds_are_refused_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SORTED_AT_ONCE", 20)
    monkeypatch.setattr(runs, "MOST_ALIKE", 30)
    with Runs(tmp_path / "runs") as some:
        some.add(rows_of([(7, at << 40, at) for at in range(30)]))
        some.kept()
        ((records, *_),) = [one for one in some.in_order() if len(one[0])]
        assert records.rest.tolist() == list(range(30))
        some.add(rows_of([(7, 1, 1)], 40))
        some.kept()
        with pytest.raises(TooManyAlike, match=r"line \d+: more than 30 numbers"):
            list(some.in_order())


def test_a_run_that_was_written_further_than_was_kept_is_cut_back(tmp_path: Path) -> None:
    with Runs(tmp_path / "runs") as some:
        some.add(rows_of([(at << 40, 0, 0) for at in range(100)]))
        written, _ = some.kept()
        some.add(rows_of([(at << 56, 0, 0) for at in range(100)]))
        some.kept()
    for _ in range(3):
        with Runs(tmp_path / "runs", written) as some:
            written, _ = some.kept()
            assert sum(len(part) for part, *_ in some.in_order()) == 100


@pytest.mark.parametrize("change", ["a bit", "the end"])
def test_a_run_that_is_not_what_was_written_is_noticed(tmp_path: Path, change: str) -> None:
    with Runs(tmp_path / "runs") as some:
        some.add(rows_of([(at, 0, 0) for at in range(100)]))
        written, _ = some.kept()
    path = tmp_path / "runs" / "00"
    content = bytearray(path.read_bytes())
    content[1000] ^= 16
    path.write_bytes(content if change == "a bit" else content[:-1])
    with pytest.raises(RunsDamaged, match="runs/00"), Runs(tmp_path / "runs", written) as some:
        list(some.in_order())
