"""A run's figures as Markdown: the table, the rates by format, what the figures mean and what was
not measured."""

from collections.abc import Sequence

from benchmarks.listing.figures import Figure
from benchmarks.listing.settings import Json, Settings

SAYS = """\
All in one run, every stage in a process of its own, one after the other. CPU seconds are those of
the process, all threads, user and system; beside them, in brackets, wall time.
key store: pages of keys with their directory (28 bytes a page: first key, rank, digest), without
the class byte that stands between them; the bound is n (64 - log2 n + 1.44) bits.
keys: uniform 64-bit numbers drawn from a seed, as a keyed hash gives them whatever it is given; no
two are equal. Numbers in national formats, hashed by the list's key, are what the stage csv has.
peers: a key of 8 bytes and 5 of class, tag and day (key and 3 bytes: the first 3 of them), filled
in order, with no journal and no syncing, from rows that Python makes for all of them alike.
cold: every file of the store dropped from the machine's cache, then keys asked, all different, in
one process; bytes are the kernel's own count of what it had to read (/proc/self/io).
warm: CPU time a key, the median of 7 rounds in turn over the same keys, half of them listed, in
one process; ours with every page's digest verified, theirs not verified.
POSSIBLE: the assumptions are those of benchmarks/listing/formats.py: which States, which formats,
how many were issued, and that a listed document is as likely any of them."""

NOT_MEASURED = (
    "Not measured: an SD card and a Raspberry Pi (this machine's disk and processor stand in; "
    "bytes read and ratios carry over, times do not); a real list, which nobody publishes; peers "
    "with several keys equal; RocksDB with a Bloom filter."
)


def markdown(settings: Settings, figures: Sequence[Figure]) -> str:
    """The whole of what is printed."""
    told = [
        f"## {settings.records:,} records, seed {settings.seed}",
        "",
        *table(figures),
        "",
    ]
    rates = settings.result("possible")
    if rates is not None:
        told += [*_by_group(rates), "", *_by_format(rates), ""]
    return "\n".join([*told, SAYS, NOT_MEASURED])


def table(figures: Sequence[Figure]) -> list[str]:
    """The lines of a table of figures."""
    return [
        "| figure | goal | measured | holds |",
        "|---|---|---|---|",
        *(f"| {one.name} | {one.goal} | {one.measured} | {_holds(one)} |" for one in figures),
    ]


def _holds(figure: Figure) -> str:
    if figure.holds is None:
        return "-"
    return "yes" if figure.holds else "**no**"


def _by_group(rates: Json) -> list[str]:
    heads = " | ".join(f"{size // 1_000_000} M records" for size in rates["sizes"])
    lines = [f"| numbers of | issued, M | {heads} |", "|" + "---|" * (2 + len(rates["sizes"]))]
    for one in rates["groups"]:
        means = " | ".join(f"{mean:.3%}" for mean in one["means"])
        lines.append(f"| {one['name']} | {one['issued'] / 1e6:.0f} | {means} |")
    return lines


def _by_format(rates: Json) -> list[str]:
    sizes: list[int] = rates["sizes"]
    heads = [f"{size // 1_000_000} M: reckoned, counted, why" for size in sizes[:1]]
    heads += [f"{size // 1_000_000} M: reckoned, counted" for size in sizes[1:]]
    lines = [
        "| format (9 a digit, A a letter, C no vowels, N no O) | issued, M | keys | "
        + " | ".join(heads)
        + " |",
        "|" + "---|" * (3 + len(sizes)),
    ]
    for one in rates["series"]:
        first, *others = one["rates"]
        why = ", ".join(f"{why} {rate:.2%}" for why, rate in first["by_reason"].items())
        cells = [f"{first['reckoned']:.2%}, {first['counted']:.2%}{': ' if why else ''}{why}"]
        cells += [f"{rate['reckoned']:.3%}, {rate['counted']:.3%}" for rate in others]
        lines.append(
            f"| {one['name']} | {one['issued'] / 1e6:.0f} | {one['keys']:.0f} | "
            + " | ".join(cells)
            + " |"
        )
    return lines
