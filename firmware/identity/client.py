"""The enrolment service as a device speaks to it: HTTPS, by the standard library alone.

Whom to believe is settled before anything is said: at enrolment by the authority's fingerprint in
the token, at a renewal by the authority's certificate that is pinned.
"""

import json
import ssl
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from firmware.identity.enrolling import EnrolmentFailed, Unreachable
from firmware.identity.identity import server_context
from scanner.alert.enrolment import MAX_MESSAGE
from scanner.alert.enrolment_token import Token

_WITHIN_S = 20.0
_PORT = 8843


@dataclass(frozen=True)
class Service:
    """The enrolment service at `url`."""

    url: str

    def authority(self, token: Token) -> str:
        """The authority's certificate (PEM), which is the one that the token names. Raises
        EnrolmentFailed."""
        unverified = ssl.create_default_context()
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        shown = self._ask("GET", "/v1/authority", unverified)
        try:
            root = x509.load_pem_x509_certificate(shown)
        except ValueError:
            raise EnrolmentFailed(f"{self.url}: no enrolment service answers there") from None
        if not token.is_of(root.fingerprint(hashes.SHA256())):
            raise EnrolmentFailed(
                f"{self.url}: this is not the authority that the token names; it was told nothing"
            )
        return shown.decode()

    def enrol(self, root: str, token: Token, request: bytes) -> bytes:
        """The answer to a request. Raises EnrolmentFailed."""
        headers = {"Authorization": f"Bearer {token.text()}"}
        return self._ask("POST", "/v1/enrol", server_context(root, None), request, headers)

    def renew(self, root: str, own: x509.Certificate, message: bytes) -> bytes:
        """The answer to a renewal. Raises EnrolmentFailed."""
        return self._ask("POST", "/v1/renew", server_context(root, own), message)

    def _ask(
        self,
        method: str,
        path: str,
        context: ssl.SSLContext,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        where = urlsplit(self.url)
        if where.scheme != "https" or not where.hostname:
            raise EnrolmentFailed(f"{self.url}: give an address such as https://enrol.example:8843")
        try:
            connection = HTTPSConnection(
                where.hostname, where.port or _PORT, timeout=_WITHIN_S, context=context
            )
            try:
                connection.request(method, path, body, headers or {})
                response = connection.getresponse()
                content = response.read(4 * MAX_MESSAGE)
            finally:
                connection.close()
        except ssl.SSLCertVerificationError as error:
            why = getattr(error, "verify_message", "") or error.args[-1]
            raise EnrolmentFailed(f"{self.url}: its certificate is not believed: {why}") from None
        except (OSError, HTTPException, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unreachable(f"{self.url}: {why}") from None
        if response.status != 200:
            raise EnrolmentFailed(f"{self.url}: {_reason(content, response.status)}")
        return content


def _reason(content: bytes, status: int) -> str:
    """What the service says of its refusal: one line."""
    try:
        said = str(json.loads(content)["error"]["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        said = ""
    return said if said.isprintable() and 0 < len(said) < 200 else f"refused ({status})"
