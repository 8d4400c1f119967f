"""A certificate that is renewed over and over, by a service that the host speaks for.

The identity's files change all at once: after a cut they are those before the renewal or those
after it, whole, and never those of an earlier one. Headquarters are sent a message that the present
key has signed, and must believe it.
"""

import base64
import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from firmware.identity import renewal
from firmware.identity.enrolling import EnrolmentFailed
from firmware.identity.identity import Identity
from scanner.alert import Event, KeyFault, Message, StatusData, new_id, seal, source_of, topic_of
from tests.powercut.console import Wrong, hear, say

DEVICE = "desk-1"


class Service:
    """The enrolment service, by the console."""

    def __init__(self, url: str) -> None:
        return

    def renew(self, root: str, own: x509.Certificate, message: bytes) -> bytes:
        """The answer to a renewal. Raises EnrolmentFailed."""
        say("renew", message=base64.b64encode(message).decode())
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            for answer in hear(0.1):
                if "refused" in answer:
                    raise EnrolmentFailed(answer["refused"])
                return base64.b64decode(answer["answer"])
        raise EnrolmentFailed("the service does not answer")


def run(data: Path, folder: Path, known: dict[str, Any]) -> None:
    """Looks, then renews until the power goes; the last time it only looks."""
    place = data / "identity"
    try:
        identity = Identity(place)
        identity.tls()
    except (KeyFault, OSError) as fault:
        raise Wrong(f"the identity is not whole: {fault}") from None
    tell(identity, "checked")
    if known["last"]:
        return
    say("ready")
    setattr(renewal, "Service", Service)  # noqa: B010
    renewing = renewal.Renewal(identity, DEVICE, "https://console")
    while True:
        if not renewing.attempt():
            raise Wrong(f"the certificate is not renewed: {identity.fault}")
        tell(identity, "renewed")


def tell(identity: Identity, said: str) -> None:
    """Says who we are now, with a message that the present key has signed."""
    certificate = identity.certificate
    if certificate is None:
        raise Wrong("there is no certificate")
    event = Event(Message.STATUS, new_id(), source_of(DEVICE), datetime.now(UTC), StatusData())
    say(
        said,
        key=identity.signing.thumbprint(),
        marks=hashlib.sha256(identity.marks).hexdigest(),
        serial=str(certificate.serial_number),
        topic=topic_of(Message.STATUS, DEVICE),
        payload=base64.b64encode(seal(event, identity.signing)).decode(),
    )
