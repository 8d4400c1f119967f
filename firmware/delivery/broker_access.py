"""How the device gets at its brokers: from the settings and its identity to a link.

TLS is by the certificate from the device's enrolment, or by the files that a technician names for a
broker whose certificates come from elsewhere. Either is read anew for each connection. There is no
silent way without: only `tls = false` leaves it out. What is secret of these files comes from
systemd's credentials where it is sealed (`scanner/credentials.py`).
"""

import ssl
from collections.abc import Callable
from pathlib import Path

from firmware.delivery.link import Link, address_of
from firmware.identity.identity import Identity
from firmware.settings import BrokerSettings
from scanner.alert import KeyFault
from scanner.credentials import laid_out

PASSWORD, PRIVATE_KEY = "broker.password", "broker.private-key"
"""What the secrets of the settings' files are called as credentials."""


def link_of(device: str, broker: BrokerSettings, identity: Identity) -> Link:
    """The link that the settings describe. Raises KeyFault and OSError where a file that it needs
    cannot be used."""
    return Link(
        host=broker.host,
        port=broker.port,
        protocol=broker.protocol,
        client_id=device,
        keepalive_s=broker.keepalive_seconds,
        username=broker.username,
        password=_password(broker.password_file) if broker.password_file is not None else None,
        tls=_tls(broker, identity),
        others=tuple(map(address_of, broker.others)),
    )


def _password(file: Path) -> str:
    place = laid_out(PASSWORD) or file
    try:
        return place.read_text().strip()
    except UnicodeDecodeError:
        raise KeyFault(f"{place}: this is no text; put the broker's password there") from None


def _tls(broker: BrokerSettings, identity: Identity) -> Callable[[], ssl.SSLContext] | None:
    if not broker.tls:
        return None
    if broker.ca is not None:
        return contexts(broker.ca, broker.certificate, broker.private_key)
    if not identity.has_certificate:
        raise KeyFault(
            f"{identity.folder}: there is no certificate for the broker; enrol the device, or say "
            "tls = false under [broker] for a broker without TLS"
        )
    return identity.tls


def contexts(
    ca: Path, certificate: Path | None = None, private_key: Path | None = None
) -> Callable[[], ssl.SSLContext]:
    """Gives a context for each connection, from the files as they then are: the broker's
    certificate must come from `ca` and be for its host's name. The context raises OSError where a
    file cannot be used."""

    def context() -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(ca))
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            key = laid_out(PRIVATE_KEY) or private_key if private_key else None
            made.load_cert_chain(str(certificate), str(key) if key else None)
        return made

    return context
