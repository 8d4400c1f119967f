"""The figures as a table in Markdown: a row a figure, a column a reader."""

from collections.abc import Callable, Sequence

from benchmarks.reading.contest import Contestant
from benchmarks.reading.marks import Score, score

COLUMNS_SAY = """\
sure: status *read*; for a reader without a status, that every check digit in its lines holds.
time: from decoded pixels to lines, one thread, the reader loaded; ratio: its median over ours.
first reading: from the start of a fresh process to its answer on one page, files cached; the
median of 3.
memory: resident pages of the process and what it starts, at their most, in MB; in brackets without
what Python, NumPy and the library that opens pictures had before the reader was loaded."""

NOT_MEASURED = (
    "Not measured: the camera and its document-present test (pages come from files); the time to "
    "open a file; more than one thread; other machines than this one. Pages without lines of "
    "their own are left out, unless no page has any. A corpus says how a reader does on its "
    "pages, not how it does on documents at large."
)

Cell = Callable[[Contestant, Score], str]


def markdown(contestants: Sequence[Contestant], no_mrz: bool) -> str:
    """The table, and below it who was not run and why, and what was wrongly sure."""
    ran = [one for one in contestants if one.marks]
    figures = {one.name: score(list(one.marks.values())) for one in ran}
    base = next((figures[one.name].median_ms for one in ran if one.ours), None)
    rows = _NONE_ROWS if no_mrz else _ROWS
    cells = [["", *(one.title for one in ran)]]
    for told, cell in (*rows, *_time_rows(base)):
        cells.append([told, *(cell(one, figures[one.name]) for one in ran)])
    lines = _aligned(cells) if ran else []
    lines += [f"\nnot run: {one.title}: {one.not_run}" for one in contestants if one.not_run]
    for one in ran:
        wrong = figures[one.name].sure_but_wrong
        if one.ours and wrong:
            lines.append(f"\nsure but wrong, {one.title}: {', '.join(wrong)}")
        if one.from_before:
            lines.append(f"\n{one.title}: {one.from_before} pages were read in an earlier run")
    return "\n".join(lines)


def _aligned(cells: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    told = []
    for row in cells:
        first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        told.append(f"| {' | '.join([first, *rest])} |")
    told.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    return told


def _share(count: int, figures: Score) -> str:
    return f"{count} ({count / figures.pages:.1%})"


_ROWS: tuple[tuple[str, Cell], ...] = (
    ("pages", lambda one, s: str(s.pages)),
    ("every line exact", lambda one, s: _share(s.lines_exact, s)),
    ("document number exact", lambda one, s: _share(s.number_exact, s)),
    ("mean character error", lambda one, s: f"{s.mean_character_error:.2%}"),
    ("sure", lambda one, s: _share(s.sure, s)),
    ("sure but wrong", lambda one, s: str(len(s.sure_but_wrong))),
    ("doubtful", lambda one, s: str(s.doubtful)),
    ("unreadable", lambda one, s: str(s.unreadable)),
)

_NONE_ROWS: tuple[tuple[str, Cell], ...] = (
    ("pictures without an MRZ", lambda one, s: str(s.pages)),
    ("documents reported", lambda one, s: str(s.sure + s.doubtful)),
    ("of these sure", lambda one, s: str(s.sure)),
)


def _time_rows(base: float | None) -> tuple[tuple[str, Cell], ...]:
    def ratio(one: Contestant, figures: Score) -> str:
        return f"{figures.median_ms / base:.1f}" if base else "-"

    return (
        ("median ms", lambda one, s: f"{s.median_ms:.0f}"),
        ("median ms where exact", lambda one, s: _ms(s.median_ms_where_exact)),
        ("90th percentile ms", lambda one, s: f"{s.ninth_decile_ms:.0f}"),
        ("ratio to ours", ratio),
        ("first reading ms", lambda one, s: _ms(one.cold_ms)),
        ("memory MB", lambda one, s: _memory(one)),
    )


def _ms(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f}"


def _memory(one: Contestant) -> str:
    if not one.peak_mb:
        return "-"
    own = f" ({one.peak_mb - one.before_mb:.0f})" if one.before_mb else ""
    return f"{one.peak_mb:.0f}{own}"
