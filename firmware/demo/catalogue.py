"""The specimens of the demo: who holds them, what they print, and what the desk should say of them.

Everybody here is invented, and so is Utopia (UTO, the State that Doc 9303 keeps for specimens).
The pictures under `specimens/` are drawn from these declarations by
`tests/data/render_specimens.py`, and so are the two CSV files beside them: `specimens.csv` (what
each picture prints and which outcomes are right) and `demo-list.csv` (the demo's list, in the form
of any list's source file).
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from scanner.mrz.document import Document, Format
from scanner.mrz.write import compose, write

SPECIMENS_FOLDER = Path(__file__).parent / "specimens"

CLEAR = ("CLEAR",)
HIT = ("HIT",)
POSSIBLE = ("POSSIBLE",)
READ_AGAIN = ("READ_AGAIN",)
LOOK_CLOSER = ("LOOK_CLOSER",)


@dataclass(frozen=True)
class Specimen:
    """One picture. `document` is None for the picture of an empty desk, which has no lines.

    `expected` are the verdicts that are right for it, the best one first.
    """

    file: str
    document: Document | None
    expected: tuple[str, ...]
    check_digit_off_by: int = 0
    """How far the number's check digit is printed from the right one, as a forger's would be."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The MRZ as printed."""
        if self.document is None:
            return ()
        lines = list(write(self.document))
        if self.check_digit_off_by:
            row, at = (0, 14) if self.document.format is Format.TD1 else (1, 9)
            wrong = (int(lines[row][at]) + self.check_digit_off_by) % 10
            lines[row] = f"{lines[row][:at]}{wrong}{lines[row][at + 1 :]}"
        return tuple(lines)


@dataclass(frozen=True)
class Record:
    """One row of the demo's list; the fields are those of any list's source (docs/lists.md)."""

    issuer: str
    number: str
    number_to: str
    kind: str
    status: str
    recorded: str
    reference: str


SPECIMENS = (
    Specimen(
        "01-passport.jpg",
        compose(
            Format.TD3,
            number="U71B40952",
            surname="LINDQVIST",
            given_names="ASTRID MAREN",
            birth_date="1986-03-14",
            sex="F",
            expiry_date="2034-11-20",
        ),
        CLEAR,
    ),
    Specimen(
        "02-passport-stolen.jpg",
        compose(
            Format.TD3,
            number="H48273961",
            surname="MARCHETTI",
            given_names="BRUNO",
            birth_date="1979-12-02",
            sex="M",
            expiry_date="2034-06-30",
        ),
        HIT,
    ),
    Specimen(
        "03-identity-card.jpg",
        compose(
            Format.TD1,
            code="ID",
            number="C93472186",
            surname="HARTWELL",
            given_names="EDITH JUNE",
            birth_date="1991-07-28",
            sex="F",
            expiry_date="2035-02-17",
        ),
        CLEAR,
    ),
    Specimen(
        "04-passport-wrong-check-digit.jpg",
        compose(
            Format.TD3,
            number="U62914738",
            surname="FALKENBERG",
            given_names="VIKTOR",
            birth_date="1968-04-09",
            sex="M",
            expiry_date="2035-08-11",
        ),
        LOOK_CLOSER,
        check_digit_off_by=4,
    ),
    Specimen(
        "05-visa.jpg",
        compose(
            Format.MRV_A,
            number="V83617429",
            surname="TREMBLAY",
            given_names="MARTINE",
            nationality="CAN",
            birth_date="1994-10-23",
            sex="F",
            expiry_date="2034-03-31",
        ),
        CLEAR,
    ),
    Specimen(
        "06-passport-stolen-blank.jpg",
        compose(
            Format.TD3,
            number="B27184463",
            surname="WEDGEWOOD",
            given_names="NEVILLE",
            birth_date="1983-01-19",
            sex="M",
            expiry_date="2035-05-04",
        ),
        HIT,
    ),
    Specimen(
        "07-identity-card-td2.jpg",
        compose(
            Format.TD2,
            number="D73418296",
            surname="PEMBERTON",
            given_names="ALFRED",
            birth_date="1957-09-16",
            sex="M",
            expiry_date="2034-12-01",
        ),
        CLEAR,
    ),
    Specimen(
        "08-identity-card-look-alike.jpg",
        compose(
            Format.TD1,
            code="ID",
            number="F61420873",
            surname="VALENTINE",
            given_names="HUGH",
            birth_date="1972-05-27",
            sex="M",
            expiry_date="2035-10-08",
        ),
        POSSIBLE,
    ),
    Specimen(
        "09-empty-desk.jpg",
        None,
        READ_AGAIN,
    ),
    Specimen(
        "10-visa-of-a-lost-passport.jpg",
        compose(
            Format.MRV_B,
            number="E64927318",
            surname="BERGMANN",
            given_names="PAULINE",
            nationality="D",
            birth_date="1989-02-11",
            sex="F",
            expiry_date="2034-09-15",
        ),
        HIT,
    ),
    Specimen(
        "11-passport-expired.jpg",
        compose(
            Format.TD3,
            number="U35928174",
            surname="ASHWORTH",
            given_names="WINIFRED",
            birth_date="1949-06-05",
            sex="F",
            expiry_date="2021-03-22",
        ),
        CLEAR,
    ),
    Specimen(
        "12-identity-card-long-number.jpg",
        compose(
            Format.TD1,
            code="ID",
            number="M84219736524",
            surname="MONTAGUE",
            given_names="FELIX",
            birth_date="1996-11-30",
            sex="M",
            expiry_date="2035-01-26",
        ),
        HIT,
    ),
)

RECORDS = (
    Record("UTO", "H48273961", "", "passport", "stolen", "2026-01-05", "UT-2026-000117"),
    Record(
        "UTO", "B27184000", "B27184999", "passport", "stolen_blank", "2025-08-19", "UT-2025-4402"
    ),
    Record("UTO", "F6142O873", "", "identity", "lost", "2025-11-30", "UT-2025-007310"),
    Record("D", "E64927318", "", "passport", "lost", "2026-03-02", "D-2026-1183"),
    Record("UTO", "M84219736524", "", "identity", "revoked", "2026-05-21", "UT-2026-000903"),
    Record("UTO", "K55500123", "", "passport", "stolen", "2024-02-14", "UT-2024-000051"),
    Record("UTO", "R10020030", "", "residence", "invalid", "2025-12-09", "UT-2025-008127"),
)


def specimens_csv() -> str:
    """`specimens.csv`: file, format, the lines as printed, the right outcomes joined by `|`."""
    rows: list[tuple[str, ...]] = [("file", "format", "line1", "line2", "line3", "expected")]
    for specimen in SPECIMENS:
        layout = specimen.document.format.value if specimen.document else ""
        lines = (*specimen.lines, "", "", "")[:3]
        rows.append((specimen.file, layout, *lines, "|".join(specimen.expected)))
    return _csv(rows)


def demo_list_csv() -> str:
    """`demo-list.csv`: the list's source, which `borderpost-central lists build` also takes."""
    header = ("issuer", "number", "number_to", "kind", "status", "recorded", "reference")
    rows = [
        (r.issuer, r.number, r.number_to, r.kind, r.status, r.recorded, r.reference)
        for r in RECORDS
    ]
    return _csv([header, *rows])


def _csv(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
