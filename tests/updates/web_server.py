"""A web server on loopback that serves a folder by Range, counts what it sends, and can misbehave.

It streams: a file of any size is sent as the kernel has it, and takes no memory. A link that is cut
with `abort` is reset, without an end that the client could take for one; what was counted as sent
has then left.
"""

import fcntl
import os
import socket
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

_DROP = struct.pack("ii", 1, 0)
"""SO_LINGER: closing resets the connection."""


class WebServer(ThreadingHTTPServer):
    """`sent` counts bytes of bodies, `heads` those of the answers' heads; `cut_every` ends an
    answer after so many bytes."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.sent = self.heads = self.requests = 0
        self.cuts = 0
        self.cut_every: int | None = None
        self.abort = False
        self.ranges = True
        self.status: int | None = None
        self.trickle: threading.Event | None = None
        self._counting = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, **more: int) -> None:
        with self._counting:
            for what, count in more.items():
                setattr(self, what, getattr(self, what) + count)

    def handle_error(self, *where: Any) -> None:
        """A client that is gone in the middle is no fault of anybody's."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*where)

    @contextmanager
    def serving(self) -> Iterator["WebServer"]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        server.count(requests=1)
        if server.status is not None:
            self.send_response(server.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path = server.folder / unquote(self.path).lstrip("/")
        try:
            file = path.open("rb")
        except (FileNotFoundError, IsADirectoryError):
            self.send_error(404)
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            start = self._start() if server.ranges else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.send_header("Content-Length", str(size - start))
            self.end_headers()
            self._body(file, start, size - start)

    def flush_headers(self) -> None:
        self.server.count(heads=sum(map(len, getattr(self, "_headers_buffer", []))))
        super().flush_headers()

    def _start(self) -> int:
        asked = self.headers.get("Range", "")
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0

    def _body(self, file: BinaryIO, start: int, count: int) -> None:
        server = self.server
        if server.trickle is not None:
            self.wfile.write(file.read(1))
            server.trickle.wait(10)
            self.close_connection = True
            return
        part = min(count, server.cut_every) if server.cut_every else count
        sent = self.connection.sendfile(file, start, part) if part else 0
        if part < count:
            if server.abort:
                self._drop()
            server.count(cuts=1)
            self.close_connection = True
        server.count(sent=sent)

    def _drop(self) -> None:
        """Resets the connection as soon as all that was written has left."""
        link = self.connection
        while any(fcntl.ioctl(link.fileno(), termios.TIOCOUTQ, bytes(4))):
            time.sleep(0.001)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP)
        os.close(link.detach())

    def log_message(self, *_: object) -> None:
        """Tests are silent."""
