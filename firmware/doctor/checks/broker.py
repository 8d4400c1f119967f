"""Every broker: reached, its certificate believed, the device's certificate accepted, MQTT spoken.

A broker knows a device by its certificate, and a second connection of the same device pushes the
first one out. So while the desk is connected each broker is asked up to TLS and no further, and the
desk's word stands for the rest (the check `link`). Else the device connects as the desk would, says
nothing, hears nothing, and leaves; what waits for it there stays.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from threading import Event

from firmware.delivery.broker_access import link_of
from firmware.delivery.connection import CONNECT_WITHIN_S, Connection, in_words
from firmware.delivery.link import Address, Brokers, Link, LinkDown
from firmware.doctor.checks.identity import enrolled
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, fail, of_message, ok
from firmware.identity.identity import Identity
from firmware.identity.keys import KeyFault
from scanner.said import said
from scanner.waker import Waker

_LOOK = said("look at network, name and port under [broker], and at the broker itself")
_ENROL = said("enrol the device: `borderpost enrol` (docs/identity.md)")
_REFUSAL_WITHIN_S = 0.5
"""In TLS 1.3 a refusal of the client's certificate comes after the client is through."""


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings
    try:
        identity = Identity(enrolled(context), conceals=settings.identity.encrypt)
        link = link_of(settings.device.name, settings.broker, identity)
    except KeyFault as fault:
        yield of_message(State.FAIL, str(fault), _ENROL)
        return
    except OSError as error:
        yield fail(
            said("{path}: {error}", path=error.filename, error=error.strerror),
            said("mend the path or its permissions"),
        )
        return
    for address in link.addresses:
        yield _reached(link, address) if context.desk is not None else _connected(link, address)


def _reached(link: Link, address: Address) -> Finding:
    """Up to TLS, with the device's certificate."""
    try:
        tls = link.tls() if link.tls is not None else None
        where = (address.host, address.port)
        with socket.create_connection(where, timeout=CONNECT_WITHIN_S) as plain:
            if tls is None:
                return ok(
                    said("{address}: it is reached, without TLS as configured", address=address)
                )
            with tls.wrap_socket(plain, server_hostname=address.host) as secure:
                secure.settimeout(_REFUSAL_WITHIN_S)
                _hear_refusal(secure)
                return ok(
                    said(
                        "{address}: it is reached and takes the certificate ({version})",
                        address=address,
                        version=secure.version(),
                    )
                )
    except (OSError, ValueError) as error:
        return of_message(State.FAIL, f"{address}: {in_words(error)}", _LOOK)


def _hear_refusal(secure: ssl.SSLSocket) -> None:
    """Silence is consent. Raises OSError."""
    try:
        if secure.recv(1) == b"":
            raise ConnectionResetError("it ends the connection; is the certificate revoked?")
    except TimeoutError:
        return


def _connected(link: Link, address: Address) -> Finding:
    """In MQTT, as the desk would."""
    one = replace(link, host=address.host, port=address.port, others=())
    brokers = Brokers(one)
    with closing(Waker()) as waker:
        while True:
            version = brokers.version
            connection = Connection(one, address, version, None, waker, lambda topic, payload: None)
            try:
                connection.open(Event())
                connection.close(0.0)
            except LinkDown as down:
                if brokers.failed(down):
                    return of_message(State.FAIL, str(down), _LOOK)
                continue
            finally:
                connection.drop()
            tls = one.tls is not None
            how = said("by TLS with its certificate") if tls else said("without TLS")
            return ok(
                said(
                    "{address}: it takes the device, {how}, in MQTT {version}",
                    address=address,
                    how=how,
                    version=version,
                )
            )
