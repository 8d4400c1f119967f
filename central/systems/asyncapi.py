"""The AsyncAPI 3.0 document of what crosses the network, made from the code that both ends run.

Channels and operations come from the one table of topics, payloads from the models that check every
message, so the document cannot say anything else than the code does. `docs/asyncapi.yaml` is what
this gives; a test makes it anew and compares.

A payload between devices and central is a compact JWS, or that JWS in a JWE, so `contentType` says
`application/jose`; the schema of a message is that of the event that was signed. What central
republishes for other systems, where it does, stands beside it: plain events.
"""

from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from central.settings import RepublishSettings
from central.systems import asyncapi_republished as republished
from scanner.alert import CENTRAL, MAX_PAYLOAD, TABLE, Message, envelope, source_of, type_of
from scanner.alert.messages import DeviceName, Thumbprint

SPECIFICATION = "3.0.0"
_SCHEMAS = "#/components/schemas"
_NAME: str = TypeAdapter(DeviceName).json_schema()["pattern"]
_SESSION_DAYS = 7
_KEEPALIVE_S = 10
_SAYS = {
    Message.ALERT: "a HIT or a POSSIBLE",
    Message.OUTCOME: "what the officer did of a referral",
    Message.STATS: "counts of an hour",
    Message.ROLLOUT: "what became of a list's publication at the device",
    Message.DRILL: "a drill began or ended; nothing of it is real",
    Message.STATUS: "birth, changes and last will",
    Message.ACK: "what central has committed",
    Message.ANSWER: "what central found about an alert",
    Message.COMMAND: "something that central asks",
    Message.TALLY: "what central holds of the device's sequence",
    Message.KEYS: "the keys that central signs with from now on",
    Message.UPDATE: "a hint: there is a new publication",
}


def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": SPECIFICATION,
        "info": _info(),
        "defaultContentType": "application/jose",
        "servers": {"site": _server(), "other": republished.server()},
        "channels": {
            **{message.value: _channel(message) for message in TABLE},
            **republished.channels(),
        },
        "operations": {**_operations(), **republished.operations()},
        "components": {
            "messages": {
                **{message.value: _message(message) for message in TABLE},
                **republished.messages(),
            },
            "schemas": _schemas(),
            "parameters": {
                "device": {"description": f"The device's name: {_NAME}, and not `ring`."},
                "ring": {"description": f"The ring's name: {_NAME}."},
                "prefix": {
                    "description": "The `prefix` of [republish] in central's configuration.",
                    "default": RepublishSettings().prefix,
                },
            },
            "securitySchemes": {
                "certificate": {
                    "type": "X509",
                    "description": "Each device's own certificate; its name is the device's.",
                }
            },
            "operationBindings": {
                "plain": _mqtt(retain=False),
                "retained": _mqtt(retain=True),
            },
        },
    }


def as_yaml() -> str:
    """The document as it stands in `docs/asyncapi.yaml`."""
    text: str = yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    return text


class _Plain(yaml.SafeDumper):
    """Writes out what stands twice, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Untitled(GenerateJsonSchema):
    """Without titles that only say a field's name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _info() -> dict[str, Any]:
    return {
        "title": "Borderpost over MQTT",
        "version": "1.0.0",
        "description": (
            "What devices at desks and headquarters say to each other. Every payload is a compact "
            "JWS over a CloudEvents 1.0 event; whoever receives one believes it by its signature, "
            "never by the broker that brought it. What carries document data may be encrypted to "
            "its receiver: then the JWS stands in a compact JWE. The rules of both ends are in "
            "docs/mqtt.md."
        ),
        "license": {
            "name": "Apache-2.0",
            "url": "https://www.apache.org/licenses/LICENSE-2.0",
        },
    }


def _server() -> dict[str, Any]:
    status = TABLE[Message.STATUS]
    return {
        "host": "{broker}:{port}",
        "protocol": "secure-mqtt",
        "protocolVersion": "5",
        "description": "The broker of a site; 3.1.1 is spoken where it knows no 5.",
        "variables": {
            "broker": {"default": "localhost", "description": "The broker's name."},
            "port": {"default": "8883", "description": "Its port."},
        },
        "security": [{"$ref": "#/components/securitySchemes/certificate"}],
        "bindings": {
            "mqtt": {
                "cleanSession": False,
                "keepAlive": _KEEPALIVE_S,
                "sessionExpiryInterval": _SESSION_DAYS * 24 * 3600,
                "lastWill": {
                    "topic": _address(Message.STATUS),
                    "qos": status.qos,
                    "retain": status.retained,
                    "message": "a status that says offline, signed beforehand",
                },
                "bindingVersion": "0.2.0",
            }
        },
    }


