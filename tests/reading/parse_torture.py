"""Drives blocks and parsing over very many inputs and stops at the first exception.

    python tests/reading/parse_torture.py --count 1000000 --seed 1

A third of the inputs are random bytes, a third random MRZ characters in lines of the right size,
a third valid documents with a few characters changed, dropped or doubled. Every block is parsed
and asked whether it is sound; one in a hundred is read as serial text too, and its number asked
for look-alikes. Exit code 1 and the input in hexadecimal where anything raises.
"""

import argparse
import random
import sys
import time
import traceback
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scanner.mrz.confusables import check_preserving_look_alikes
from scanner.mrz.document import Format
from scanner.mrz.identities import identities
from scanner.mrz.layouts import CHARACTERS, LETTERS, WIDTHS
from scanner.mrz.parse import is_sound, parse
from scanner.mrz.states import CODES
from scanner.mrz.text import blocks, reading_of
from scanner.mrz.write import compose, write

_TO_MRZ = bytes((CHARACTERS + "?" + "<<<<<<0123456789").encode()[i % 54] for i in range(256))
_TODAY = date(2026, 11, 23)
_REPORT_EVERY = 100_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="how many inputs")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - test data, no secret
    valid = [_valid(rng) for _ in range(600)]
    kinds = (_random_bytes, _random_characters, lambda rng: _mutated(rng, rng.choice(valid)))
    documents = reasons = 0
    start = time.monotonic()
    for i in range(arguments.count):
        data = kinds[i % 3](rng)
        try:
            found, refused = _drive(data, thoroughly=i % 100 < 3)
        except Exception:  # whatever it is, it is what we look for
            traceback.print_exc()
            print(f"input {i} of seed {arguments.seed}: {data.hex()}", file=sys.stderr)
            return 1
        documents += found
        reasons += refused
        if (i + 1) % _REPORT_EVERY == 0:
            print(f"{i + 1} inputs, {time.monotonic() - start:.0f} s", file=sys.stderr)
    seconds = time.monotonic() - start
    print(
        f"{arguments.count} inputs, 0 exceptions: {documents} documents and {reasons} reasons "
        f"in {seconds:.1f} s"
    )
    return 0


def _drive(data: bytes, *, thoroughly: bool) -> tuple[int, int]:
    documents = reasons = 0
    for block in blocks(data):
        parsed = parse(block, _TODAY)
        is_sound(parsed)
        if parsed.document is None:
            if parsed.reason is None:
                raise AssertionError("neither a document nor a reason")
            reasons += 1
        else:
            documents += 1
        if thoroughly:
            reading_of(block, reader="torture", today=_TODAY)
            if parsed.document is not None:
                identities(parsed.document)
                check_preserving_look_alikes(parsed.lines, parsed.document.format)
    return documents, reasons


def _random_bytes(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(200))


def _random_characters(rng: random.Random) -> bytes:
    width, height = rng.choice(tuple(WIDTHS.items()))
    text = rng.randbytes(width * height).translate(_TO_MRZ)
    return b"\n".join(text[i * width : (i + 1) * width] for i in range(height))


def _mutated(rng: random.Random, text: bytes) -> bytes:
    data = bytearray(text)
    for _ in range(rng.randrange(5)):
        at = rng.randrange(len(data))
        slip = rng.randrange(6)
        if slip == 0:
            del data[at]
        elif slip == 1:
            data.insert(at, data[at])
        elif slip == 2:
            data[at] = rng.randrange(256)
        else:
            data[at] = _TO_MRZ[rng.randrange(256)]
    return bytes(data)


def _valid(rng: random.Random) -> bytes:
    format_ = rng.choice(tuple(Format))
    french = format_ is Format.FRA_ID
    states = ("FRA",) if french else tuple(CODES)
    longest = {Format.FRA_ID: 12, Format.TD1: 22, Format.TD2: 14}.get(format_, 9)
    expiry = _TODAY + timedelta(days=rng.randrange(-4000, 4000))
    birth = _TODAY - timedelta(days=rng.randrange(1, 36000))
    document = compose(
        format_,
        number="".join(rng.choices(CHARACTERS[1:], k=rng.randint(1, longest))),
        surname="".join(rng.choices(LETTERS, k=rng.randint(1, 30))),
        given_names="".join(rng.choices(LETTERS, k=rng.randint(0, 20))),
        issuer=rng.choice(states),
        nationality=rng.choice(states),
        birth_date=birth.isoformat()[: rng.choice((4, 7, 10, 10, 10))],
        sex=rng.choice(("F", "M", "X", None)),
        expiry_date=None if french else expiry,
    )
    return "\n".join(write(document)).encode()


if __name__ == "__main__":
    sys.exit(main())
