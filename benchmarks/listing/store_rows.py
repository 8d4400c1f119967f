"""Figures about the store: its size, what a look-up costs, and building it."""

from benchmarks.listing.results import (
    DIRECTORY_BYTES_A_PAGE,
    MOST_MB,
    Results,
    bound_bytes,
)
from benchmarks.listing.settings import Json

_WARM_GOALS = {"lmdb": 5, "sqlite": 2}


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


def key_store(results: Results) -> tuple[str, bool | None]:
    ours, bound = key_store_bytes(results), bound_bytes(results.settings.records)
    return f"{ours:.3f} B a record, {ours / bound:.4f} × {bound:.3f} B", ours <= 1.03 * bound


def key_and_class(results: Results) -> tuple[str, bool | None]:
    ours = key_store_bytes(results) + 1
    theirs = _bytes_of(results, "build-{}-key3")
    return f"{ours:.3f} B a record; key and 3 bytes: {theirs}", ours <= 6.2


def everything(results: Results) -> tuple[str, bool | None]:
    ours = all_bytes(results)
    theirs = results.of_peers("build-{}", ("sqlite", "lmdb"))
    ratios = {name: _per_record(results, one) / ours for name, one in theirs.items()}
    told = ", ".join(f"{name} {ratio:.2f} ×" for name, ratio in ratios.items())
    smaller = all(ratio >= 2 for ratio in ratios.values())
    measured = f"{ours:.3f} B a record; {_bytes_of(results, 'build-{}')}; to ours: {told or '-'}"
    return measured, ours <= 10.4 and smaller if ratios else ours <= 10.4


def cold(results: Results) -> tuple[str, bool | None]:
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


def warm_key(results: Results) -> tuple[str, bool | None]:
    return _warm(results, "ours, key and class")


def warm_all(results: Results) -> tuple[str, bool | None]:
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


def memory(results: Results) -> tuple[str, bool | None]:
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


def build(results: Results) -> tuple[str, bool | None]:
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


def probes(results: Results) -> tuple[str, bool | None]:
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


def _per_record(results: Results, one: Json) -> float:
    size: int = one["bytes"]
    return size / results.settings.records


def _bytes_of(results: Results, stage: str) -> str:
    theirs = results.of_peers(stage)
    told = [f"{name} {_per_record(results, one):.2f}" for name, one in theirs.items()]
    return ", ".join(told) or "no peer"
