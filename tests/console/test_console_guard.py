"""What no request may do, whoever is signed in: other origins, other hosts, other shapes."""

import http.client
import logging
import socket
from pathlib import Path

import httpx
import pytest

from central.console.routes import BODY_MOST
from central.console.server import Console, listen
from central.settings import ConsoleSettings
from central.store.store import Store
from scanner.command_line import Failure, Refusal
from scanner.web.guard import POLICY
from tests.console.office import Office
from tests.delivery.stores import sqlite_store


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "OWN", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://elsewhere.example", "sec-fetch-site": "same-origin"}, 403),
        ({"origin": "OWN"}, 303),
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"origin": "OWN", "sec-fetch-site": "same-origin"}, 303),
    ],
)
def test_a_change_comes_from_the_console_s_own_page_or_not_at_all(
    office: Office, headers: dict[str, str], status: int
) -> None:
    with office.signed_in("olga") as browser:
        del browser.headers["origin"]
        told = {name: value.replace("OWN", office.url) for name, value in headers.items()}
        assert browser.post("/sign-out", headers=told).status_code == status
        still = 401 if status == 303 else 200
        assert browser.get("/console/me").status_code == still


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "", "a@127.0.0.1", "127.0.0.1:x"]
)
def test_a_request_under_another_name_is_refused(office: Office, host: str) -> None:
    with office.signed_in("olga") as browser:
        told = browser.get("/console/me", headers={"host": host})
        assert told.status_code in (400, 421)
        assert "olga" not in told.text
        assert browser.get("/console/me", headers={"host": "localhost:1"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/sign-in", "/console/me", "/console/nothing", "/static/theme.css", "/"]
)
def test_every_answer_carries_the_headers_that_keep_it_safe(office: Office, path: str) -> None:
    with office.signed_in("olga") as browser:
        headers = browser.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'none'" in POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] in ("no-store", "no-cache")
    assert (headers["cache-control"] == "no-store") == (path not in {"/static/theme.css", "/"})
    assert "server" not in headers


def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(office: Office) -> None:
    with office.signed_in("olga") as browser:
        for path in ("/console/alerts/a/b/answer", "/sign-in"):
            large = browser.post(path, content=b"x" * (BODY_MOST + 1))
            assert large.status_code == 413
    endless = http.client.HTTPConnection("127.0.0.1", office.console.settings.port, timeout=20)
    endless.putrequest("POST", "/sign-in")
    endless.putheader("Origin", office.url)
    endless.putheader("Transfer-Encoding", "chunked")
    endless.endheaders()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    for _ in range(2):
        endless.send(chunk)
    assert endless.getresponse().status == 413
    endless.close()


def test_a_form_of_another_kind_is_refused(office: Office) -> None:
    with office.browser() as browser:
        for kind, content, status in (
            ("application/json", b"{}", 415),
            ("multipart/form-data; boundary=x", b"--x--", 415),
            ("application/x-www-form-urlencoded", b"", 400),
            ("application/x-www-form-urlencoded", b"name=a", 400),
            ("application/x-www-form-urlencoded", b"name=a&name=b&password=c", 400),
            ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 500), 400),
            ("application/x-www-form-urlencoded", b"name=%ff&password=x", 400),
            ("application/x-www-form-urlencoded", b"name=\xff&password=x", 400),
            ("application/x-www-form-urlencoded", b"name=%00&password=x", 422),
            ("application/x-www-form-urlencoded", b"name=" + b"a" * 99 + b"&password=x", 422),
        ):
            told = browser.post("/sign-in", content=content, headers={"content-type": kind})
            assert told.status_code == status, content[:40]


def test_bytes_that_are_no_http_are_survived(office: Office) -> None:
    for raw in (
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"\x00" * 9000,
        b"GET / HTTP/9\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", office.console.settings.port), 10) as peer:
            peer.sendall(raw)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass
    with office.browser() as browser:
        assert browser.get("/sign-in").status_code == 200


def test_requests_are_logged_without_their_queries(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), office.signed_in("olga") as browser:
        browser.get("/console/history", params={"q": "ERIKSSON"})
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    told = [one.getMessage() for one in ours]
    assert any("GET /console/history 200" in line for line in told)
    assert not any("ERIKSSON" in line for line in told)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "console.example"])  # noqa: S104
def test_it_does_not_listen_beyond_this_machine_without_tls(host: str) -> None:
    with pytest.raises(Refusal, match="without TLS: set certificate and private_key"):
        listen(ConsoleSettings(host=host))


def test_it_says_in_one_line_what_keeps_it_from_listening(tmp_path: Path) -> None:
    nothing = tmp_path / "none.crt"
    for settings, said in (
        ({"certificate": nothing}, "stand together"),
        ({"certificate": nothing, "private_key": nothing}, "cannot be used for TLS: No such file"),
        ({"host": "0.0.0.0", "plain_beyond_loopback": True}, "say in .console. names"),  # noqa: S104
    ):
        with pytest.raises(Refusal, match=said):
            listen(ConsoleSettings(**settings))  # type: ignore[arg-type]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Failure, match=f"cannot listen on 127.0.0.1:{port}"):
            listen(ConsoleSettings(port=port))


def test_told_openly_it_listens_without_tls_under_the_names_it_was_given(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = ConsoleSettings(
        host="0.0.0.0",  # noqa: S104
        port=port,
        plain_beyond_loopback=True,
        names=("console.example",),
    )
    listen(settings).close()
    console = Console(Store(sqlite_store(tmp_path)), settings)
    transport = httpx.ASGITransport(console.app())

    async def ask(host: str) -> int:
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as browser:
            return (await browser.get("/sign-in")).status_code

    import anyio

    assert anyio.run(ask, "console.example") == 200
    assert anyio.run(ask, "other.example") == 421
    console.feed.pages.close()
    console.store.close()
