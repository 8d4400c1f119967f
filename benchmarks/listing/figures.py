"""The figures of a run beside their goals, and what it did not measure.

A figure whose stage did not come to its end is told as not measured, with the reason: none is ever
left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log2

from benchmarks.listing.settings import Json, Settings

DIRECTORY_BYTES_A_PAGE = 28
"""First key, rank and digest of one page of keys."""

MOST_MB = 512
_WARM_GOALS = {"lmdb": 5, "sqlite": 2}


@dataclass(frozen=True)
class Figure:
    """One row. `holds` says whether the goal was reached; None where there is none, or nothing was
    measured."""

    name: str
    goal: str
    measured: str
    holds: bool | None = None


class NotMeasured(Exception):
    """A stage did not come to its end; the message is its name."""


@dataclass(frozen=True)
class Results:
    """What the stages of a run left."""

    settings: Settings

    def of(self, stage: str) -> Json:
        """Raises NotMeasured."""
        found = self.settings.result(stage)
        if found is None:
            raise NotMeasured(stage)
        return found

    def of_peers(self, stage: str, names: tuple[str, ...] = ()) -> dict[str, Json]:
        """Of those peers' stores that were measured, by name."""
        told = {}
        for name in names or ("sqlite", "lmdb", "rocksdict", "rocksdict-compressed"):
            found = self.settings.result(stage.format(name))
            if found is not None:
                told[name] = found
        return told


Row = Callable[[Results], tuple[str, bool | None]]


def figures_of(settings: Settings, not_done: Mapping[str, str]) -> list[Figure]:
    """Every figure, measured or not."""
    results = Results(settings)
    figures = []
    for name, goal, row in _ROWS:
        try:
            measured, holds = row(results)
        except NotMeasured as missing:
            why = not_done.get(str(missing), "its stage was not run")
            figures.append(Figure(name, goal, f"not measured: {why} ({missing})"))
        else:
            figures.append(Figure(name, goal, measured, holds))
    return figures


def bound_bytes(records: int) -> float:
    """Bytes a record of the least that an exact set of 64-bit hashes can take."""
    return (64 - log2(records) + 1.44) / 8


def key_store_bytes(results: Results) -> float:
    """Bytes a record of ours for the keys, their directory and the pages' digests."""
    built, records = results.of("build-ours"), results.settings.records
    directory: int = DIRECTORY_BYTES_A_PAGE * built["pages"]
    keys: int = built["sizes"]["keys"]
    return (keys + directory - records) / records


def all_bytes(results: Results) -> float:
    """Bytes a record of ours for everything."""
    sizes: dict[str, int] = results.of("build-ours")["sizes"]
    return sum(sizes.values()) / results.settings.records


def _key_store(results: Results) -> tuple[str, bool | None]:
    ours, bound = key_store_bytes(results), bound_bytes(results.settings.records)
    return f"{ours:.3f} B a record, {ours / bound:.4f} × {bound:.3f} B", ours <= 1.03 * bound


def _key_and_class(results: Results) -> tuple[str, bool | None]:
    ours = key_store_bytes(results) + 1
    theirs = _bytes_of(results, "build-{}-key3")
    return f"{ours:.3f} B a record; key and 3 bytes: {theirs}", ours <= 6.2


def _everything(results: Results) -> tuple[str, bool | None]:
    ours = all_bytes(results)
    theirs = results.of_peers("build-{}", ("sqlite", "lmdb"))
    ratios = {name: _per_record(results, one) / ours for name, one in theirs.items()}
    told = ", ".join(f"{name} {ratio:.2f} ×" for name, ratio in ratios.items())
    smaller = all(ratio >= 2 for ratio in ratios.values())
    measured = f"{ours:.3f} B a record; {_bytes_of(results, 'build-{}')}; to ours: {told or '-'}"
    return measured, ours <= 10.4 and smaller if ratios else ours <= 10.4


def _cold(results: Results) -> tuple[str, bool | None]:
    ours = results.of("cold-ours")
    told = (
        f"{ours['misses_key_and_class']:.0f} B, {ours['misses_pages']:.3f} pages; "
        f"on a match {ours['hits_all_fields']:.0f} B, {ours['hits_all_pages']:.3f} pages"
    )
    for name, one in results.of_peers("cold-{}").items():
        told += f"; {name} {one['misses_all_fields']:.0f} B"
        told += f", on a match {one['hits_all_fields']:.0f} B"
    if not ours["misses_key_and_class"]:
        return f"{told}; the disk's own cache was not seen to be read", None
    # A key that is a page's first one is looked for in two.
    return told, ours["misses_pages"] < 1.01 and ours["hits_all_pages"] < 2.01


def _warm_key(results: Results) -> tuple[str, bool | None]:
    return _warm(results, "ours, key and class")


def _warm_all(results: Results) -> tuple[str, bool | None]:
    return _warm(results, "ours")


