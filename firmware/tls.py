"""TLS towards a broker whose certificates do not come from enrolment: the files that a technician
names."""

import ssl
from collections.abc import Callable
from pathlib import Path


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
            made.load_cert_chain(str(certificate), str(private_key) if private_key else None)
        return made

    return context
