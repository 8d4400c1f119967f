"""What is printed: documents of people who do not exist, and strips of text to learn letters from.

A network learns the language of its texts as well as their shapes. Real-looking names and numbers
are only a part, so that it reads what is printed and not what it expects: the rest are characters
drawn at random, and runs of nothing but those that look alike.
"""

import numpy as np

from scanner.mrz.check_digits import check_digit
from scanner.mrz.document import Format
from scanner.mrz.layouts import CHARACTERS, DIGITS, LAYOUTS, LETTERS, Layout
from scanner.mrz.states import CODES

_VOWELS, _CONSONANTS = "AAAEEEIIOOUY", "BCDFGHJKKLLMMNNPRRSSTTVWXZ"
_ALIKE = (
    "0ODQ",
    "1IL",
    "2Z",
    "5S",
    "8B6G",
    "CG",
    "UV",
    "MNWH",
    "VY",
    "3B8",
    "4A",
    "7T1",
    "K<X",
    "EF",
    "PR",
    "<C",
    "<K",
    "O0",
)
_CODES = {
    Format.TD1: ("I<", "ID", "C<", "A<", "IR", "AC", "IP", "CI"),
    Format.TD2: ("I<", "ID", "C<", "A<", "IR"),
    Format.TD3: ("P<", "P<", "P<", "PP", "PD", "PO", "PS", "PE", "PM", "PN"),
    Format.MRV_A: ("V<", "VA", "VC", "VN"),
    Format.MRV_B: ("V<", "VB", "VC"),
    Format.FRA_ID: ("ID",),
}
_WEIGHTS = {
    Format.TD3: 0.5,
    Format.TD1: 0.24,
    Format.TD2: 0.09,
    Format.MRV_A: 0.08,
    Format.MRV_B: 0.05,
    Format.FRA_ID: 0.04,
}


def document(rng: np.random.Generator) -> tuple[str, ...]:
    """The lines of a document; one in seventeen has a wrong check digit printed."""
    formats = list(_WEIGHTS)
    format_ = formats[rng.choice(len(formats), p=list(_WEIGHTS.values()))]
    layout = LAYOUTS[format_]
    lines = [list("<" * layout.width) for _ in range(layout.height)]
    for name, field in layout.fields.items():
        span = field.span
        value = _value(rng, format_, name, span.length)
        lines[span.line][span.start : span.start + span.length] = value
    if format_ is Format.FRA_ID:
        lines[0][2:5] = "FRA"
    elif rng.random() < 0.8:  # the nationality is most often the issuer's
        place = layout.fields["nationality"].span
        lines[place.line][place.start : place.start + 3] = lines[0][2:5]
    _fill_checks(rng, layout, lines)
    return tuple("".join(line) for line in lines)


def strip_text(rng: np.random.Generator, length: int) -> str:
    """So many characters as they might stand side by side."""
    kind = rng.random()
    if kind < 0.45:
        line = "".join(document(rng)[rng.integers(2)])
        if length >= len(line):
            return line
        start = rng.integers(len(line) - length + 1)
        return line[start : start + length]
    if kind < 0.75:
        return "".join(rng.choice(list(CHARACTERS), length))
    if kind < 0.9:
        group = _ALIKE[rng.integers(len(_ALIKE))]
        return "".join(rng.choice(list(group), length))
    mixed = "0O0O0O1IL2Z5S8B6GDQUVCG" + DIGITS + LETTERS
    return "".join(rng.choice(list(mixed), length))


def _value(rng: np.random.Generator, format_: Format, name: str, length: int) -> str:
    if name == "code":
        codes = _CODES[format_]
        return codes[rng.integers(len(codes))]
    if name in ("issuer", "nationality"):
        codes = list(CODES)
        return str(codes[rng.integers(len(codes))])[:3].ljust(3, "<")
    if name in ("birth_date", "expiry_date"):
        year, month, day = rng.integers(100), rng.integers(1, 13), rng.integers(1, 29)
        return f"{year:02}{month:02}{day:02}" if rng.random() < 0.985 else "<" * length
    if name == "sex":
        return "MF<X"[rng.choice(4, p=(0.46, 0.46, 0.07, 0.01))]
    if name == "number":
        return _number(rng, length)
    if name in ("optional", "optional_2"):
        return _optional(rng, length)
    if name in ("surname", "given_names"):
        return _word(rng)[:length].ljust(length, "<")
    return _names(rng, length)


def _number(rng: np.random.Generator, length: int) -> str:
    shape = rng.random()
    letters = 0 if shape < 0.35 else int(rng.integers(1, 3)) if shape < 0.75 else -1
    used = length if rng.random() < 0.8 else int(rng.integers(max(5, length - 3), length + 1))
    if letters < 0:
        body = "".join(rng.choice(list(DIGITS + LETTERS), used))
    else:
        head = "".join(rng.choice(list(LETTERS), letters)) if letters else ""
        body = head + "".join(rng.choice(list(DIGITS), used - letters))
    return body.ljust(length, "<")


def _optional(rng: np.random.Generator, length: int) -> str:
    kind = rng.random()
    if kind < 0.5:
        return "<" * length
    used = int(rng.integers(1, length + 1))
    alphabet = DIGITS if kind < 0.75 else DIGITS + LETTERS if kind < 0.9 else CHARACTERS
    return "".join(rng.choice(list(alphabet), used)).ljust(length, "<")


def _names(rng: np.random.Generator, length: int) -> str:
    surname = "<".join(_word(rng) for _ in range(1 + (rng.random() < 0.25)))
    given = "<".join(_word(rng) for _ in range(int(rng.integers(1, 4))))
    kind = rng.random()
    text = given if kind < 0.03 else f"<<{given}" if kind < 0.04 else f"{surname}<<{given}"
    return text[:length].ljust(length, "<")


def _word(rng: np.random.Generator) -> str:
    if rng.random() < 0.12:
        return "".join(rng.choice(list(LETTERS), int(rng.integers(2, 10))))
    length = int(rng.integers(2, 11))
    first = int(rng.integers(2))
    pools = (_CONSONANTS, _VOWELS)
    return "".join(
        pools[(first + i) % 2][rng.integers(len(pools[(first + i) % 2]))] for i in range(length)
    )


def _fill_checks(rng: np.random.Generator, layout: Layout, lines: list[list[str]]) -> None:
    wrong = rng.random() < 0.06
    checks = list(layout.checks.items())
    victim = rng.integers(len(checks))
    for i, (name, check) in enumerate(checks):
        text = ["".join(line) for line in lines]
        data = check.data(text)
        digit = str(check_digit(data))
        if name == "optional" and not data.strip("<") and rng.random() < 0.5:
            digit = "<"
        if wrong and i == victim:
            digit = str((int(digit.replace("<", "0")) + rng.integers(1, 10)) % 10)
        lines[check.place.line][check.place.start] = digit
