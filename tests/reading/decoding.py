"""Documents to decode, and what a test asks of the answer."""

from scanner.mrz.document import Format
from scanner.mrz.layouts import LAYOUTS
from scanner.mrz.reading import Status
from scanner.mrz.write import compose, write
from scanner.vision.decode import Decoded
from tests.reading.probabilities import Place


def lines_of(format_: Format = Format.TD3, **changes: str | None) -> tuple[str, ...]:
    said: dict[str, str | None] = {
        "number": "B1204567",
        "surname": "ROOS",
        "given_names": "OLGA",
        "birth_date": "1990-05-10",
        "sex": "F",
        "expiry_date": None if format_ is Format.FRA_ID else "2034-10-20",
    }
    return write(compose(format_, **(said | changes)))  # type: ignore[arg-type]


def place_of(format_: Format, field: str, at: int = 0) -> Place:
    layout = LAYOUTS[format_]
    span = layout.fields[field].span
    return span.line, span.start + at


def candidates_at(decoded: Decoded, place: Place) -> dict[str, float]:
    return next(
        dict(one.candidates) for one in decoded.uncertain if (one.line, one.position) == place
    )


def is_read_as(decoded: Decoded, lines: tuple[str, ...]) -> bool:
    return decoded.status is Status.READ and decoded.lines == lines and not decoded.uncertain
