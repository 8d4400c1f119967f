"""`docs/asyncapi.yaml` says what the code does, in the form that AsyncAPI 3.0 lays down."""

import copy
import json
import re
import shutil
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from joserfc import jws
from jsonschema import Draft7Validator, FormatChecker
from jsonschema.validators import validator_for
from pydantic import ValidationError

from scanner.alert import (
    CENTRAL,
    TABLE,
    AckData,
    Acknowledged,
    Action,
    AnswerData,
    AnswerOutcome,
    CommandData,
    Data,
    DrillData,
    DrillEnd,
    DrillPhase,
    DrillStep,
    Event,
    JournalHead,
    KeysData,
    Message,
    Missing,
    Order,
    OutcomeData,
    PublicKey,
    RolloutData,
    StatsData,
    StatusData,
    TallyData,
    UpdateData,
    UpdateOutcome,
    Updating,
    envelope,
    new_id,
    new_key,
    ring_topic,
    seal,
    source_of,
    topic_of,
)
from scanner.alert.messages import DeviceFault
from tests.delivery.both_ends import NOW, PLACE, alert

ROOT = Path(__file__).parents[2]
PAGE: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
SPECS = "@asyncapi/specs@6.11.1"
KEY = new_key()


def sayings() -> dict[Message, Data]:
    """One message of each kind, with everything in it that it may hold."""
    said: dict[str, Any] = {"device": "desk-1", "counter": 7}
    full = alert(answer_until=NOW)
    key = PublicKey(x=KEY.as_dict(private=False)["x"])
    return {
        Message.ALERT: full,
        Message.OUTCOME: OutcomeData(alert=new_id(), action=Action.REFERRED, at=NOW, officer="47"),
        Message.STATS: StatsData(
            since=NOW,
            until=NOW,
            counts={"CLEAR": 40, "HIT": None},
            suppressed_below=5,
            issuers={"UTO": 31, "other": None},
            issuers_since=NOW,
            journal=JournalHead(n=812, hash="0" * 64),
        ),
        Message.ROLLOUT: RolloutData(
            list="sltd",
            ring="all",
            outcome=UpdateOutcome.REFUSED,
            from_version=7,
            version=7,
            publication=9,
            bytes=1,
            took_ms=1,
            code="probe",
            reason="it did not know a canary",
            at=NOW,
        ),
        Message.DRILL: DrillData(
            session=new_id(),
            phase=DrillPhase.ENDED,
            began_at=NOW,
            at=NOW,
            end=DrillEnd.TIME,
            officer="47",
            steps=(
                DrillStep(
                    exercise="clear",
                    expected="CLEAR",
                    shown="CLEAR",
                    act="let_pass",
                    right=True,
                    took_ms=2100,
                ),
            ),
        ),
        Message.STATUS: StatusData(
            epoch=new_id(),
            last_n=3,
            answers_held=(new_id(),),
            central_keys=(KEY.thumbprint(),),
            certificate_until=NOW,
            place=PLACE,
            lists=full.lists,
            ring="all",
            updating=Updating(list="sltd", done=3, total=4),
            faults=(DeviceFault(part="camera", message="it is gone"),),
        ),
        Message.ACK: AckData(**said, committed=(Acknowledged(id=new_id(), epoch=new_id(), n=1),)),
        Message.ANSWER: AnswerData(
            **said, alert=new_id(), outcome=AnswerOutcome.CONFIRMED, at=NOW, until=NOW
        ),
        Message.COMMAND: CommandData(**said, order=Order.DRILL, reason="it is Thursday", until=NOW),
        Message.TALLY: TallyData(
            **said, epoch=new_id(), high=9, high_id=new_id(), missing=(Missing(first=2, last=3),)
        ),
        Message.KEYS: KeysData(**said, keys=(key,)),
        Message.UPDATE: UpdateData(ring="all", counter=1, publication="sltd 8"),
    }


def sealed(message: Message, data: Data) -> bytes:
    row = TABLE[message]
    place = {"epoch": new_id(), "n": 5} if row.sequenced else {}
    source = CENTRAL if row.from_central else source_of("desk-1")
    return seal(Event(message, new_id(), source, datetime.now(UTC), data, **place), KEY)


def schema_of(pointer: str) -> Draft7Validator:
    """A validator for a part of the document."""
    return Draft7Validator({"$ref": pointer, **PAGE}, format_checker=FormatChecker())


def payload_schema(message: Message) -> Draft7Validator:
    return schema_of(PAGE["components"]["messages"][message]["payload"]["$ref"])


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def found_at(pointer: str) -> Any:
    part: Any = PAGE
    for step in pointer.removeprefix("#/").split("/"):
        part = part[step]
    return part


