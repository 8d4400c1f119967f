"""A delta's file: all that leads from one version of a list to the next.

    header (`delta_header`) | removals | additions (`delta_blocks`) | ranges | digest

Ranges are the whole encrypted file, where it is another than before. The digest is BLAKE2b-256 of
all before it, under a personalisation of its own: it tells damage on the way apart from a delta
that was made to deceive, which only the signature on it can.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from scanner.durable import sync_folder
from scanner.watchlist.delta_blocks import additions_read, removals_read
from scanner.watchlist.delta_header import HEADER, DeltaHeader, DeltaRefused, parsed
from scanner.watchlist.record_arrays import U64, Records

DIGEST: Final = 32
_PERSON = b"bp list delta"
_PORTION = 1 << 20


class Delta:
    """A delta that was found whole. Its parts are read in turn: removals, additions, ranges."""

    def __init__(self, path: Path, file: BinaryIO, header: DeltaHeader, body_end: int) -> None:
        self.path = path
        self.header = header
        self._file = file
        self._body_end = body_end

    def removals(self) -> Iterator[U64]:
        """Ranks in the order of the version that it starts from. Raises DeltaRefused."""
        self._file.seek(HEADER.size)
        with refused(self.path):
            for ranks in removals_read(self._take, self.header.removals):
                if int(ranks[-1]) >= self.header.from_records:
                    raise ValueError("it removes records that there are not")
                yield ranks

    def additions(self) -> Iterator[Records]:
        """Added records in order, when all removals were read. Raises DeltaRefused."""
        with refused(self.path):
            yield from additions_read(self._take, self.header.additions)
            if self._file.tell() != self._body_end:
                raise ValueError("it goes on where it should end")

    def copy_ranges(self, to: Path) -> None:
        """Writes the ranges that it brings into a new file, durably. Raises OSError."""
        self._file.seek(self._body_end)
        with to.open("wb") as file:
            left = self.header.ranges_bytes
            while left and (portion := self._file.read(min(left, _PORTION))):
                file.write(portion)
                left -= len(portion)
            file.flush()
            os.fsync(file.fileno())

    def _take(self, size: int) -> bytes:
        """The next bytes of removals and additions."""
        if self._file.tell() + size > self._body_end:
            raise ValueError("it ends early")
        return self._file.read(size)


@contextmanager
def open_delta(path: Path) -> Iterator[Delta]:
    """A delta, its digest verified. Raises DeltaRefused; what cannot be read is refused too."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise DeltaRefused(f"{path}: {error.strerror or error}; fetch the delta again") from None
    with file:
        with refused(path):
            size = os.fstat(file.fileno()).st_size
            if size < HEADER.size + DIGEST:
                raise ValueError("it ends early")
            _verify(file, size - DIGEST)
            file.seek(0)
            header = parsed(file.read(HEADER.size))
            body_end = size - DIGEST - header.ranges_bytes
            if body_end < HEADER.size:
                raise ValueError("it ends early")
        yield Delta(path, file, header, body_end)


def write_delta(path: Path, header: DeltaHeader, body: Iterable[bytes], ranges: Path | None) -> int:
    """Writes a delta whole or not at all, and gives its size in bytes. `ranges` is the encrypted
    file that it brings, of which the header has the size. Raises OSError."""
    unfinished = path.with_name(f".{path.name}.part")
    digest = blake2b(digest_size=DIGEST, person=_PERSON)
    try:
        with unfinished.open("wb") as file:
            for portion in _portions(header, body, ranges):
                digest.update(portion)
                file.write(portion)
            file.write(digest.digest())
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return size


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Says what is wrong with a delta as a refusal."""
    try:
        yield
    except (ValueError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DeltaRefused(
            f"{path}: this delta cannot be used: {why}; nothing was changed; fetch it again"
        ) from None


def _portions(header: DeltaHeader, body: Iterable[bytes], ranges: Path | None) -> Iterator[bytes]:
    yield header.written()
    yield from body
    if ranges is not None:
        with ranges.open("rb") as file:
            while portion := file.read(_PORTION):
                yield portion


def _verify(file: BinaryIO, end: int) -> None:
    """Raises ValueError where the content is not what its digest says."""
    digest = blake2b(digest_size=DIGEST, person=_PERSON)
    left = end
    while left and (portion := file.read(min(left, _PORTION))):
        digest.update(portion)
        left -= len(portion)
    if file.read(DIGEST) != digest.digest():
        raise ValueError("its content is not what its digest says")
