"""The figures of a run beside their goals."""

from statistics import mean

from benchmarks.listing.change_rows import kills_by
from benchmarks.listing.results import Results, Row
from benchmarks.listing.settings import Json
from benchmarks.listing.stages import UPDATED

KEPT_DAYS = 64
_DAY_MB, _BEHIND_MB = 1.25, 1.2
_LESS_WRITTEN = 12
_SENT_AGAIN, _MEMORY_MB = 0.001, 64


def day(results: Results) -> tuple[str, bool | None]:
    days = _days(results)
    first, largest = days[0], max(days, key=lambda one: one["sent"])
    told = (
        f"first day {_mb(first['sent'])}, the largest of {len(days)} days {_mb(largest['sent'])}, "
        f"of it metadata {_mb(largest['sent'] - largest['delta'])}, delta {_mb(largest['delta'])}"
    )
    return told, largest["sent"] <= _DAY_MB * 1e6 and _all_arrived(days)


def written(results: Results) -> tuple[str, bool | None]:
    days, folds = _days(results), results.of("days")["folds"]
    cycle = days[: max(folds)] if folds else days
    first, each = days[0]["written_bytes"], mean(one["written_bytes"] for one in cycle)
    told = f"first day {_mb(first)}; on average of {len(cycle)} days"
    told += f", {len(folds)} of them with a fold," if folds else ", no fold among them,"
    told += f" {_mb(each)}"
    theirs = results.of_peers("update-{}", UPDATED)
    for name, one in theirs.items():
        by = one["written_bytes"]
        told += f"; {name} {_mb(by)}: {by / first:.0f} × the first, {by / each:.1f} × the average"
    if not theirs:
        return f"{told}; no peer beside it", None
    least = min(one["written_bytes"] for one in theirs.values())
    return told, least >= _LESS_WRITTEN * each if folds else None


def behind(results: Results) -> tuple[str, bool | None]:
    one = results.of("catch-up")
    near = [device for device in one["devices"] if device["behind"] <= KEPT_DAYS]
    each = ", ".join(f"{device['behind']}: {_mb(device['sent'])}" for device in near)
    metadata = near[0]["sent"] - one["steps"][0]
    deltas = [size for size in one["steps"] if size][:KEPT_DAYS]
    most = max((metadata + sum(deltas[:days])) / days for days in range(1, len(deltas) + 1))
    told = f"days behind: {each}; by the sizes of all steps at most {_mb(most)} a day behind"
    by_steps = all((device["outcome"], device["code"]) == ("updated", "") for device in near)
    return told, by_steps and most <= _BEHIND_MB * 1e6


def beyond(results: Results) -> tuple[str, bool | None]:
    far = [one for one in results.of("catch-up")["devices"] if one["behind"] > KEPT_DAYS]
    if not far:
        return "not measured: the run has fewer days", None
    told = "; ".join(
        f"{one['behind']} days: {_mb(one['sent'])}, {one['outcome']} ({one['code'] or 'by steps'})"
        for one in far
    )
    return told, all((one["outcome"], one["code"]) == ("updated", "whole") for one in far)


def cut(results: Results) -> tuple[str, bool | None]:
    one = results.of("whole")
    ours, clean = one["cut"], one["clean"]
    again = ours["sent"] - clean["sent"]
    above = ours["most_mb"] - ours["start_mb"]
    told = (
        f"{one['whole_bytes'] / 2**30:.2f} GiB, {ours['cuts']} cuts, {ours['attempts']} attempts, "
        f"{ours['outcome']}; {again:,} B more sent than without cuts "
        f"({again / clean['sent']:.4%}); memory {ours['most_mb']:.0f} MB, {above:.0f} above the "
        f"start; {ours['wall_s']:.0f} s ({ours['cpu_s']:.0f} CPU s)"
    )
    good = ours["outcome"] == "updated" and ours["cuts"] >= 25
    return told, good and again <= _SENT_AGAIN * clean["sent"] and above <= _MEMORY_MB


def fleet(results: Results) -> tuple[str, bool | None]:
    one = results.of("fleet")
    told = (
        f"{one['updated']:,} of {one['devices']:,} updated in {one['seconds']:.0f} s, "
        f"{one['at_once']} at once on one machine, a list of {one['records']:,}; the server sent "
        f"{_mb(one['sent'])}, {one['sent'] / one['devices'] / 1e6:.3f} MB a device, in "
        f"{one['requests']:,} answers and {one['server_cpu_s']:.0f} CPU s; a device's median "
        f"{one['median_s']:.1f} s, the slowest tenth {one['slowest_tenth_s']:.1f} s"
    )
    return told, one["updated"] == one["devices"]


def _days(results: Results) -> list[Json]:
    """Without the first fetch of the whole list."""
    days: list[Json] = results.of("days")["days"][1:]
    return days


def _all_arrived(days: list[Json]) -> bool:
    return all(one["arrived"] for one in days)


def _mb(count: float) -> str:
    return f"{count / 1e6:,.3f} MB" if count < 10e6 else f"{count / 1e6:,.0f} MB"


def _kills(results: Results) -> tuple[str, bool | None]:
    return kills_by("tests/updates/kill_torture.py", "over-the-air")


ROWS: tuple[tuple[str, str, Row], ...] = (
    ("a day with all metadata", f"≤ {_DAY_MB} MB", day),
    (
        "written to the card for a day, folds and metadata included",
        f"≥ {_LESS_WRITTEN} × less than LMDB or SQLite",
        written,
    ),
    ("catching up by daily deltas", f"≤ {_BEHIND_MB} MB a day behind", behind),
    (f"catching up from further behind than {KEPT_DAYS} days", "the base", beyond),
    ("a base over a link that is cut 25 times", "≤ 0.1 % sent again, ≤ 64 MB of memory", cut),
    ("a fleet at one static server", "bytes and time", fleet),
    ("kill -9 at random moments of an update", "0 wrong answers, 0 trust rolled back", _kills),
)