@pytest.fixture(scope="session")
def specification() -> dict[str, Any]:
    """AsyncAPI's own JSON Schema, from npm's package of it, kept in the virtual environment."""
    kept = Path(sys.prefix) / "asyncapi-3.0.0.json"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed, so AsyncAPI's own schema is not at hand")
        folder = kept.with_name(f"asyncapi-{uuid.uuid4()}")
        folder.mkdir()
        try:
            pack = [npm, "pack", SPECS, "--silent", "--pack-destination", str(folder)]
            if subprocess.run(pack, capture_output=True, timeout=60, check=False).returncode:
                pytest.skip("AsyncAPI's own schema is not at hand: npm does not reach its registry")
            (archive,) = folder.glob("*.tgz")
            with tarfile.open(archive) as opened:
                member = opened.extractfile("package/schemas/3.0.0-without-$id.json")
                assert member is not None
                (folder / "schema.json").write_bytes(member.read())
            (folder / "schema.json").replace(kept)
        finally:
            shutil.rmtree(folder)
    schema: dict[str, Any] = json.loads(kept.read_text())
    return schema


def test_the_document_is_what_the_command_gives() -> None:
    command = [sys.executable, "-m", "central.cli", "asyncapi"]
    given = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    told = (ROOT / "docs" / "asyncapi.yaml").read_text()
    assert given == told, "make it anew: borderpost-central asyncapi > docs/asyncapi.yaml"


def test_it_keeps_to_the_specification_s_own_schema(specification: dict[str, Any]) -> None:
    kind = validator_for(specification)
    assert [error.message for error in kind(specification).iter_errors(PAGE)] == []
    broken = copy.deepcopy(PAGE)
    broken["operations"]["deviceSendsAlert"]["action"] = "publish"
    assert list(kind(specification).iter_errors(broken))


def test_whatever_it_refers_to_is_in_it_and_nothing_is_in_it_for_nothing() -> None:
    named = set(references(PAGE))
    for pointer in named:
        assert found_at(pointer) is not None, pointer
    for part in PAGE["components"]:
        for name in PAGE["components"][part]:
            assert f"#/components/{part}/{name}" in named, name


def test_its_channels_are_the_topics_with_their_parameters() -> None:
    channels = PAGE["channels"]
    republished = {"republishedAlert", "republishedAnswer"}
    assert set(channels) == {message.value for message in TABLE} | republished
    for message, row in TABLE.items():
        address = channels[message]["address"]
        assert address == row.topic.replace("<", "{").replace(">", "}")
        assert set(re.findall(r"\{(\w+)\}", address)) == set(channels[message]["parameters"])
        filled = address.format(device="desk-1", ring="all")
        update = message is Message.UPDATE
        assert filled == (ring_topic("all") if update else topic_of(message, "desk-1"))


def test_each_message_is_sent_at_one_end_and_received_at_the_other_as_the_table_says() -> None:
    operations = PAGE["operations"]
    assert len(operations) == 2 * len(PAGE["channels"])
    for message, row in TABLE.items():
        name = message.value.capitalize()
        sender, receiver = ("central", "device") if row.from_central else ("device", "central")
        sent = operations[f"{sender}Sends{name}"]
        received = operations[f"{receiver}Receives{name}"]
        assert (sent["action"], received["action"]) == ("send", "receive")
        for operation in (sent, received):
            assert operation["channel"]["$ref"] == f"#/channels/{message}"
            assert operation["messages"] == [{"$ref": f"#/channels/{message}/messages/{message}"}]
            mqtt = found_at(operation["bindings"]["$ref"])["mqtt"]
            assert (mqtt["qos"], mqtt["retain"]) == (row.qos, row.retained)
            assert ("reply" in operation) is row.sequenced
            if row.sequenced:
                assert operation["reply"]["channel"] == {"$ref": "#/channels/ack"}


def test_every_schema_is_one() -> None:
    for schema in PAGE["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("message", Message)
def test_a_real_message_is_as_the_document_says(message: Message) -> None:
    signed = jws.extract_compact(sealed(message, sayings()[message]))
    told = PAGE["components"]["messages"][message]
    assert told["contentType"] == "application/jose"
    schema_of(told["x-jws-header"]["$ref"]).validate(signed.headers())
    payload_schema(message).validate(json.loads(signed.payload))


@pytest.mark.parametrize("message", Message)
def test_what_a_receiver_refuses_for_its_form_the_document_refuses(message: Message) -> None:
    event = json.loads(jws.extract_compact(sealed(message, sayings()[message])).payload)
    model = envelope.envelope_of(message)
    validator = payload_schema(message)
    refused = 0
    for broken in spoilt(event):
        try:
            model.model_validate_json(json.dumps(broken))
        except ValidationError:
            refused += 1
            assert not validator.is_valid(broken), broken
    assert refused > len(event)


def spoilt(part: Any) -> Iterator[Any]:
    """`part` with one thing in it wrong, in every place."""
    if isinstance(part, dict):
        yield {**part, "nobody_knows": 1}
        for name, value in part.items():
            yield {other: part[other] for other in part if other != name}
            yield from ({**part, name: wrong} for wrong in spoilt(value))
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from ([*part[:index], wrong, *part[index + 1 :]] for wrong in spoilt(value))
        yield part * 200
    else:
        yield from ([], {"a": 1}, "two\nlines", "x" * 70_000, -1, 2**60, 1.5)


def test_the_page_for_people_names_the_document() -> None:
    assert "](asyncapi.yaml)" in (ROOT / "docs" / "mqtt.md").read_text()
