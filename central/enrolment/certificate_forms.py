"""What stands in the authority's certificates: names, uses, dates and constraints."""

import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACKDATED = timedelta(days=1)
"""For clocks that do not agree."""
_EVERYWHERE = ("0.0.0.0/0", "::/0")


class NameRefused(Exception):
    """A name that no certificate can hold; the message says which."""


def root_certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: float,
    domains: Sequence[str],
    networks: Sequence[str],
) -> x509.Certificate:
    """The authority's own certificate: it signs certificates and lists of revoked ones, and no
    other authority's. Raises NameRefused."""
    builder = (
        _builder(name, key.public_key(), now, days)
        .issuer_name(_named(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    if domains or networks:
        builder = builder.add_extension(_constraints(domains, networks), critical=True)
    return builder.sign(key, hashes.SHA256())


def copied_root(
    root: x509.Certificate,
    name: str,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: float,
) -> x509.Certificate:
    """Another certificate for the authority, under another name and key, held to what `root` is
    held to."""
    builder = _builder(name, key.public_key(), now, days).issuer_name(_named(name))
    for kind in (x509.BasicConstraints, x509.KeyUsage, x509.NameConstraints):
        with suppress(x509.ExtensionNotFound):
            extension = root.extensions.get_extension_for_class(kind)
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(key, hashes.SHA256())


def leaf_certificate(
    common_name: str,
    key: ec.EllipticCurvePublicKey,
    names: Sequence[x509.GeneralName],
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    *,
    server: bool,
    now: datetime,
    days: float,
) -> x509.Certificate:
    """A certificate for one client or one server."""
    use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    return (
        _builder(common_name, key, now, days)
        .issuer_name(root.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(by, critical=False)
        .sign(root_key, hashes.SHA256())
    )


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as the content of a file."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def uri(text: str) -> x509.GeneralName:
    """A name of ours, that is no host's."""
    return x509.UniformResourceIdentifier(text)


def host_name(host: str) -> x509.GeneralName:
    """What a server is reached as: an address or a name. Raises NameRefused."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return _dns_name(host)


def holds_to_domains(root: x509.Certificate) -> bool:
    """Whether the authority is held to some domains."""
    try:
        root.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return False
    return True


def allows(root: x509.Certificate, name: x509.GeneralName) -> bool:
    """Whether a server may have `name` under the constraints of `root`."""
    if not holds_to_domains(root):
        return True
    constraints = root.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = constraints.permitted_subtrees or []
    if isinstance(name, x509.IPAddress):
        return any(
            isinstance(one, x509.IPAddress) and name.value in one.value  # type: ignore[operator]
            for one in permitted
        )
    domains = [one.value for one in permitted if isinstance(one, x509.DNSName)]
    host = str(name.value).lower()
    return any(host == one or host.endswith(f".{one}") for one in domains)


def _builder(
    common_name: str, key: ec.EllipticCurvePublicKey, now: datetime, days: float
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(common_name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _named(common_name: str) -> x509.Name:
    try:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    except ValueError:
        raise NameRefused(f"{common_name!r}: a name is 1 to 64 characters") from None


def _dns_name(host: str) -> x509.DNSName:
    try:
        name = x509.DNSName(host.lower())
    except ValueError:
        raise NameRefused(f"{host!r}: this is no host's name") from None
    if not host or set(host) & set(" /:*@") or host.startswith("."):
        raise NameRefused(f"{host!r}: this is no host's name or address")
    return name


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(domains: Sequence[str], networks: Sequence[str]) -> x509.NameConstraints:
    """Names within `domains` and addresses within `networks`, and nothing of a sort that has none:
    RFC 5280 leaves free what is not spoken of, so that is excluded."""
    permitted: list[x509.GeneralName] = [_dns_name(domain) for domain in domains]
    excluded: list[x509.GeneralName] = []
    try:
        permitted += [x509.IPAddress(ipaddress.ip_network(one)) for one in networks]
    except ValueError as error:
        raise NameRefused(f"this is no network: {error}") from None
    if not domains:
        excluded.append(x509.DNSName(""))
    if not networks:
        excluded += [x509.IPAddress(ipaddress.ip_network(one)) for one in _EVERYWHERE]
    return x509.NameConstraints(permitted, excluded or None)
