"""Names as an MRZ writes them: split, transliterated, cut (Doc 9303-3 §4.6 and §6, 9303-4 §4.2.3).

Surname and given names are parted by two fillers, components by one. A name that reaches the last
position must be taken as cut, even where it is not. Reading never guesses what a transliteration
stood for; writing uses one of the variants that the Doc recommends.
"""

import re
import unicodedata
from collections.abc import Sequence

from scanner.mrz.check_digits import FILLER
from scanner.mrz.reading import UNKNOWN

SEPARATOR = FILLER * 2

_SPECIAL = str.maketrans(
    {
        "Ä": "AE",
        "Å": "AA",
        "Æ": "AE",
        "Ð": "D",
        "Đ": "D",
        "Ħ": "H",
        "Ĳ": "IJ",
        "Ŀ": "L",
        "Ł": "L",
        "Ŋ": "N",
        "Ö": "OE",
        "Ø": "OE",
        "Œ": "OE",
        "ẞ": "SS",
        "Ŧ": "T",
        "Þ": "TH",
        "Ü": "UE",
    }
)
"""Latin letters that are not simply their base letter (Doc 9303-3 §6 A)."""

_BETWEEN_COMPONENTS = re.compile(r"[\s,<\-\u2010\u2011]+")


def split(field: str) -> tuple[str, str]:
    """Surname and given names, components parted by a space; either may be empty."""
    surname, _, given_names = field.partition(SEPARATOR)
    return spaced(surname), spaced(given_names)


def spaced(field: str) -> str:
    """The components of a field, parted by one space."""
    return " ".join(field.replace(FILLER, " ").split())


def reaches_the_end(field: str) -> bool:
    """Whether a letter stands in the last position, so that the name may have been cut."""
    return field[-1] not in (FILLER, UNKNOWN)


def transliterated(name: str) -> str:
    """A name in MRZ letters, components parted by a space: apostrophes and other punctuation
    vanish, hyphens, commas and spaces part. ValueError for letters that are not Latin."""
    composed = unicodedata.normalize("NFC", name).upper().translate(_SPECIAL)
    plain = unicodedata.normalize("NFD", _BETWEEN_COMPONENTS.sub(" ", composed))
    letters = []
    for character in plain:
        category = unicodedata.category(character)[0]
        if character == " " or (character.isascii() and character.isalnum()):
            letters.append(character)
        elif category not in "MPS":
            raise ValueError("a name must be given in Latin letters")
    return " ".join("".join(letters).split())


def cut(surname: str, given_names: str, width: int) -> tuple[str, str]:
    """The names as they fit in a field, with a letter of each kept and the last position a letter
    where anything was cut (Doc 9303-4 §4.2.3). ValueError where that cannot be done."""
    if not given_names:
        return cut_one(surname, width), ""
    if len(surname) + len(SEPARATOR) + len(given_names) <= width:
        return surname, given_names
    surname = cut_one(surname, width - len(SEPARATOR) - 1)
    try:
        return surname, cut_one(given_names, width - len(SEPARATOR) - len(surname))
    except ValueError:
        if len(surname) < 2:
            raise
        surname = cut_one(surname, len(surname) - 1)
        return surname, cut_one(given_names, width - len(SEPARATOR) - len(surname))


def cut_one(name: str, width: int) -> str:
    """A name of space-parted components in at most `width` characters. Where it must be cut it
    fills them all and ends in a letter: the last component is cut, and where only its separator
    would fit, an earlier component gives up a letter for its initial."""
    if len(name) <= width:
        return name
    if name[width - 1] != " ":
        return name[:width]
    components = name[: width - 1].split()
    return " ".join(_shortened(components)) + " " + name[width]


def _shortened(components: Sequence[str]) -> list[str]:
    longest = max(range(len(components)), key=lambda i: len(components[i]))
    if len(components[longest]) == 1:
        raise ValueError("a name of single letters alone cannot be cut to its field")
    return [component[:-1] if i == longest else component for i, component in enumerate(components)]
