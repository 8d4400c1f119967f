"""Document numbers in the formats that States give them, and which of them have been issued.

The shapes are those of real documents: digits alone, letters before digits, alphabets without
vowels given out in no order, numbers over nine characters. How many each State has issued, and from
which number on, are assumptions of the right size. A number is a serial written in mixed radix;
serials are given out in order, so that stolen batches are runs, or scattered over all that there
are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.document import Format, Kind
from scanner.watchlist.skeleton import skeleton

_DIGIT = "0123456789"
_LETTER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NO_VOWELS = "0123456789CFGHJKLMNPRTVWXYZ"
_NO_O = "0123456789ABCDEFGHIJKLMNPQRSTUVWXYZ"
_CLASSES = {"9": _DIGIT, "A": _LETTER, "C": _NO_VOWELS, "N": _NO_O}
_STRIDE = 15_485_863
"""A prime: between one scattered serial and the next. Times any serial it stays below 2**63."""

MILLION = 1_000_000

Indexes = NDArray[np.int64]


@dataclass(frozen=True)
class Series:
    """The numbers that a State gives to one kind of document.

    In `shape` 9 is a digit, A a letter, C and N are alphabets without what is easily confused, and
    [..] is one of the characters in it. `issued` are in millions; they begin at `first`, or where
    that is empty are scattered, after so many millions of another kind.
    """

    issuer: str
    kind: Kind
    format: Format
    shape: str
    issued: float
    first: str = ""
    after: float = 0

    @property
    def alphabets(self) -> tuple[str, ...]:
        return _parsed(self.shape)

    @property
    def name(self) -> str:
        return f"{self.issuer} {self.kind.value} {self.shape}"

    def numbers(self, indexes: Indexes) -> list[str]:
        """The numbers that were issued as these, counted from 0."""
        alphabets = self.alphabets
        left = self._serials(indexes)
        octets = np.empty((len(indexes), len(alphabets)), np.uint8)
        for at in reversed(range(len(alphabets))):
            letters = np.frombuffer(alphabets[at].encode(), np.uint8)
            octets[:, at] = letters[left % len(letters)]
            left = left // len(letters)
        rows: list[bytes] = octets.view(f"S{len(alphabets)}").reshape(-1).tolist()
        return [row.decode() for row in rows]

    def index(self, number: str) -> int | None:
        """Where among those issued a number stands, or would; None where its shape is another."""
        serial = self._serial(number)
        if serial is None:
            return None
        space = prod(map(len, self.alphabets))
        if self.first:
            return serial - (self._serial(self.first) or 0)
        return serial * pow(_STRIDE, -1, space) % space - int(self.after * MILLION)

    def look_alikes(self, number: str) -> Iterator[str]:
        """The numbers of this shape with the skeleton of another, itself included."""
        alphabets = self.alphabets
        if len(alphabets) == len(number):
            wanted = skeleton(number)
            options = [
                [one for one in letters if skeleton(one) == fold]
                for letters, fold in zip(alphabets, wanted, strict=True)
            ]
            yield from map("".join, product(*options))

    def _serials(self, indexes: Indexes) -> Indexes:
        if self.first:
            return indexes + (self._serial(self.first) or 0)
        return (indexes + int(self.after * MILLION)) * _STRIDE % prod(map(len, self.alphabets))

    def _serial(self, number: str) -> int | None:
        alphabets = self.alphabets
        if len(number) != len(alphabets):
            return None
        serial = 0
        for letters, one in zip(alphabets, number, strict=True):
            place = letters.find(one)
            if place < 0:
                return None
            serial = serial * len(letters) + place
        return serial


def _parsed(shape: str) -> tuple[str, ...]:
    alphabets, at = [], 0
    while at < len(shape):
        if shape[at] == "[":
            end = shape.index("]", at)
            alphabets.append("".join(sorted(shape[at + 1 : end])))
            at = end + 1
        else:
            alphabets.append(_CLASSES[shape[at]])
            at += 1
    return tuple(alphabets)


_P, _I, _V, _R = Kind.PASSPORT, Kind.IDENTITY, Kind.VISA, Kind.RESIDENCE
_TD3, _TD1, _MRV = Format.TD3, Format.TD1, Format.MRV_A

SERIES = (
    Series("USA", _P, _TD3, "999999999", 300, "210000000"),
    Series("USA", _P, _TD3, "A99999999", 60, "A00000001"),
    Series("USA", _V, _MRV, "A9999999", 100, "J0000001"),
    Series("GBR", _P, _TD3, "999999999", 110, "099000001"),
    Series("IND", _P, _TD3, "A9999999", 170, "H0000001"),
    Series("CHN", _P, _TD3, "A99999999", 100, "E00000001"),
    Series("CHN", _P, _TD3, "AA9999999", 100, "EA0000001"),
    Series("RUS", _P, _TD3, "999999999", 120, "500000001"),
    Series("D", _P, _TD3, "[CFGHJK]CCCCCCCC", 90),
    Series("D", _I, _TD1, "[LMNPRTVWXYZ]CCCCCCCC", 140),
    Series("D", _R, _TD1, "AA9999999", 20, "AR0000001"),
    Series("D", _V, _MRV, "999999999", 30, "400000001"),
    Series("FRA", _P, _TD3, "99AA99999", 90, "05AA00001"),
    Series("FRA", _I, Format.FRA_ID, "999999999999", 100, "050110100001"),
    Series("FRA", _I, _TD1, "NNNNNNNN9", 30),
    Series("FRA", _R, _TD1, "9999999999", 20, "7500000001"),
    Series("FRA", _V, _MRV, "999999999", 40, "020000001"),
    Series("ITA", _P, _TD3, "AA9999999", 60, "YA0000001"),
    Series("ITA", _I, _TD1, "AA99999AA", 60, "CA00000AA"),
    Series("ESP", _P, _TD3, "AAA999999", 50, "PAA000001"),
    Series("ESP", _I, _TD1, "AAA999999", 120, "BAA000001"),
    Series("POL", _P, _TD3, "AA9999999", 50, "EA0000001"),
    Series("POL", _I, _TD1, "AAA999999", 90, "CAA000001"),
    Series("NLD", _P, _TD3, "ANNNNNNN9", 50),
    Series("NLD", _I, _TD1, "ANNNNNNN9", 25, after=50),
    Series("BEL", _P, _TD3, "AA999999", 15, "EH000001"),
    Series("BEL", _I, _TD1, "999999999999", 40, "590000000001"),
    Series("PRT", _I, _TD1, "999999999AA9", 30, "100000000ZX0"),
    Series("ROU", _P, _TD3, "999999999", 30, "050000001"),
    Series("ROU", _I, _TD1, "AA999999", 60, "AA000001"),
    Series("SRB", _P, _TD3, "999999999", 10, "008000001"),
    Series("SRB", _I, _TD1, "999999999", 10, "003000001"),
    Series("UKR", _P, _TD3, "AA999999", 50, "EA000001"),
    Series("UKR", _I, _TD1, "999999999", 20, "000000001"),
    Series("TUR", _P, _TD3, "A99999999", 60, "U00000001"),
    Series("PAK", _P, _TD3, "AA9999999", 40, "AA1000001"),
    Series("BRA", _P, _TD3, "AA999999", 50, "FA000001"),
    Series("NGA", _P, _TD3, "A99999999", 30, "A00000001"),
    Series("MEX", _P, _TD3, "A99999999", 80, "G00000001"),
)

ISSUED = int(sum(series.issued for series in SERIES) * MILLION)
"""Documents of all series together."""
