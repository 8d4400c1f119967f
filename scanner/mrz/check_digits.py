"""Check digits: a sum of character values under the weights 7, 3, 1, modulo 10 (Doc 9303-3 §4.9).

They are a filter, not a proof. Values count modulo 10, so a swap of two characters whose values
agree there changes nothing, and two swaps can cancel: see `confusables`.
"""

from scanner.mrz.reading import UNKNOWN

FILLER = "<"

VALUES: dict[str, int] = {
    FILLER: 0,
    **{digit: ord(digit) - ord("0") for digit in "0123456789"},
    **{letter: ord(letter) - ord("A") + 10 for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
}
"""What each of the 37 characters counts (Doc 9303-3 §4.9)."""

WEIGHTS = (7, 3, 1)


def check_digit(data: str) -> str:
    """The check digit, `0` to `9`, of characters A to Z, 0 to 9 and `<`. KeyError on others."""
    values = [VALUES[character] for character in data]
    return str((7 * sum(values[::3]) + 3 * sum(values[1::3]) + sum(values[2::3])) % 10)


def holds(data: str, printed: str) -> bool | None:
    """Whether the printed check digit is that of the data.

    None where a character is unknown, and where data and check digit are both left empty, which
    Doc 9303-4 §4.2.2.2 allows for optional data and issuers practise for unknown dates. A filler
    under data that is there is false, and so is a letter.
    """
    if printed == UNKNOWN or UNKNOWN in data:
        return None
    if printed == FILLER:
        return False if data.strip(FILLER) else None
    return printed == check_digit(data)
