"""Figures about building from a source, changing day by day, and what a clean traveller meets."""

import json
from collections import Counter
from pathlib import Path

from benchmarks.listing.results import MOST_MB, Results
from benchmarks.listing.settings import Json

_TORTURE = Path(__file__).resolve().parents[2] / "build" / "torture"
_OUR_STAGES = ("build-ours", "csv-4", "csv-1", "make-delta", "apply", "fold", "scratch")


def csv(results: Results) -> tuple[str, bool | None]:
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


def stages_memory(results: Results) -> tuple[str, bool | None]:
    most = {stage: results.of(stage)["most_memory_mb"] for stage in _OUR_STAGES}
    told = ", ".join(f"{stage} {mb:.0f}" for stage, mb in most.items())
    return f"{told} MB", max(most.values()) <= MOST_MB


def delta(results: Results) -> tuple[str, bool | None]:
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


def apply(results: Results) -> tuple[str, bool | None]:
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


def fold(results: Results) -> tuple[str, bool | None]:
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


def cold_overlay(results: Results) -> tuple[str, bool | None]:
    one = results.of("cold-overlay")
    told = (
        f"{one['misses_all_fields']:.0f} B, {one['misses_all_pages']:.3f} pages; on a match "
        f"{one['hits_all_fields']:.0f} B, {one['hits_all_pages']:.3f} pages"
    )
    return told, one["misses_all_pages"] < 2.01 and one["hits_all_pages"] < 3.01


def memory_overlay(results: Results) -> tuple[str, bool | None]:
    scans = results.of("memory-overlay")["scans"]
    return f"{scans['most_mb']:.1f} MB", scans["most_mb"] <= 40


def _sizes(published: Json) -> list[tuple[int, float]]:
    return list(zip(published["sizes"], published["entropy"], strict=True))


def kills(results: Results) -> tuple[str, bool | None]:
    """Killing has programs of its own; this tells what they have come to on this machine."""
    return kills_by("tests/lists/build_torture.py and update_torture.py", "builds", "updates")


def kills_by(programs: str, *folders: str) -> tuple[str, bool | None]:
    """What programs that kill have counted, in these folders of build/torture."""
    counts: Counter[str] = Counter()
    for path in sorted(
        one for folder in folders for one in (_TORTURE / folder).glob("shard-*.json")
    ):
        counts.update(json.loads(path.read_text(encoding="utf-8")))
    told = f"not measured in this run: {programs} kill, and stop at a fault"
    if not counts:
        return f"{told}; they have left no tally in build/torture", None
    parts = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
    return f"{told}; their tally in build/torture: {counts.total()} kills ({parts})", None


def possible(results: Results) -> tuple[str, bool | None]:
    one = results.of("possible")
    means = ", ".join(
        f"{mean['reckoned']:.2%} at {size // 1_000_000} M records"
        for size, mean in zip(one["sizes"], one["means"], strict=True)
    )
    why = ", ".join(f"{why} {rate:.2%}" for why, rate in one["means"][0]["by_reason"].items())
    return f"{means} ({why}), {one['mean_keys']:.0f} keys a scan; by format below", None
