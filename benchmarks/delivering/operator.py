"""An operator's browser as far as it counts here: signed in, its event stream open."""

import http.client
import json
import secrets
import time
from urllib.parse import quote, urlencode

from benchmarks.delivering.headquarters import Headquarters

_WITHIN_S = 20.0


class Operator:
    """Use as a context."""

    def __init__(self, central: Headquarters, port: int) -> None:
        self._port = port
        self._origin = f"http://127.0.0.1:{port}"
        self._password = secrets.token_urlsafe(16)
        central.do("users", "add", "olga", "--role", "operator", given=f"{self._password}\n")
        self._cookie = ""
        self._devices: dict[str, str] = {}

    def __enter__(self) -> "Operator":
        self._sign_in()
        self._posts = self._connect()
        self._stream = self._connect()
        self._stream.request("GET", "/console/events", headers={"cookie": self._cookie})
        self._events = self._stream.getresponse()
        if self._events.status != http.client.OK:
            raise RuntimeError(f"the console's event stream answers {self._events.status}")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._posts.close()

    def sees(self, alert: str) -> float:
        """When the event of this alert has come."""
        name = ""
        deadline = time.monotonic() + _WITHIN_S
        while (line := self._events.readline()) and time.monotonic() < deadline:
            if line.startswith(b"event:"):
                name = line[6:].strip().decode()
            elif line.startswith(b"data:") and name == "alert":
                at = time.monotonic()
                data = json.loads(line[5:])
                self._devices[data["id"]] = data["device"]
                if data["id"] == alert:
                    return at
        raise RuntimeError("the alert did not come by the console's event stream")

    def answer(self, alert: str) -> float:
        """Confirms the alert; when the request was sent."""
        said = {"outcome": "confirmed", "reason": "", "instruction": "Hold it.", "holds_hours": 1.0}
        path = f"/console/alerts/{quote(self._devices[alert])}/{alert}/answer"
        headers = {
            "cookie": self._cookie,
            "origin": self._origin,
            "content-type": "application/json",
        }
        at = time.monotonic()
        self._posts.request("POST", path, json.dumps({**said, "answered": None}), headers)
        response = self._posts.getresponse()
        response.read()
        if response.status != http.client.OK:
            raise RuntimeError(f"the console answers {response.status} to an answer")
        return at

    def _sign_in(self) -> None:
        form = urlencode({"name": "olga", "password": self._password})
        kind = "application/x-www-form-urlencoded"
        headers = {"origin": self._origin, "content-type": kind}
        deadline = time.monotonic() + _WITHIN_S
        while True:
            door = self._connect()
            try:
                door.request("POST", "/sign-in", form, headers)
                response = door.getresponse()
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        cookies = response.headers.get_all("set-cookie") or []
        self._cookie = "; ".join(cookie.partition(";")[0] for cookie in cookies)
        door.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=_WITHIN_S)
