"""Documents from files: pictures and texts, alone or in folders, in the order given.

Files are read one by one as they are asked for. A file that gives nothing becomes a fault of its
own and the rest goes on.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from scanner.mrz.text import blocks, reading_of
from scanner.said import said, shown
from scanner.sources.capture import Capture, Fault, Health
from scanner.sources.picture import PictureError, decode

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"})
TEXTS = frozenset({".txt"})
READ = PICTURES | TEXTS
MOST_BYTES = 64 * 1024 * 1024


class Replay:
    """Image files, text files (one document a blank-line-separated block) and folders of either.

    Folders are read in the order of their names, not below them. With `loop` it begins again
    after the last file until stopped, unless a whole round gave nothing but faults.
    """

    def __init__(self, paths: Sequence[Path], name: str = "replay", loop: bool = False) -> None:
        self._paths = tuple(paths)
        self._name = name
        self._loop = loop

    @property
    def name(self) -> str:
        return self._name

    @property
    def health(self) -> Health:
        return Health(True) if self._paths else Health(False, said("replay: no files were given"))

    def files(self) -> int:
        """How many files there are to go through now, each path that gives none counted as one."""
        return sum(_count(path) for path in self._paths)

    def captures(self, stop: Event) -> Iterator[Capture]:
        """Yields one capture a document, and one with a fault for each path that gives none."""
        while not stop.is_set():
            useful = False
            for capture in self._once():
                if stop.is_set():
                    return
                useful = useful or capture.fault is None
                yield capture
                del capture  # or its frame would stay while the next one is decoded
            if not (self._loop and useful):
                return

    def _once(self) -> Iterator[Capture]:
        for path in self._paths:
            if _is_folder(path):
                yield from _folder(path)
            else:
                yield from _file(path)


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 (false, not an error, for an impossible name)


def _count(path: Path) -> int:
    try:
        return max(1, len(_names(path))) if _is_folder(path) else 1
    except OSError:
        return 1


def _folder(folder: Path) -> Iterator[Capture]:
    try:
        names = _names(folder)
    except OSError as error:
        yield _fault(
            folder,
            "unreadable",
            said("the folder cannot be read ({error})", error=error.strerror),
        )
        return
    if not names:
        yield _fault(folder, "no_pictures", said("the folder holds no pictures; name another"))
    for name in names:
        yield from _file(folder / name)


def _names(folder: Path) -> list[str]:
    """The files of a folder that are read, by their names alone: there may be very many."""
    with os.scandir(folder) as entries:
        return sorted(one.name for one in entries if Path(one.name).suffix.lower() in READ)


def _file(path: Path) -> Iterator[Capture]:
    try:
        data = _contents(path)
        if path.suffix.lower() in TEXTS:
            yield from _texts(path, data)
        else:
            picture = decode(data)
            yield Capture(str(path), frames=(picture.frame,), reduced=picture.reduced)
    except FileNotFoundError:
        yield _fault(path, "missing", said("no such file; check the path"))
    except PictureError as error:
        yield _fault(path, error.code, str(error))
    except OSError as error:
        yield _fault(
            path,
            "unreadable",
            said("the file cannot be read ({error})", error=error.strerror),
        )
    except ValueError:  # a NUL in the name
        yield _fault(path, "unreadable", said("no file can have this name"))


def _texts(path: Path, data: bytes) -> Iterator[Capture]:
    documents = blocks(data)
    if not documents:
        raise PictureError("no_text", said("the file holds no lines of an MRZ"))
    today = datetime.now(UTC).date()
    for rows in documents:
        yield Capture(str(path), text=reading_of(rows, reader="text", today=today))


def _contents(path: Path) -> bytes:
    """Raises OSError, and PictureError for what is no plain file, empty or too large."""
    status = path.stat()
    size = status.st_size
    if not stat.S_ISREG(status.st_mode):
        raise PictureError("not_a_file", said("this is no plain file; name a picture or a folder"))
    if size == 0:
        raise PictureError("empty", said("the file is empty; take the picture again"))
    if size > MOST_BYTES:
        limit = MOST_BYTES // 1024 // 1024
        raise PictureError(
            "too_large", said("the file is larger than {limit} MB; scale it down", limit=limit)
        )
    return path.read_bytes()


def _fault(path: Path, code: str, message: str) -> Capture:
    return Capture(
        str(path),
        fault=Fault(code, said("{file}: {message}", file=shown(str(path)), message=message)),
    )
