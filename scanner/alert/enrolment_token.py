"""An enrolment token: one word that a technician carries from headquarters to a device.

It says two things: a secret that counts once, and the fingerprint of the authority, so that the
device tells its authority from anybody else's before it says the secret. Letters and digits in
groups, without those that look alike, with a check so that a slip of the pen is told from a token
that was refused.
"""

import hashlib
import secrets
from base64 import b32decode, b32encode
from dataclasses import dataclass

_SECRET, _FINGERPRINT, _CHECK = 15, 16, 4
_GROUP = 7
_LENGTH = 56


class NoToken(Exception):
    """This is no token; the message says what to do."""


@dataclass(frozen=True)
class Token:
    """`secret` is known to whoever holds the token; of the authority's SHA-256 fingerprint it holds
    the first 128 bits."""

    secret: bytes
    fingerprint: bytes

    def __repr__(self) -> str:
        return "Token(…)"

    def text(self) -> str:
        """As it is written down."""
        content = self.secret + self.fingerprint
        word = b32encode(content + _check(content)).decode().lower()
        return "-".join(word[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))

    def digest(self) -> str:
        """What central keeps of it."""
        return hashlib.sha256(b"borderpost-token" + self.secret).hexdigest()

    def is_of(self, fingerprint: bytes) -> bool:
        """Whether it is of the authority with this SHA-256 fingerprint."""
        return fingerprint[:_FINGERPRINT] == self.fingerprint


def new_token(fingerprint: bytes) -> Token:
    """A new token of the authority with this fingerprint."""
    return Token(secrets.token_bytes(_SECRET), fingerprint[:_FINGERPRINT])


def parse_token(text: str) -> Token:
    """The token in `text`, however it was grouped or capitalised. Raises NoToken."""
    word = "".join(text.split()).replace("-", "").upper()
    if len(word) != _LENGTH or not word.isascii():
        raise NoToken(
            f"this is no token: it has {len(word)} letters and digits, a token has {_LENGTH}"
        )
    try:
        content = b32decode(word)
    except ValueError:
        raise NoToken("this is no token: it holds a character that none has") from None
    content, check = content[:-_CHECK], content[-_CHECK:]
    if check != _check(content):
        raise NoToken("this is no token: look at it again, a character is wrong")
    return Token(content[:_SECRET], content[_SECRET:])


def _check(content: bytes) -> bytes:
    return hashlib.sha256(b"borderpost-check" + content).digest()[:_CHECK]
