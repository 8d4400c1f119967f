"""The authority's own certificates and keys: the root that signs, and while it is being changed
another one beside it.

Whoever trusts the authority holds its certificate, so it changes in three steps, each of which
waits until all have followed. `announce` makes the next root: the present one goes on signing, and
whoever gets a certificate from then on is told to trust both. `finish` signs with the next one; the
certificates from before go on counting. `forget` destroys the one before.

Everybody's file of trusted certificates is `bundle`, the one that signs first. Each root has a list
of revoked certificates of its own, for a broker asks for the list of whoever signed.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from central.enrolment.certificate_forms import BACKDATED, copied_root, pem
from central.enrolment.certificate_records import AuthorityFault
from scanner.alert.enrolment import new_tls_key, private_pem
from scanner.durable import replace_durably, sync_folder

_KEY, _CERTIFICATE = "root.key", "root.crt"
_NEXT, _BEFORE = "next", "before"
_DATED = re.compile(r" \d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True)
class Root:
    """A root: its certificate, and the key that signs with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its certificate, for people to compare."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def since(self) -> datetime:
        """When it was made."""
        return self.certificate.not_valid_before_utc + BACKDATED


class Roots:
    """The roots in the authority's folder. Changes are made by one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def present(self) -> Root:
        """The root that signs. Raises AuthorityFault."""
        return _read(self._folder)

    def following(self) -> Root | None:
        """The root that is announced and does not sign yet. Raises AuthorityFault."""
        return self._beside(_NEXT)

    def before(self) -> Root | None:
        """The root that signed before, until it is forgotten. Raises AuthorityFault."""
        return self._beside(_BEFORE)

    def changed_at(self) -> datetime | None:
        """Since when the root of the moment signs, while the one before is still there."""
        path = self._folder / _BEFORE / _CERTIFICATE
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None

    def every(self) -> list[Root]:
        """All of them, the one that signs first. Raises AuthorityFault."""
        others = (self.following(), self.before())
        return [self.present(), *(root for root in others if root is not None)]

    def bundle(self) -> bytes:
        """The certificates that whoever trusts the authority is to hold. Raises AuthorityFault."""
        return b"".join(pem(root.certificate) for root in self.every())

    def put(self, root: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        """Writes the first root. Raises OSError."""
        _write(self._folder, root, key)

    def announce(self, now: datetime, days: float) -> Root:
        """Makes the next root, held to what the present one is held to. Raises AuthorityFault or
        OSError."""
        if self.following() is not None:
            raise AuthorityFault("the next root is announced already: keys finish --of authority")
        if self.before() is not None:
            raise AuthorityFault("the root before is still there: keys forget --of authority")
        present, key = self.present(), new_tls_key()
        (named,) = present.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = f"{_DATED.sub('', str(named.value))[:53]} {now:%Y-%m-%d}"
        root = copied_root(present.certificate, name, key, now, days)
        _write(self._folder / _NEXT, root, key)
        return Root(root, key)

    def finish(self) -> Root:
        """Signs with the announced root from now on. A power cut in between leaves it announced,
        and the step can be done again. Raises AuthorityFault or OSError."""
        following = self.following()
        if following is None:
            raise AuthorityFault("no root is announced; begin with keys rotate --of authority")
        with suppress(AuthorityFault):  # a key and a certificate that are not of one another yet
            present = self.present()
            if present.certificate != following.certificate:
                _write(self._folder / _BEFORE, present.certificate, present.key)
        _write(self._folder, following.certificate, following.key)
        _remove(self._folder / _NEXT)
        return following

    def forget(self) -> None:
        """Destroys the root before. Raises AuthorityFault or OSError."""
        if self.before() is None:
            raise AuthorityFault("there is no root from before")
        _remove(self._folder / _BEFORE)

    def _beside(self, name: str) -> Root | None:
        folder = self._folder / name
        return _read(folder) if (folder / _CERTIFICATE).exists() else None


def issued_by(certificate: x509.Certificate, roots: list[Root]) -> bool:
    """Whether one of these roots has signed a certificate."""
    return any(_verifies(certificate.verify_directly_issued_by, root) for root in roots)


def _verifies(verify: Callable[[x509.Certificate], None], root: Root) -> bool:
    try:
        verify(root.certificate)
    except Exception:  # a stranger's certificate makes the library raise all sorts of things
        return False
    return True


def _read(folder: Path) -> Root:
    try:
        certificate = x509.load_pem_x509_certificate((folder / _CERTIFICATE).read_bytes())
        key = serialization.load_pem_private_key((folder / _KEY).read_bytes(), None)
    except FileNotFoundError as error:
        raise AuthorityFault(
            f"{error.filename}: there is no authority here; make it (borderpost-central enrol "
            "authority), or put its folder back"
        ) from None
    except OSError as error:
        raise AuthorityFault(f"{error.filename}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise AuthorityFault(f"{folder}: the authority's files are damaged") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != (
        certificate.public_key()
    ):
        raise AuthorityFault(f"{folder}: the authority's files are damaged")
    return Root(certificate, key)


def _write(folder: Path, root: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    folder.mkdir(exist_ok=True, mode=0o700)
    replace_durably(folder / _KEY, private_pem(key), mode=0o600)
    replace_durably(folder / _CERTIFICATE, pem(root), mode=0o644)


def _remove(folder: Path) -> None:
    for path in _files(folder):
        path.unlink()
    folder.rmdir()
    sync_folder(folder.parent)


def _files(folder: Path) -> Iterator[Path]:
    """The certificate first: without it the root counts as gone."""
    yield from (folder / name for name in (_CERTIFICATE, _KEY) if (folder / name).exists())
