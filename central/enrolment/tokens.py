"""The tokens that enrol a device: each for one device, for some hours, for one request.

Only a token's hash is kept, in a file of its own. Its use is the making of a second file, which
only one can make: so a token counts once, however many ask at the same time. Whoever sends the
same request again is answered again, for the answer may have been lost on the way.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from scanner.alert.enrolment_token import NoToken, Token, new_token, parse_token
from scanner.durable import replace_durably, sync_folder

_KEPT_FOR = timedelta(days=30)
"""How long a token that has run out is remembered, to say so to whoever comes with it."""


class TokenRefused(Exception):
    """A token that does not count. `code` is stable; nothing of the token is in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Granted:
    """What a token is for: `again` lets a device that is enrolled be enrolled anew."""

    device: str
    until: float
    again: bool


class Tokens:
    """The tokens in `folder`. For use from any thread or process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def issue(
        self, device: str, fingerprint: bytes, now: datetime, hours: float, *, again: bool
    ) -> str:
        """A new token for `device`, as it is written down. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clear_away(now)
        token = new_token(fingerprint)
        granted = Granted(device, (now + timedelta(hours=hours)).timestamp(), again)
        replace_durably(self._file(token), json.dumps(asdict(granted)).encode())
        return token.text()

    def use(self, text: str, device: str, request: str, now: datetime) -> Granted:
        """Uses a token up for the request with this digest. Raises TokenRefused or OSError."""
        try:
            token = parse_token(text)
            granted = Granted(**json.loads(self._file(token).read_text()))
        except (NoToken, FileNotFoundError):
            raise TokenRefused("unknown") from None
        if granted.device != device:
            raise TokenRefused("another device")
        if granted.until <= now.timestamp():
            raise TokenRefused("run out")
        if self._used_for(token, request) != request:
            raise TokenRefused("used")
        return granted

    def waiting(self, now: datetime) -> dict[str, float]:
        """The devices that a token waits for, and until when."""
        return {
            granted.device: granted.until
            for path, granted in self._every()
            if granted.until > now.timestamp() and not path.with_suffix(".used").exists()
        }

    def withdraw(self, device: str) -> int:
        """Takes back every token of `device`, and gives how many those were. Raises OSError."""
        mine = [path for path, granted in self._every() if granted.device == device]
        for path in mine:
            path.unlink(missing_ok=True)
        return len(mine)

    def _used_for(self, token: Token, request: str) -> str:
        """The digest of the request that the token was used for, now or before."""
        used = self._file(token).with_suffix(".used")
        content = request.encode()
        try:
            handle = os.open(used, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return used.read_text()
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._folder)
        return request

    def _clear_away(self, now: datetime) -> None:
        for path, granted in self._every():
            if granted.until < (now - _KEPT_FOR).timestamp():
                path.unlink(missing_ok=True)
                path.with_suffix(".used").unlink(missing_ok=True)

    def _every(self) -> Iterator[tuple[Path, Granted]]:
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, TypeError):
                yield path, Granted(**json.loads(path.read_text()))

    def _file(self, token: Token) -> Path:
        return self._folder / f"{token.digest()}.json"
