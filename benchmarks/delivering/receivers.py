"""How many alerts a second several `receive` processes carry into PostgreSQL.

One cheap publisher sends messages that were signed beforehand, of many devices in turn, and keeps a
bounded number of them on their way: it counts central's acknowledgements, which come only after a
commit. So the rate is what the receivers sustain, with the publisher, Mosquitto and PostgreSQL on
the same processors. PostgreSQL waits for the disk at each commit.
"""

import base64
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.delivering.headquarters import Headquarters
from benchmarks.delivering.processes import alone, cpu_s, memory_mb
from benchmarks.delivering.signed import signed_alerts
from benchmarks.delivering.sizes import Json, Sizes
from tests.delivery.both_ends import wait_for

ON_THEIR_WAY = 1_200
"""What a few dozen devices have under way together: well below what the broker holds."""
_WITHIN_S = 600.0
_UP_WITHIN_S = 60.0

Messages = Sequence[tuple[str, bytes]]


def measure(sizes: Sizes, work: Path) -> Json:
    with TemporaryDirectory(dir=work) as name, ExitStack() as stack:
        central = Headquarters(Path(name), "postgresql", stack)
        messages = signed_alerts(central.office, sizes.load_devices, sizes.load_alerts)
        central.broker.start()
        receivers = [central.start("receive") for _ in range(sizes.receivers)]
        wait_for(lambda: central.receiving() == sizes.receivers, _UP_WITHIN_S)
        parts = {
            "receivers": receivers,
            "mosquitto": central.broker_pids,
            "postgresql": central.store_pids,
        }
        before = {part: cpu_s(pids) for part, pids in parts.items()}
        told = alone(_publish, central.broker.port, messages)
        spent = {part: round(cpu_s(pids) - before[part], 1) for part, pids in parts.items()}
        stored = sum(1 for _ in central.office.store.all_alerts())
        memory = {part: round(memory_mb(pids)) for part, pids in parts.items()}
    if stored != len(messages):
        raise RuntimeError(f"{stored} of {len(messages)} alerts are stored")
    return {
        "alerts": stored,
        "devices": sizes.load_devices,
        "receivers": sizes.receivers,
        "per_s": round(stored / told["took_s"]),
        "slowest_tenth_per_s": told["slowest_tenth_per_s"],
        "cpu_s": {**spent, "publisher": told["cpu_s"]},
        "memory_mb": memory,
    }


def _publish(port: int, messages: Messages) -> Json:
    """Sends all, and waits until central has acknowledged all."""
    acknowledged: set[str] = set()
    tenths: list[float] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(ON_THEIR_WAY)
    subscribed: list[bool] = []

    def on_message(_client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        body = message.payload.split(b".")[1]
        event = json.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
        acknowledged.update(one["id"] for one in event["data"]["committed"])

    client.on_message = on_message
    client.on_subscribe = lambda *_: subscribed.append(True)
    client.connect("127.0.0.1", port)
    client.subscribe("borderpost/v1/+/ack", 1)
    deadline = time.monotonic() + _WITHIN_S
    while not subscribed:
        client.loop(0.05)
    cpu, began = time.process_time(), time.perf_counter()
    sent = 0
    while len(acknowledged) < len(messages):
        while sent < len(messages) and sent - len(acknowledged) < ON_THEIR_WAY:
            client.publish(*messages[sent], qos=1)
            sent += 1
        if client.loop(0.05):
            raise RuntimeError("the broker broke the publisher's connection")
        while len(acknowledged) * 10 >= (len(tenths) + 1) * len(messages):
            tenths.append(time.perf_counter())
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(acknowledged)} of {len(messages)} are acknowledged")
    steps = [after - before for before, after in zip([began, *tenths], tenths, strict=False)]
    return {
        "took_s": time.perf_counter() - began,
        "slowest_tenth_per_s": round(len(messages) / 10 / max(steps)),
        "cpu_s": round(time.process_time() - cpu, 1),
    }
