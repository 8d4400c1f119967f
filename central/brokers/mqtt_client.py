"""A client of central's for one connection to an MQTT broker: how it is made, and how it connects.

Its session ends with the connection, and its name at the broker is a new one each time: whoever
takes its place leaves nothing behind there and pushes nobody out.
"""

import secrets
import ssl
from pathlib import Path
from typing import Any, Literal, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from central.receiving.inflow import LinkDown
from scanner.mqtt_turn import send_at_once

CONNECT_WITHIN_S = 5.0


class BrokerAccess(Protocol):
    """What a section of the configuration says of a broker."""

    @property
    def protocol(self) -> Literal["5", "3.1.1"]: ...
    @property
    def client_id(self) -> str: ...
    @property
    def username(self) -> str | None: ...
    @property
    def ca(self) -> Path | None: ...
    @property
    def certificate(self) -> Path | None: ...
    @property
    def private_key(self) -> Path | None: ...


def new_client(access: BrokerAccess, password: str | None, *, manual_ack: bool) -> mqtt.Client:
    """A client that is thrown away with its connection."""
    five = access.protocol == "5"
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"{access.client_id}-{secrets.token_hex(6)}",
        clean_session=None if five else True,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=manual_ack,
    )
    client.connect_timeout = CONNECT_WITHIN_S
    client.on_socket_open = send_at_once
    if access.username is not None:
        client.username_pw_set(access.username, password)
    return client


def connect(
    client: mqtt.Client, access: BrokerAccess, host: str, port: int, **options: Any
) -> None:
    """Connects, by TLS where an authority is named. Raises LinkDown."""
    where = place(host, port)
    if access.ca is not None:
        client.tls_set_context(tls_context(access.ca, access.certificate, access.private_key))
    try:
        client.connect(host, port, **options)
    except ssl.SSLCertVerificationError as error:
        why = f"the broker's certificate is not believed: {error.verify_message}"
        raise LinkDown(f"{where}: {why}") from None
    except (OSError, ValueError) as error:
        raise LinkDown(f"{where}: {_why(error)}") from None


def place(host: str, port: int) -> str:
    """Where a broker is, as it is told."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def tls_context(ca: Path, certificate: Path | None, private_key: Path | None) -> ssl.SSLContext:
    """What TLS is made with, read anew for each connection: a certificate that was renewed counts
    from the next one on. Raises LinkDown."""
    try:
        context = ssl.create_default_context(cafile=str(ca))
    except (OSError, ValueError) as error:
        raise LinkDown(f"{ca}: no certificate of an authority: {_why(error)}") from None
    if certificate is not None and private_key is not None:
        try:
            context.load_cert_chain(str(certificate), str(private_key))
        except (OSError, ValueError) as error:
            names = f"{certificate} and {private_key}"
            raise LinkDown(f"{names}: no certificate and its key: {_why(error)}") from None
    return context


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
