"""The head of a delta: which version of which list it starts from, and which it leads to.

    magic "BPDELTA2" | name 64, zeros behind | key id 8 | from root 32 | to root 32 |
    from version u32 | to version u32 | as_of i64 | from records u64 | to records u64 |
    removals u64 | additions u64 | ranges u64 | digest of the ranges 32 | bytes of ranges u64

`as_of` counts microseconds since 1970 in UTC. The bytes of ranges are 0 where they stay what they
were. All numbers are little-endian.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from scanner.watchlist.directory import MOST_RECORDS
from scanner.watchlist.manifest import NAME, Manifest

MAGIC: Final = b"BPDELTA2"
HEADER: Final = struct.Struct("<8s64s8s32s32sIIqQQQQQ32sQ")
MOST_CHANGES: Final = 1 << 22
"""Removals and additions each that a delta has at most: whoever has more publishes a base."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DeltaRefused(Exception):
    """A delta that is not whole, or not for this list as it stands; nothing was changed. The
    message says in one line why and what to do."""


@dataclass(frozen=True)
class DeltaHeader:
    """What a delta says of itself. Roots, digest and key id are hexadecimal; `from_root` and
    `to_root` are those of whole versions (`manifest.Manifest.root`)."""

    name: str
    key_id: str
    from_root: str
    to_root: str
    from_version: int
    to_version: int
    as_of: datetime
    from_records: int
    to_records: int
    removals: int
    additions: int
    ranges: int
    ranges_digest: str
    ranges_bytes: int

    def written(self) -> bytes:
        """As it stands in its file. Raises ValueError for a moment without a zone."""
        if self.as_of.tzinfo is None:
            raise ValueError("as_of needs a time zone")
        return HEADER.pack(
            MAGIC,
            self.name.encode(),
            bytes.fromhex(self.key_id),
            bytes.fromhex(self.from_root),
            bytes.fromhex(self.to_root),
            self.from_version,
            self.to_version,
            (self.as_of - _EPOCH) // timedelta(microseconds=1),
            self.from_records,
            self.to_records,
            self.removals,
            self.additions,
            self.ranges,
            bytes.fromhex(self.ranges_digest),
            self.ranges_bytes,
        )

    def result(self, before: Manifest, overlay: str | None) -> Manifest:
        """The manifest of the version that this leads to, on the base of the one before."""
        return Manifest(
            name=self.name,
            version=self.to_version,
            as_of=self.as_of,
            key_id=self.key_id,
            records=self.to_records,
            ranges=self.ranges,
            base=before.base,
            overlay=overlay,
            ranges_digest=self.ranges_digest,
        )


def parsed(content: bytes) -> DeltaHeader:
    """A header from its HEADER.size bytes. Raises ValueError for what is none."""
    magic, name, *rest = HEADER.unpack(content)
    if magic != MAGIC:
        raise ValueError("this is no delta of a list, or one of another format")
    called = name.rstrip(b"\0").decode("ascii", "replace")
    if not NAME.fullmatch(called):
        raise ValueError("the name that it gives is no list's")
    key_id, from_root, to_root, from_version, to_version, as_of, *counts, digest, size = rest
    from_records, to_records, removals, additions, ranges = counts
    if max(from_records, to_records) > MOST_RECORDS or to_version <= from_version:
        raise ValueError("its counts or versions cannot be")
    if max(removals, additions) > MOST_CHANGES or removals > from_records:
        raise ValueError("it says that it changes more than a delta can")
    if to_records != from_records - removals + additions:
        raise ValueError("its counts of records do not add up")
    try:
        moment = _EPOCH + timedelta(microseconds=as_of)
    except OverflowError:
        raise ValueError("the moment that it gives is none") from None
    return DeltaHeader(
        name=called,
        key_id=key_id.hex(),
        from_root=from_root.hex(),
        to_root=to_root.hex(),
        from_version=from_version,
        to_version=to_version,
        as_of=moment,
        from_records=from_records,
        to_records=to_records,
        removals=removals,
        additions=additions,
        ranges=ranges,
        ranges_digest=digest.hex(),
        ranges_bytes=size,
    )
