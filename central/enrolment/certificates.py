"""A small certificate authority: who may connect to a broker, and whom a device may connect to.

One root on P-256 signs everything, each certificate for one use. A device's and a worker's are for
clients alone, a broker's and the console's for servers alone, so no device can pose as a broker.
The common name is what a broker knows a client by; a worker's begins with `central:`, which no
device's name can. Where the authority was made for some domains and networks, name constraints in
the root hold it to them, and whoever trusts it (a browser, say) need not trust it for more.

The folder keeps the root's key, readable by its owner alone, what was issued and is still valid,
and what was revoked. The list of revoked certificates is written for Mosquitto's `crlfile`. It
stays valid as long as the root: a broker whose list had run out would refuse everybody.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.enrolment.certificate_forms import (
    NameRefused,
    allows,
    holds_to_domains,
    host_name,
    leaf_certificate,
    pem,
    root_certificate,
    uri,
)
from central.enrolment.certificate_records import (
    AuthorityFault,
    Issued,
    Revoked,
    read_records,
    write_records,
)
from central.enrolment.roots import Root, Roots, issued_by
from scanner.alert.enrolment import new_tls_key
from scanner.device_names import is_device_name
from scanner.durable import replace_durably

__all__ = ["AuthorityFault", "Certificates", "Issued", "Revoked", "Sort"]

DEVICE_DAYS, SERVER_DAYS, ROOT_DAYS = 90, 825, 20 * 365
"""825 days is the most that some browsers take of any server."""
WORKER_PREFIX = "central:"
_CRL_BACKDATED = timedelta(hours=1)


class Sort(StrEnum):
    """What a certificate is for."""

    DEVICE = "device"
    WORKER = "worker"
    SERVER = "server"


class Certificates:
    """The authority in `folder`. For use from any thread or process; changes wait for one
    another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = folder / "root.crt"
        """The authority's own certificate, which everybody trusts."""
        self.crl = folder / "crl.pem"
        """The list of revoked certificates; two of them while the authority's root changes."""
        self.roots = Roots(folder)
        self._revoked = folder / "revoked.json"

    def make(
        self, name: str = "Borderpost", domains: Sequence[str] = (), networks: Sequence[str] = ()
    ) -> bool:
        """Makes the authority, and says whether there was none yet. Its servers may then have names
        within `domains` and addresses within `networks` alone; with neither, any. Raises
        AuthorityFault."""
        with self._changing():
            if self.root.exists():
                return False
            now, key = datetime.now(UTC), new_tls_key()
            root = root_certificate(name, key, now, ROOT_DAYS, domains, networks)
            self._write_crl([Root(root, key)], [], now)
            self.roots.put(root, key)
            return True

    def announce(self) -> str:
        """Makes the next root, and gives its fingerprint. Raises AuthorityFault."""
        with self._changing_roots() as now:
            root = self.roots.announce(now, ROOT_DAYS)
        return root.fingerprint

    def finish(self) -> str:
        """Signs with the announced root from now on, and gives its fingerprint. Raises
        AuthorityFault."""
        with self._changing_roots():
            root = self.roots.finish()
        return root.fingerprint

    def forget(self) -> None:
        """Destroys the root before: what it has signed counts no longer. Raises AuthorityFault."""
        with self._changing_roots():
            self.roots.forget()

    def root_pem(self) -> bytes:
        """The authority's own certificate, and the one beside it while it changes. Raises
        AuthorityFault."""
        return self.roots.bundle()

    def fingerprint(self) -> bytes:
        """SHA-256 of the authority's own certificate. Raises AuthorityFault."""
        return self.roots.present().certificate.fingerprint(hashes.SHA256())

    def device(self, name: str, key: ec.EllipticCurvePublicKey, days: float = DEVICE_DAYS) -> bytes:
        """A certificate for a device. Raises AuthorityFault."""
        return self._issue(Sort.DEVICE, name, key, [uri(f"urn:borderpost:device:{name}")], days)

    def worker(self, name: str, key: ec.EllipticCurvePublicKey, days: float = SERVER_DAYS) -> bytes:
        """A certificate for one of central's workers. Raises AuthorityFault."""
        return self._issue(Sort.WORKER, name, key, [uri(f"urn:borderpost:central:{name}")], days)

    def server(
        self,
        name: str,
        hosts: Sequence[str],
        key: ec.EllipticCurvePublicKey,
        days: float = SERVER_DAYS,
    ) -> bytes:
        """A certificate for a server that is reached as `hosts`. Raises AuthorityFault."""
        with _refusing():
            names = [host_name(host) for host in hosts]
        return self._issue(Sort.SERVER, name, key, names, days)

    def issued(self, sort: Sort) -> dict[str, float]:
        """Until when each name of this sort has a certificate that counts."""
        files = sorted((self._folder / sort).glob("*.json"))
        return {
            path.stem: max(one.until for one in every)
            for path in files
            if (every := read_records(path, Issued))
        }

    def revoked(self) -> list[Revoked]:
        """What was revoked and would otherwise still count."""
        return read_records(self._revoked, Revoked)

    def is_ours(self, certificate: x509.Certificate, device: str) -> bool:
        """Whether the authority issued `certificate` to `device` and has not revoked it. That its
        time has run out is not looked at. Raises AuthorityFault."""
        if not issued_by(certificate, self.roots.every()):
            return False
        try:
            uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        except Exception:  # a stranger's certificate makes the library raise all sorts of things
            return False
        serial = f"{certificate.serial_number:x}"
        return (
            [one.value for one in names] == [device]
            and list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
            and all(one.serial != serial for one in self.revoked())
        )

    def revoke(self, sort: Sort, name: str) -> int:
        """Revokes every certificate of `name`, and gives how many those were. Raises
        AuthorityFault."""
        with self._changing():
            path = self._file_of(sort, name)
            every = read_records(path, Issued)
            if every:
                now = datetime.now(UTC)
                at = now.timestamp()
                more = [Revoked(one.serial, one.until, sort, name, at) for one in every]
                revoked = [one for one in (*self.revoked(), *more) if one.until > at]
                write_records(self._revoked, revoked)
                self._write_crl(self.roots.every(), revoked, now)
                path.unlink()
            return len(every)

    def _issue(
        self,
        sort: Sort,
        name: str,
        key: ec.EllipticCurvePublicKey,
        names: Sequence[x509.GeneralName],
        days: float,
    ) -> bytes:
        with self._changing():
            root = self.roots.present()
            server = sort is Sort.SERVER
            _check_constraints(root.certificate, name, names if server else ())
            now = datetime.now(UTC)
            certificate = leaf_certificate(
                _subject(sort, name, names),
                key,
                names,
                root.certificate,
                root.key,
                server=server,
                now=now,
                days=days,
            )
            path = self._file_of(sort, name)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            valid = [one for one in read_records(path, Issued) if one.until > now.timestamp()]
            until = certificate.not_valid_after_utc.timestamp()
            write_records(path, [*valid, Issued(f"{certificate.serial_number:x}", until)])
            return pem(certificate)

    def _write_crl(self, roots: Sequence[Root], revoked: Sequence[Revoked], now: datetime) -> None:
        """Each list is at least a second later than the one before: a broker that is told to read
        it again holds both, and takes the later."""
        number, at = 1, now - _CRL_BACKDATED
        if self.crl.exists():
            before = x509.load_pem_x509_crl(self.crl.read_bytes())
            number = before.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1
            at = max(at, before.last_update_utc + timedelta(seconds=1))
        lists = [_crl(root, number, at, revoked) for root in roots]
        replace_durably(self.crl, b"".join(lists), mode=0o644)

    @contextmanager
    def _changing_roots(self) -> Iterator[datetime]:
        """A change of the roots, after which each has its list of revoked certificates."""
        with self._changing():
            now = datetime.now(UTC)
            yield now
            self._write_crl(self.roots.every(), self.revoked(), now)

    def _file_of(self, sort: Sort, name: str) -> Path:
        if not is_device_name(name):
            raise AuthorityFault(
                f"{name!r}: a name is letters, digits, '.', '_' and '-', at most 63, and not 'ring'"
            )
        return self._folder / sort / f"{name}.json"

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time, whichever process makes it. Raises AuthorityFault."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                with _refusing():
                    yield
            finally:
                os.close(handle)
        except OSError as error:
            raise AuthorityFault(f"{error.filename or self._folder}: {error.strerror}") from None


