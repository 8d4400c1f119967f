"""The device's certificate for the broker: how long it is still good."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from firmware.doctor.checks.identity import enrolled
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.identity.identity import ROOT, TLS_CERTIFICATE
from firmware.identity.renewal import WORRYING_AFTER
from firmware.settings import Settings
from scanner.said import said

_RENEW = said("look whether the enrolment service answers ([identity] service); or enrol it anew")


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings
    if not settings.broker.tls:
        yield skipped(said("the broker is spoken to without TLS, as configured"))
        return
    for what, path in _files(context, settings):
        yield _finding(context, what, path)


def _files(context: Context, settings: Settings) -> Iterator[tuple[str, Path]]:
    broker = settings.broker
    if broker.ca is None:
        folder = enrolled(context)
        yield said("the device's certificate"), folder / TLS_CERTIFICATE
        yield said("the authority's certificate"), folder / ROOT
        return
    if broker.certificate is not None:
        yield said("the device's certificate"), broker.certificate
    yield said("the broker's authority"), broker.ca


def _finding(context: Context, what: str, path: Path) -> Finding:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        return fail(
            said("{what}: {path}: {error}", what=what, path=path, error=error.strerror),
            said("enrol the device: `borderpost enrol`"),
        )
    except ValueError:
        return fail(
            said("{what}: {path}: this is no certificate", what=what, path=path),
            said("enrol the device anew"),
        )
    now, start = context.clock.now, certificate.not_valid_before_utc
    end = certificate.not_valid_after_utc
    left = (end - now).total_seconds() / 86400
    line = said(
        "{what}: good until {end}, {days} days",
        what=what,
        end=f"{end:%Y-%m-%d}",
        days=round(left),
    )
    why = context.desk.identity if context.desk is not None else None
    if now < start:
        return warn(
            said("{what}: it begins only on {start}", what=what, start=f"{start:%Y-%m-%d}"),
            said("look at the device's clock"),
        )
    if left <= 0:
        return fail(said("{what}: it ended on {end}", what=what, end=f"{end:%Y-%m-%d}"), _RENEW)
    if why is not None or (now - start) > WORRYING_AFTER * (end - start):
        return warn(
            said("{line}; {why}", line=line, why=why or said("it should have been renewed by now")),
            _RENEW,
        )
    return ok(line)
