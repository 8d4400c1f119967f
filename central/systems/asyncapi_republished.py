"""The part of the AsyncAPI document that is about what central republishes for other systems."""

from typing import Any

from pydantic import BaseModel

from central.settings import RepublishSettings
from central.systems.republished import RepublishedAlert, RepublishedAnswer

_CHANNELS: dict[str, tuple[str, type[BaseModel], str]] = {
    "republishedAlert": ("alert", RepublishedAlert, "an alert, in the clear"),
    "republishedAnswer": ("answer", RepublishedAnswer, "an answer to one, in the clear"),
}
"""By the names of their channels: the last but one part of the topic, the model, what it says."""


def server() -> dict[str, Any]:
    """Where it is republished."""
    return {
        "host": "{broker}:{port}",
        "protocol": "mqtt",
        "description": (
            "The broker that [republish] in central's configuration names, where it is switched "
            "on. What goes there is neither signed nor encrypted."
        ),
        "variables": {
            "broker": {"default": RepublishSettings().host, "description": "The broker's name."},
            "port": {"default": str(RepublishSettings().port), "description": "Its port."},
        },
    }


def channels() -> dict[str, Any]:
    """The topics."""
    return {name: _channel(name) for name in _CHANNELS}


def messages() -> dict[str, Any]:
    """What goes there."""
    return {name: _message(name) for name in _CHANNELS}


def models() -> list[type[BaseModel]]:
    """What it is made of."""
    return [model for _, model, _ in _CHANNELS.values()]


def _channel(name: str) -> dict[str, Any]:
    part, _, says = _CHANNELS[name]
    return {
        "address": f"{{prefix}}/{part}/{{device}}",
        "summary": says,
        "servers": [{"$ref": "#/servers/other"}],
        "parameters": {
            each: {"$ref": f"#/components/parameters/{each}"} for each in ("prefix", "device")
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def operations() -> dict[str, Any]:
    """What central sends for other systems, and they receive."""
    return {
        f"{end}{verb}{name[0].upper()}{name[1:]}": {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": f"{end} {action}s {says}",
            "tags": [{"name": end}],
            "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
            "bindings": {"$ref": "#/components/operationBindings/plain"},
        }
        for name, (_, _, says) in _CHANNELS.items()
        for end, verb, action in (("central", "Sends", "send"), ("other", "Receives", "receive"))
    }


def _message(name: str) -> dict[str, Any]:
    _, model, says = _CHANNELS[name]
    return {
        "name": name,
        "title": says,
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
    }