def _warm(results: Results, which: str) -> tuple[str, bool | None]:
    one = results.of("warm")
    us = {which: one["us"][which], **{name: one["us"].get(name) for name in _WARM_GOALS}}
    told = [
        f"{name} {times['mixed']:.1f} µs ({times['hits']:.1f} hit, {times['misses']:.1f} miss)"
        for name, times in one["us"].items()
        if name == which or not name.startswith("ours")
    ]
    ratios = {name: us[which]["mixed"] / us[name]["mixed"] for name in _WARM_GOALS if us[name]}
    told += [f"to {name} {ratio:.2f} ×" for name, ratio in ratios.items()]
    told += [f"{name}: not run: {why}" for name, why in one["not_run"].items()]
    holds = all(ratio <= _WARM_GOALS[name] for name, ratio in ratios.items()) if ratios else None
    return "; ".join(told), holds


def _memory(results: Results) -> tuple[str, bool | None]:
    scans, keys = results.of("memory")["scans"], results.of("memory")["keys"]
    imports, opened = scans["imports_mb"] - scans["python_mb"], scans["open_mb"]
    numpy = "in it" if scans["with_numpy"] or keys["with_numpy"] else "not in it"
    told = (
        f"{scans['most_mb']:.1f} MB ({scans['scans']:,} scans, {scans['keys']:,} keys; of it "
        f"Python {scans['python_mb']:.1f}, imports {imports:.1f}, the open list "
        f"{opened - scans['imports_mb']:.1f}); look-ups alone, without what makes questions of "
        f"an MRZ: {keys['most_mb']:.1f} MB; NumPy {numpy}"
    )
    return told, scans["most_mb"] <= 40


def _build(results: Results) -> tuple[str, bool | None]:
    ours = results.of("build-ours")
    told = (
        f"{ours['build_cpu_s']:.1f} CPU s ({ours['build_wall_s']:.1f} s), "
        f"{ours['most_memory_mb']:.0f} MB"
    )
    theirs = results.of_peers("build-{}")
    for name, one in theirs.items():
        told += f"; {name} {one['build_cpu_s']:.1f} CPU s"
    within = ours["most_memory_mb"] <= MOST_MB
    if "sqlite" not in theirs:
        return told, within if not within else None
    ratio = theirs["sqlite"]["build_cpu_s"] / ours["build_cpu_s"]
    three = results.of_peers("build-{}-key3", ("sqlite",))
    for one in three.values():
        told += f"; sqlite with 3 bytes {one['build_cpu_s']:.1f} CPU s"
    rows = results.of("rows-alone")
    told += f"; sqlite to ours {ratio:.1f} × (of its time {rows['sqlite']:.1f} s make rows)"
    return told, ratio >= 8 and within


def _probes(results: Results) -> tuple[str, bool | None]:
    one = results.of("probes")
    alarms = one["by_page_alarms"] + one["looked_up_alarms"]
    told = (
        f"{alarms} in {one['by_page'] + one['looked_up']:,} "
        f"({one['by_page']:,} against every page, "
        f"{one['looked_up']:,} by look-up; {one['expected_in_all']:.1e} expected); "
        f"{one['expected_a_key']:.1e} a key, {one['expected_a_scan']:.1e} a scan of "
        f"{one['budget']} keys"
    )
    return told, alarms == 0 and one["expected_a_scan"] < 1e-8


def _csv(results: Results) -> tuple[str, bool | None]:
    small, large = results.of("csv-4"), results.of("csv-1")
    rows = {one: results.of(f"source-{one}")["rows"] for one in (4, 1)}
    each = [small["build_cpu_s"] / rows[4] * 1e6, large["build_cpu_s"] / rows[1] * 1e6]
    stages = ", ".join(
        f"{name} {seconds / rows[1] * 1e6:.2f}" for name, seconds in large["stage_cpu_s"].items()
    )
    told = (
        f"{rows[4]:,} rows {each[0]:.2f} µs a row, {rows[1]:,} rows {each[1]:.2f} µs a row "
        f"({stages}); {large['build_cpu_s']:.1f} CPU s ({large['build_wall_s']:.1f} s), "
        f"{large['most_mb']:.0f} MB; key store {large['key_store_to_bound']:.4f} × the bound"
    )
    # Fixed costs make a short file's rows dearer, never a long one's.
    return told, each[1] <= 1.1 * each[0] and large["most_mb"] <= MOST_MB


def _delta(results: Results) -> tuple[str, bool | None]:
    published, made = results.of("publish"), results.of("make-delta")
    ratios = [size / least for size, least in _sizes(published)]
    told = (
        f"{published['sizes'][0] / 1e6:.3f} MB for {published['adds']:,} adds and "
        f"{published['removals'][0]:,} removals, the largest of {len(ratios)} days "
        f"{max(published['sizes']) / 1e6:.3f} MB; {max(ratios):.3f} × the entropy at most; made "
        f"from two whole versions in {made['make_cpu_s']:.1f} CPU s ({made['make_wall_s']:.1f} s), "
        f"{made['most_memory_mb']:.0f} MB"
        f"{'' if made['same'] else ', and OTHER than what is known to have changed'}"
    )
    small = max(published["sizes"]) <= 1.2e6
    return told, small and max(ratios) <= 1.15 and made["same"]