def _address(message: Message) -> str:
    return TABLE[message].topic.replace("<", "{").replace(">", "}")


def _named(message: Message) -> str:
    """What the topic of `message` names: a device or a ring."""
    return "ring" if message is Message.UPDATE else "device"


def _channel(message: Message) -> dict[str, Any]:
    named = _named(message)
    return {
        "address": _address(message),
        "summary": _SAYS[message],
        "servers": [{"$ref": "#/servers/site"}],
        "parameters": {named: {"$ref": f"#/components/parameters/{named}"}},
        "messages": {message.value: {"$ref": f"#/components/messages/{message}"}},
    }


def _operations() -> dict[str, Any]:
    """What each end sends and receives, by the names of the ends."""
    found: dict[str, Any] = {}
    for end in ("device", "central"):
        for message, row in TABLE.items():
            sends = row.from_central is (end == "central")
            action = "send" if sends else "receive"
            name = f"{end}{'Sends' if sends else 'Receives'}{message.value.capitalize()}"
            found[name] = _operation(message, end, action)
    return found


def _operation(message: Message, end: str, action: str) -> dict[str, Any]:
    row = TABLE[message]
    binding = "retained" if row.retained else "plain"
    told: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{message}"},
        "summary": f"{end} {action}s {_SAYS[message]}",
        "tags": [{"name": end}],
        "messages": [{"$ref": f"#/channels/{message}/messages/{message}"}],
        "bindings": {"$ref": f"#/components/operationBindings/{binding}"},
    }
    if row.sequenced:
        told["reply"] = {
            "channel": {"$ref": f"#/channels/{Message.ACK}"},
            "messages": [{"$ref": f"#/channels/{Message.ACK}/messages/{Message.ACK}"}],
        }
    return told


def _mqtt(*, retain: bool) -> dict[str, Any]:
    (qos,) = {row.qos for row in TABLE.values()}
    return {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": "0.2.0"}}


def _message(message: Message) -> dict[str, Any]:
    return {
        "name": type_of(message),
        "title": message.value,
        "summary": _SAYS[message],
        "contentType": "application/jose",
        "payload": {"$ref": f"{_SCHEMAS}/{_event_name(message)}"},
        "bindings": {"mqtt": {"contentType": "application/jose", "bindingVersion": "0.2.0"}},
        "x-jws-header": {"$ref": f"{_SCHEMAS}/JwsHeader"},
        "x-most-bytes": MAX_PAYLOAD,
    }


def _event_name(message: Message) -> str:
    return f"{message.value.capitalize()}Event"


def _schemas() -> dict[str, Any]:
    """The events, and whatever they are made of."""
    events: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    for message in TABLE:
        event = _schema_of(envelope.envelope_of(message), parts)
        event["title"] = _event_name(message)
        event["properties"]["type"] = {"const": type_of(message), "type": "string"}
        event["properties"]["source"] = _source(message)
        events[_event_name(message)] = event
    for model in republished.models():
        parts[model.__name__] = _schema_of(model, parts)
    return {**events, "JwsHeader": _header(), **dict(sorted(parts.items()))}


def _header() -> dict[str, Any]:
    properties = {
        "alg": {"const": envelope.ALGORITHM, "type": "string"},
        "kid": {"description": "The key's thumbprint.", **TypeAdapter(Thumbprint).json_schema()},
        "typ": {"const": "cloudevents+json", "type": "string"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _schema_of(model: type[BaseModel], parts: dict[str, Any]) -> dict[str, Any]:
    """The schema of `model`; what it refers to goes into `parts`."""
    schema = model.model_json_schema(
        ref_template=f"{_SCHEMAS}/{{model}}", schema_generator=_Untitled
    )
    parts |= schema.pop("$defs", {})
    return schema


def _source(message: Message) -> dict[str, Any]:
    if TABLE[message].from_central:
        return {"const": CENTRAL, "type": "string"}
    name = _NAME.removeprefix("^").removesuffix("$")
    return {"pattern": f"^{source_of(name)}$", "type": "string"}
