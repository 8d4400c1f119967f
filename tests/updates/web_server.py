"""A web server on loopback that serves a folder by Range, and can misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


class WebServer(ThreadingHTTPServer):
    """`sent` counts bytes of bodies; `cut_every` ends an answer after so many bytes."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.sent = 0
        self.cuts = 0
        self.cut_every: int | None = None
        self.ranges = True
        self.status: int | None = None
        self.trickle: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

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

    def do_GET(self) -> None:
        server = self.server
        if server.status is not None:
            self.send_response(server.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            return
        path = server.folder / unquote(self.path).lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        start = self._start() if server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self._body(content[start:])

    def _start(self) -> int:
        asked = self.headers.get("Range", "")
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0

    def _body(self, content: bytes) -> None:
        server = self.server
        if server.trickle is not None:
            self.wfile.write(content[:1])
            server.trickle.wait(10)
            return
        part = content[: server.cut_every] if server.cut_every else content
        self.wfile.write(part)
        server.sent += len(part)
        if len(part) < len(content):
            server.cuts += 1
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests are silent."""
