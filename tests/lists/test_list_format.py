"""The format as docs/lists.md has it: this file reads a list from the page alone, with none of the
engine's code, and gives the page's own figures for a secret that everybody knows."""

import json
import re
import struct
from datetime import date, timedelta
from hashlib import blake2b, sha256
from pathlib import Path

from tests.listing import KEY, KEYS, built
from tests.lists.conftest import HEADER, NOW

SECRET = bytes(range(32))
ROWS = [
    "UTO,L898902C3,,passport,stolen,2026-01-05,",
    "UTO,L8989O2C3,,visa,lost,1950-01-01,",
    "D,C01X00T47,,identity,revoked,2129-06-05,",
    *(f"UTO,N{number:08d},,residence,invalid,2024-02-29," for number in range(3000)),
]
KINDS = ("passport", "identity", "visa", "residence", "crew", "other")
STATUSES = ("stolen", "lost", "revoked", "invalid", "stolen_blank")


def keyed(length: int, person: bytes, content: bytes) -> bytes:
    return blake2b(content, digest_size=length, key=SECRET, person=person).digest()


def folded(number: str) -> str:
    return number.translate(str.maketrans("ODQILZSGB", "000112568"))


def number_of(content: bytes) -> int:
    return int.from_bytes(content, "little")


def bits_of(content: bytes) -> str:
    """The lowest bit first."""
    return "".join(f"{byte:08b}"[::-1] for byte in content)


def page_of_keys(page: bytes, first: int) -> list[tuple[int, int]]:
    """Key and class of each record of a page."""
    count, split, zero, upper, zero_too = struct.unpack_from("<HBBHH", page)
    assert (zero, zero_too) == (0, 0)
    classes = page[8 : 8 + count]
    row = bits_of(page[8 + count : 8 + count + upper])
    places = [place for place, bit in enumerate(row) if bit == "1"]
    assert len(places) == count
    lows = bits_of(page[8 + count + upper :])
    used = 8 * (8 + count + upper) + count * split
    assert "1" not in bits_of(page)[used:]
    keys = []
    for index, place in enumerate(places):
        low = lows[index * split : (index + 1) * split][::-1]
        keys.append(first + ((place - index) << split | int(low or "0", 2)))
    return list(zip(keys, classes, strict=True))


def records_in(folder: Path, root: str) -> list[tuple[int, int, int, int]]:
    """Key, class, tag and day of every record of a table."""
    directory = (folder / "directory").read_bytes()
    digest = blake2b(directory, digest_size=32, person=b"bp list table").hexdigest()
    assert digest == root
    magic, key_id, records, pages, details = struct.unpack_from("<8s8sQII", directory)
    assert (magic, key_id) == (b"BPTABLE2", keyed(8, b"bp list id", b""))
    firsts = struct.unpack_from(f"<{pages}Q", directory, 32)
    ranks = struct.unpack_from(f"<{pages}I", directory, 32 + 8 * pages)
    digests = directory[32 + 12 * pages :]
    assert len(digests) == 16 * (pages + details)
    found = []
    content = (folder / "keys").read_bytes() + (folder / "details").read_bytes()
    for page in range(pages + details):
        one = content[4096 * page : 4096 * (page + 1)]
        digest = blake2b(one, digest_size=16, person=b"bp list page").digest()
        assert digest == digests[16 * page : 16 * (page + 1)]
        if page < pages:
            assert ranks[page] == len(found)
            found += page_of_keys(one, firsts[page])
    assert len(found) == records
    days = content[4096 * pages :]
    return [
        (key, class_byte, *struct.unpack_from("<HH", days, 4 * rank)[::-1])
        for rank, (key, class_byte) in enumerate(found)
    ]


def test_a_list_can_be_read_from_the_page_alone(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text("\n".join([HEADER, *ROWS]) + "\n")
    built(source, tmp_path / "lists", as_of=NOW)
    said = json.loads((tmp_path / "lists" / "sltd.json").read_text())
    check = said.pop("check")
    assert check == sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    assert (said["format"], said["overlay"], said["records"]) == (2, None, len(ROWS))
    base = tmp_path / "lists" / "sltd" / f"base-{said['base'][:16]}"
    records = records_in(base, said["base"])
    assert records == sorted(records)
    expected = []
    for row in ROWS:
        issuer, number, _, kind, status, recorded, _ = row.split(",")
        expected.append(
            (
                number_of(keyed(8, b"bp list key", f"{issuer}\0{folded(number)}".encode())),
                KINDS.index(kind) | STATUSES.index(status) << 3,
                number_of(keyed(8, b"bp list tag", f"{issuer}\0{number}".encode())) & 0xFFFF,
                (date.fromisoformat(recorded) - date(1950, 1, 1)) // timedelta(days=1),
            )
        )
    assert records == sorted(expected)


def test_the_versions_root_is_what_the_page_says(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text("\n".join([HEADER, *ROWS[:3]]) + "\n")
    manifest = built(source, tmp_path / "lists", as_of=NOW).manifest
    parts = bytes.fromhex(manifest.base) + bytes(32) + bytes.fromhex(manifest.ranges_digest)
    root = blake2b(parts, digest_size=32, person=b"bp list version").hexdigest()
    assert manifest.root() == root


def test_the_page_gives_the_figures_of_a_known_secret() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lists.md").read_text()
    told = dict(re.findall(r"^\| `(id|key|tag)` of .* \| `([0-9a-f]+)` \|$", page, re.MULTILINE))
    assert told == {
        "id": KEY.id,
        "key": f"{KEY.key('UTO', 'L898902C3'):016x}",
        "tag": f"{KEY.exact('UTO', 'L898902C3') & 0xFFFF:04x}",
    }
    assert KEYS.key("any", KEY.id) == KEY
