"""Where publications are fetched from: a web server, or a folder on a stick. One seam for both.

Whoever is on the other side is not trusted: what comes is checked elsewhere, and in here it is held
to limits. A file is read from a given place on, so that a download goes on where it was cut; a
server that cannot do that is told apart, never taken at its word.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import urllib3
from urllib3.exceptions import HTTPError

CHUNK = 64 * 1024
SILENCE_S = 30.0
"""The longest wait for the next byte."""
SLOWEST = 256
"""Bytes a second, on average over what a file took so far, below which a server is too slow."""
PATIENCE_S = 60.0
"""How long a file may be slower than that before it counts."""
_OK, _PARTIAL, _PAST_THE_END = 200, 206, 416


class FetchFailed(Exception):
    """Nothing came, or not all of it; the message says where and why in one line."""


class NotThere(FetchFailed):
    """The other side answers, and has no such file."""


class TooSlow(FetchFailed):
    """It came too slowly to be worth waiting for."""


@dataclass(frozen=True)
class Piece:
    """Some bytes of a file and where in it they begin."""

    at: int
    content: bytes


class Repository(Protocol):
    """A published repository."""

    def read(self, path: str, start: int = 0) -> Iterator[Piece]:
        """The bytes of the file `path`, from `start` on where that can be had, else from 0. Raises
        FetchFailed."""
        ...


class WebRepository:
    """A repository at an HTTP or HTTPS address; proxies are taken from the environment."""

    def __init__(self, url: str, ca: Path | None = None, *, silence_s: float = SILENCE_S) -> None:
        self._url = url if url.endswith("/") else f"{url}/"
        self._silence_s = silence_s
        self._pool = urllib3.PoolManager(retries=False, maxsize=2, ca_certs=str(ca) if ca else None)

    def read(self, path: str, start: int = 0) -> Iterator[Piece]:
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        try:
            response = self._pool.request(
                "GET",
                f"{self._url}{path}",
                headers=headers,
                preload_content=False,
                redirect=False,
                timeout=urllib3.Timeout(self._silence_s),
            )
        except HTTPError as error:
            raise FetchFailed(f"{self._url}: {_in_words(error)}") from None
        try:
            yield from self._pieces(path, response, start)
        except urllib3.exceptions.TimeoutError:
            raise TooSlow(f"{self._url}{path}: nothing came for {self._silence_s:.0f} s") from None
        except HTTPError as error:
            raise FetchFailed(f"{self._url}{path}: {_in_words(error)}") from None
        finally:
            response.close()

    def _pieces(self, path: str, response: urllib3.BaseHTTPResponse, start: int) -> Iterator[Piece]:
        at = self._begins_at(path, response, start)
        pace = _Pace(f"{self._url}{path}")
        while content := response.read1(CHUNK, decode_content=False):
            yield Piece(at, content)
            at += len(content)
            pace.took(len(content))

    def _begins_at(self, path: str, response: urllib3.BaseHTTPResponse, start: int) -> int:
        """Where in the file the answer's bytes begin."""
        if response.status == _OK:
            return 0
        said = response.headers.get("Content-Range", "")
        if response.status == _PARTIAL and said.startswith(f"bytes {start}-"):
            return start
        if response.status in (403, 404):
            raise NotThere(f"{self._url}{path}: the server has no such file")
        if response.status == _PAST_THE_END:
            raise NotThere(f"{self._url}{path}: the server's file is shorter than it should be")
        raise FetchFailed(f"{self._url}{path}: the server answers {response.status}")


class FolderRepository:
    """A repository in a folder, as on a USB stick; links that lead out of it are not followed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str, start: int = 0) -> Iterator[Piece]:
        file = self._inside(path)
        try:
            with file.open("rb") as opened:
                size = os.fstat(opened.fileno()).st_size
                at = start if start <= size else 0
                opened.seek(at)
                while content := opened.read(CHUNK):
                    yield Piece(at, content)
                    at += len(content)
        except FileNotFoundError:
            raise NotThere(f"{file}: there is no such file") from None
        except OSError as error:
            raise FetchFailed(f"{file}: {error.strerror or error}") from None

    def _inside(self, path: str) -> Path:
        parts = PurePosixPath(path).parts
        file = self._folder.joinpath(*parts)
        if ".." in parts or PurePosixPath(path).is_absolute():
            raise NotThere(f"{path}: this leads out of {self._folder}")
        try:
            if not file.resolve().is_relative_to(self._folder.resolve()):
                raise NotThere(f"{file}: this leads out of {self._folder}")
        except OSError as error:
            raise FetchFailed(f"{file}: {error.strerror or error}") from None
        return file


class _Pace:
    """Raises TooSlow where a file trickles."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._bytes = 0

    def took(self, count: int) -> None:
        self._bytes += count
        spent = time.monotonic() - self._began
        if spent > PATIENCE_S and self._bytes < SLOWEST * spent:
            raise TooSlow(f"{self._what}: fewer than {SLOWEST} bytes a second came")


def _in_words(error: HTTPError) -> str:
    reason = getattr(error, "reason", None) or error
    told = str(reason).split(": ", 1)[-1]
    return told.splitlines()[0][:200] if told else type(error).__name__
