"""Which layout lines have.

Width, number of lines and the first character say it, but for two cases that only check digits can
settle: the old French identity card (`IDFRA`, 2 × 36) against a TD2 issued by France, which is
taken for the former unless its check digits speak for the latter; and an unknown first character.
"""

from collections.abc import Sequence

from scanner.mrz.check_digits import holds
from scanner.mrz.document import Checks, Format
from scanner.mrz.document_numbers import ReadNumber, read_number
from scanner.mrz.layouts import LAYOUTS, Layout
from scanner.mrz.reading import UNKNOWN

OLD_FRENCH = "IDFRA"


def choose(lines: Sequence[str]) -> Layout:
    """The layout of lines whose number and width fit one (`layouts.WIDTHS`)."""
    layouts = [LAYOUTS[format_] for format_ in candidates(len(lines[0]), lines[0])]
    if len(layouts) == 1:
        return layouts[0]
    return max(layouts, key=lambda layout: _fit(layout, lines))


def read_checks(layout: Layout, lines: Sequence[str], number: ReadNumber) -> Checks:
    """Every check digit of lines of the layout's size."""
    verified = {
        name: holds(check.data(lines), check.printed(lines))
        for name, check in layout.checks.items()
        if name != "number"
    }
    return Checks(number=number.check, **verified)


def candidates(width: int, first: str) -> Sequence[Format]:
    """The formats that lines of that width may have, by their first one, the likeliest first."""
    if width == 30:
        return (Format.TD1,)
    if first[0] == "V":
        return (Format.MRV_A,) if width == 44 else (Format.MRV_B,)
    if width == 44:
        return (Format.TD3, Format.MRV_A) if first[0] == UNKNOWN else (Format.TD3,)
    old_french = all(a in (b, UNKNOWN) for a, b in zip(first, OLD_FRENCH, strict=False))
    if first[0] == UNKNOWN:
        return (Format.TD2, Format.MRV_B, *((Format.FRA_ID,) if old_french else ()))
    return (Format.FRA_ID, Format.TD2) if old_french else (Format.TD2,)


def _fit(layout: Layout, lines: Sequence[str]) -> tuple[float, int]:
    """The share of known check digits that hold, then how few characters are out of place."""
    checks = read_checks(layout, lines, read_number(layout, lines))
    known = [check for check in vars(checks).values() if check is not None]
    out_of_place = sum(layout.misfits(i, line) for i, line in enumerate(lines))
    return sum(known) / len(known) if known else 0.0, -out_of_place
