"""Certificates that central gives to servers and to its own workers, as files.

A key that is there already goes on: the command that made a certificate renews it.
"""

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from central.enrolment.authority import TLS_KEY, Authority, write_certificate
from scanner.alert import KeyFault
from scanner.alert.enrolment import new_tls_key, private_pem


def issue_server(authority: Authority, name: str, hosts: Sequence[str], out: Path) -> None:
    """Writes the key and the certificate of a server that is reached as `hosts` into `out`. Raises
    KeyFault or AuthorityFault."""
    key = _key(out)
    certificates = authority.certificates
    certificate = certificates.server(name, hosts, key.public_key())
    write_certificate(out, private_pem(key), certificate, certificates.root_pem())


def issue_worker(authority: Authority, name: str, out: Path) -> None:
    """Writes the key and the certificate of one of central's workers into `out`. Raises KeyFault or
    AuthorityFault."""
    key = _key(out)
    certificates = authority.certificates
    certificate = certificates.worker(name, key.public_key())
    write_certificate(out, private_pem(key), certificate, certificates.root_pem())


def _key(out: Path) -> ec.EllipticCurvePrivateKey:
    path = out / TLS_KEY
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return new_tls_key()
    except OSError as error:
        raise KeyFault(f"{path}: the key cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyFault(f"{path}: this is no key on the curve P-256; move it away")
    return key
