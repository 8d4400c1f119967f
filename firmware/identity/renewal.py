"""Renews the device's certificate, and its signing and TLS keys with it, before it ends.

A certificate is renewed when two thirds of its time are over, at a moment of the device's own, so
that a fleet that was enrolled in one day does not come back in one hour. What fails is tried again
with growing pauses, and shown as a fault once little time is left. A device that was away until its
certificate had ended asks all the same: its signing key still says who it is.

While the clock stands before the certificate's beginning it is not set: nothing follows from it.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

from cryptography import x509

from firmware.identity.client import Service
from firmware.identity.enrolling import EnrolmentFailed, renewal, take_renewal
from firmware.identity.identity import ROOT, Identity
from scanner.alert import KeyFault
from scanner.backoff import Backoff
from scanner.said import said

log = logging.getLogger(__name__)

DUE_AFTER, SPREAD, WORRYING_AFTER = 2 / 3, 1 / 20, 5 / 6
"""In parts of a certificate's time: when it is renewed, how far a fleet is spread, and from when on
a certificate that was not renewed is a fault."""
LOOK_EVERY_S = 600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 6 * 3600.0


class Renewal:
    """Run `run(stop)` in a thread of its own. `service` is where to ask, or None for where the
    device was enrolled."""

    def __init__(
        self,
        identity: Identity,
        device: str,
        service: str | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_every_s: float = LOOK_EVERY_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._identity = identity
        self._device = device
        self._service = service
        self._clock = clock
        self._look_every_s = look_every_s
        self._backoff = Backoff(first_pause_s, LONGEST_PAUSE_S, spreading=True)

    def run(self, stop: Event) -> None:
        """Renews whenever it is due, until `stop`."""
        while not stop.is_set():
            if self.is_due() and not self.attempt():
                self._backoff.wait(stop)
            else:
                stop.wait(self._look_every_s)

    def is_due(self) -> bool:
        """Whether the certificate is to be renewed now."""
        own = self._identity.certificate
        return own is not None and self._clock() >= _moment(own, DUE_AFTER + self._share())

    def attempt(self) -> bool:
        """Renews now, and says whether it went well; if not, the identity is as before."""
        identity = self._identity
        try:
            renew(identity, self._device, self._service)
        except (EnrolmentFailed, KeyFault, OSError) as error:
            why = str(error)
        else:
            identity.fault = None
            self._backoff.reset()
            log.info("identity: renewed, until %s", _day(identity.certificate_until))
            return True
        own = identity.certificate
        if own is not None and self._clock() >= _moment(own, WORRYING_AFTER):
            identity.fault = said(
                "the certificate ends on {day} and is not renewed: {why}",
                day=_day(own.not_valid_after_utc),
                why=why,
            )
        log.warning("identity: not renewed, the certificate before goes on: %s", why)
        return False

    def _share(self) -> float:
        """This device's own part of the spread, the same at each start."""
        digest = hashlib.sha256(self._device.encode()).digest()
        return SPREAD * int.from_bytes(digest[:4], "big") / 2**32


def renew(identity: Identity, device: str, service: str | None = None) -> None:
    """Renews the identity of `device` at `service`, or where it was enrolled. Raises
    EnrolmentFailed, KeyFault or OSError, and the identity is then as before."""
    address = service or identity.service
    if address is None:
        raise EnrolmentFailed(
            "no enrolment service is known; set [identity] service, or enrol it anew by hand"
        )
    pending, message = renewal(identity, device)
    own = identity.certificate
    if own is None:
        raise EnrolmentFailed("there is no certificate")
    root = (identity.folder / ROOT).read_text()
    take_renewal(identity, pending, Service(address).renew(root, own, message))


def _moment(own: x509.Certificate, part: float) -> datetime:
    """The moment when this part of a certificate's time is over."""
    start, end = own.not_valid_before_utc, own.not_valid_after_utc
    return start + timedelta(seconds=(end - start).total_seconds() * part)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment is not None else "never"
