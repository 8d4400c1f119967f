"""Enrolling and renewing devices: who may have a certificate, and what is given with it.

A device that comes with a token is enrolled for the first time, or anew where the token says so.
One that renews is believed by its present signing key, which the register holds, and by the key of
its present certificate, which the authority issued and has not revoked. That the certificate has
run out is forgiven for some time: a device may have been away for months, and is the same device.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from central.enrolment.authority import Authority, NotEnrolled, check_name
from central.enrolment.certificates import Sort
from central.enrolment.tokens import TokenRefused, Tokens
from scanner.alert import source_of
from scanner.alert.enrolment import (
    Answer,
    Request,
    Unacceptable,
    digest_of,
    read_renewal,
    read_request,
    seal_answer,
)
from scanner.failing import Told

TOKEN_HOURS = 24.0
GRACE_DAYS = 365.0


class EnrolmentRefused(Told):
    """Somebody is not given a certificate. `code` is stable; the message says why and what to do.
    `device` is who it claimed to be, where that is a device's name at all."""

    def __init__(self, code: str, message: str, device: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.device = device


_TOKEN_SAYS = {
    "unknown": "the token is not known here; ask headquarters for one",
    "another device": "the token is for another device; look at [device] name",
    "run out": "the token has run out; ask headquarters for a new one",
    "used": "the token was used already; ask headquarters for a new one",
}


class Enrolment:
    """Answers requests with what `authority` gives. `on_change` is called when what was revoked is
    another than before, for brokers to follow. For use from any thread."""

    def __init__(
        self,
        authority: Authority,
        folder: Path,
        grace: timedelta = timedelta(days=GRACE_DAYS),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._authority = authority
        self._on_change = on_change
        self._tokens = Tokens(folder / "tokens")
        self._grace = grace
        self._one_by_one = threading.Lock()

    def token(self, device: str, hours: float = TOKEN_HOURS, *, again: bool = False) -> str:
        """A token for `device`. Raises NotEnrolled, KeyFault, AuthorityFault or OSError."""
        check_name(device)
        self._authority.make()
        if self._authority.is_enrolled(device) and not again:
            raise NotEnrolled(
                f"{device} is enrolled already; --again enrols it anew, and ends what it had"
            )
        fingerprint = self._authority.certificates.fingerprint()
        return self._tokens.issue(device, fingerprint, datetime.now(UTC), hours, again=again)

    def waiting(self) -> dict[str, float]:
        """The devices that a token waits for, and until when."""
        return self._tokens.waiting(datetime.now(UTC))

    def enrol(self, token: str, message: bytes) -> tuple[str, bytes]:
        """The device's name and the answer to a request that comes with a token. Raises
        EnrolmentRefused, KeyFault, AuthorityFault or OSError."""
        request = _read(message)
        with self._one_by_one:
            try:
                granted = self._tokens.use(
                    token, request.device, digest_of(message), datetime.now(UTC)
                )
            except TokenRefused as refused:
                said = _TOKEN_SAYS[refused.code]
                raise EnrolmentRefused(refused.code, said, request.device) from None
            return request.device, self._enrolled(request, message, again=granted.again)

    def sign(self, message: bytes, *, again: bool = False) -> tuple[str, bytes]:
        """The device's name and the answer to a request that an operator vouches for. Raises
        EnrolmentRefused, KeyFault or AuthorityFault."""
        request = _read(message)
        self._authority.make()
        with self._one_by_one:
            return request.device, self._enrolled(request, message, again=again)

    def withdraw(self, device: str) -> bool:
        """Ends a device's enrolment: nothing that it says counts any longer, and its certificates
        are on the list of revoked ones. Says whether there was anything to end. Raises KeyFault,
        AuthorityFault or OSError."""
        check_name(device)
        with self._one_by_one:
            ended = self._authority.withdraw(device)
            tokens = self._tokens.withdraw(device)
            revoked = self._authority.certificates.revoke(Sort.DEVICE, device)
            if revoked:
                self._on_change()
        return bool(ended or tokens or revoked)

    def renew(self, message: bytes) -> bytes:
        """The answer to a renewal. Raises EnrolmentRefused, KeyFault or AuthorityFault."""
        authority = self._authority
        try:
            renewing = read_renewal(message, lambda device: authority.keys_of(source_of(device)))
        except Unacceptable as fault:
            raise EnrolmentRefused("form", f"the renewal is not believed: {fault}") from None
        certificate, keys = renewing.certificate, renewing.request.keys()
        device = renewing.request.device
        if not authority.certificates.is_ours(certificate, device):
            raise EnrolmentRefused("certificate", "its certificate does not count here", device)
        if certificate.not_valid_after_utc + self._grace < datetime.now(UTC):
            raise EnrolmentRefused(
                "run out", "its certificate ran out too long ago; enrol the device anew", device
            )
        with self._one_by_one:
            try:
                authority.expect(device, renewing.signer, keys)
                answer = self._answer(renewing.request, digest_of(renewing.message))
                self._check_still_enrolled(device)
            except NotEnrolled as gone:
                raise EnrolmentRefused("revoked", str(gone), device) from None
        return answer

    def _check_still_enrolled(self, device: str) -> None:
        """Another process may have ended the enrolment while a certificate was made: what it did
        not see of it is revoked here. Raises NotEnrolled."""
        if not self._authority.is_enrolled(device):
            self._authority.certificates.revoke(Sort.DEVICE, device)
            self._on_change()
            raise NotEnrolled(f"{device} is enrolled no longer")

    def _enrolled(self, request: Request, message: bytes, *, again: bool) -> bytes:
        authority, device, keys = self._authority, request.device, request.keys()
        before = authority.keys_of(source_of(device))
        same = [key.thumbprint() for key in before] == [key.thumbprint() for key in keys.signing]
        if authority.is_enrolled(device) and not (again or same):
            raise EnrolmentRefused("enrolled", f"{device} is enrolled already", device)
        request.tls_key()
        if before and not same:
            authority.certificates.revoke(Sort.DEVICE, device)
        answer = self._answer(request, digest_of(message))
        authority.register(device, keys)
        if authority.was_revoked(device):
            self._on_change()
        return answer

    def _answer(self, request: Request, digest: str) -> bytes:
        authority = self._authority
        try:
            certificate = authority.certificates.device(request.device, request.tls_key())
        except Unacceptable as fault:
            raise EnrolmentRefused("form", f"the request is not believed: {fault}") from None
        answer = Answer(
            device=request.device,
            request=digest,
            certificate=certificate.decode(),
            authority=authority.certificates.root_pem().decode(),
            keys=authority.own.public().as_dict(),
        )
        return seal_answer(answer, authority.signing_key())


def _read(message: bytes) -> Request:
    try:
        request = read_request(message)
        request.tls_key()
    except Unacceptable as fault:
        raise EnrolmentRefused("form", f"the request is not believed: {fault}") from None
    return request
