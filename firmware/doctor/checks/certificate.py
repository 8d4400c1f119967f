"""The device's certificate for the broker: how long it is still good."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from firmware.doctor.checks.identity import enrolled
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.identity import ROOT, TLS_CERTIFICATE
from firmware.renewal import WORRYING_AFTER
from firmware.settings import Settings

_RENEW = "look whether the enrolment service answers ([identity] service); or enrol it anew"


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings
    if not settings.broker.tls:
        yield skipped("the broker is spoken to without TLS, as configured")
        return
    for what, path in _files(context, settings):
        yield _finding(context, what, path)


def _files(context: Context, settings: Settings) -> Iterator[tuple[str, Path]]:
    broker = settings.broker
    if broker.ca is None:
        folder = enrolled(context)
        yield "the device's certificate", folder / TLS_CERTIFICATE
        yield "the authority's certificate", folder / ROOT
        return
    if broker.certificate is not None:
        yield "the device's certificate", broker.certificate
    yield "the broker's authority", broker.ca


def _finding(context: Context, what: str, path: Path) -> Finding:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        return fail(f"{what}: {path}: {error.strerror}", "enrol the device: `borderpost enrol`")
    except ValueError:
        return fail(f"{what}: {path}: this is no certificate", "enrol the device anew")
    now, start = context.clock.now, certificate.not_valid_before_utc
    end = certificate.not_valid_after_utc
    left = (end - now).total_seconds() / 86400
    line = f"{what}: good until {end:%Y-%m-%d}, {left:.0f} days"
    why = context.desk.identity if context.desk is not None else None
    if now < start:
        return warn(f"{what}: it begins only on {start:%Y-%m-%d}", "look at the device's clock")
    if left <= 0:
        return fail(f"{what}: it ended on {end:%Y-%m-%d}", _RENEW)
    if why is not None or (now - start) > WORRYING_AFTER * (end - start):
        return warn(f"{line}; {why or 'it should have been renewed by now'}", _RENEW)
    return ok(line)