def _apply(results: Results) -> tuple[str, bool | None]:
    published, applied = results.of("publish"), results.of("apply")
    first, last = applied["days"][0], applied["days"][-1]
    arrived = applied["root"] == published["root_after"]
    told = (
        f"first day {_applied(first)}, day {len(applied['days'])} {_applied(last)}, "
        f"{applied['most_mb']:.0f} MB; {'' if arrived else 'NOT '}the version that was published"
    )
    for name, one in results.of_peers("update-{}").items():
        told += (
            f"; {name} the first day {one['written_bytes'] / 1e6:.1f} MB written, "
            f"{one['update_cpu_s']:.1f} CPU s ({one['update_wall_s']:.1f} s)"
        )
    return told, arrived


def _applied(day: Json) -> str:
    written = day["written_bytes"] / 1e6
    return f"{written:.1f} MB written, {day['cpu_s']:.1f} CPU s ({day['wall_s']:.1f} s)"


def _fold(results: Results) -> tuple[str, bool | None]:
    folded, scratch = results.of("fold"), results.of("scratch")
    reader = results.of("memory-overlay")["scans"]["most_mb"]
    same, above = folded["base"] == scratch["base"], folded["most_mb"] - reader
    told = (
        f"{'bit-identical' if same else 'OTHER root'}, {folded['records']:,} records; "
        f"{folded['fold_cpu_s']:.1f} CPU s ({folded['fold_wall_s']:.1f} s), "
        f"{folded['most_mb']:.0f} MB, {above:.0f} above the reader; from scratch "
        f"{scratch['build_cpu_s']:.1f} CPU s"
    )
    return told, same and above <= 64


def _cold_overlay(results: Results) -> tuple[str, bool | None]:
    one = results.of("cold-overlay")
    told = (
        f"{one['misses_all_fields']:.0f} B, {one['misses_all_pages']:.3f} pages; on a match "
        f"{one['hits_all_fields']:.0f} B, {one['hits_all_pages']:.3f} pages"
    )
    return told, one["misses_all_pages"] < 2.01 and one["hits_all_pages"] < 3.01


def _memory_overlay(results: Results) -> tuple[str, bool | None]:
    scans = results.of("memory-overlay")["scans"]
    return f"{scans['most_mb']:.1f} MB", scans["most_mb"] <= 40


def _sizes(published: Json) -> list[tuple[int, float]]:
    return list(zip(published["sizes"], published["entropy"], strict=True))


def _possible(results: Results) -> tuple[str, bool | None]:
    one = results.of("possible")
    means = ", ".join(
        f"{mean['reckoned']:.2%} at {size // 1_000_000} M records"
        for size, mean in zip(one["sizes"], one["means"], strict=True)
    )
    why = ", ".join(f"{why} {rate:.2%}" for why, rate in one["means"][0]["by_reason"].items())
    return f"{means} ({why}), {one['mean_keys']:.0f} keys a scan; by format below", None


def _per_record(results: Results, one: Json) -> float:
    size: int = one["bytes"]
    return size / results.settings.records


def _bytes_of(results: Results, stage: str) -> str:
    theirs = results.of_peers(stage)
    told = [f"{name} {_per_record(results, one):.2f}" for name, one in theirs.items()]
    return ", ".join(told) or "no peer"


_ROWS: tuple[tuple[str, str, Row], ...] = (
    ("key store, with directory and hashes", "≤ 1.03 × the bound", _key_store),
    ("key and class", "≤ 6.2 B a record", _key_and_class),
    (
        "everything (with date and tag)",
        "≤ 10.4 B a record, SQLite and LMDB at least 2 × larger",
        _everything,
    ),
    (
        "read from the disk per key, cold",
        "one 4 KiB page, one more on a match",
        _cold,
    ),
    ("warm look-up, verified, key and class", "≤ 5 × LMDB, ≤ 2 × SQLite", _warm_key),
    ("warm look-up, date and tag of a match too", "≤ 5 × LMDB, ≤ 2 × SQLite", _warm_all),
    ("memory of a process that only looks up", "≤ 40 MB", _memory),
    ("build from sorted keys", "≤ 1/8 of SQLite's CPU time, ≤ 512 MB", _build),
    ("build from CSV, CPU time by stage", "linear in rows, ≤ 512 MB", _csv),
    ("a day's delta, all fields", "≤ 1.2 MB, ≤ 1.15 × its entropy", _delta),
    ("applying a day", "as published", _apply),
    ("the same, cold, with an overlay", "two pages, one more on a match", _cold_overlay),
    ("the same memory with an overlay", "≤ 40 MB", _memory_overlay),
    (
        "folding the days",
        "bit-identical to a build from scratch, ≤ 64 MB above the reader",
        _fold,
    ),
    ("random probes", "0 false alarms, < 1e-8 expected a scan", _probes),
    ("POSSIBLE for a clean traveller", "computed", _possible),
)