def _crl(root: Root, number: int, at: datetime, revoked: Sequence[Revoked]) -> bytes:
    """A root's list of revoked certificates."""
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(at)
        .next_update(root.certificate.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(by, critical=False)
    )
    for one in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(int(one.serial, 16))
            .revocation_date(datetime.fromtimestamp(one.at, UTC))
            .build()
        )
    return builder.sign(root.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except NameRefused as refusal:
        raise AuthorityFault(str(refusal)) from None


def _subject(sort: Sort, name: str, names: Sequence[x509.GeneralName]) -> str:
    """The common name. Where a server has no host's name, OpenSSL holds a common name that could be
    one, an address for instance, to the authority's domains; one with a blank cannot be."""
    if sort is Sort.WORKER:
        return f"{WORKER_PREFIX}{name}"
    if sort is Sort.SERVER and not any(isinstance(one, x509.DNSName) for one in names):
        return f"server {name}"
    return name


def _check_constraints(
    root: x509.Certificate, name: str, hosts: Sequence[x509.GeneralName]
) -> None:
    for host in hosts:
        if not allows(root, host):
            raise AuthorityFault(f"{host.value}: the authority may not speak for this name")
    if not hosts and "." in name and holds_to_domains(root):
        raise AuthorityFault(
            f"{name}: an authority that is held to domains takes a name with a dot for a host's; "
            "give one without"
        )
