"""`docs/mqtt.md` says what the code does, no more and no less."""

import re
from enum import StrEnum
from pathlib import Path

import pytest
from pydantic import BaseModel

from firmware.delivery.window import Window
from scanner.alert import (
    MAX_ACKS,
    MAX_HELD,
    MAX_PAYLOAD,
    TABLE,
    Message,
    encryption,
    envelope,
    type_of,
)
from scanner.alert import messages as said
from scanner.mrz.document import Format, Kind
from scanner.watchlist.contract import Certainty, ListHealth, ListStatus

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mqtt.md").read_text()
MODELS: dict[str, type[BaseModel]] = {
    **{message.value: row.data for message, row in TABLE.items()},
    "alert: document": said.AlertDocument,
    "alert: match": said.AlertMatch,
    "place": said.Place,
    "list": said.ListVersion,
    "drill: step": said.DrillStep,
    "status: fault": said.DeviceFault,
    "status: updating": said.Updating,
    "ack: message": said.Acknowledged,
    "tally: missing": said.Missing,
    "keys: key": said.PublicKey,
}


def section(heading: str) -> str:
    level = heading.split(maxsplit=1)[0]
    return re.split(rf"^#{{1,{len(level)}}} ", PAGE.split(f"\n{heading}\n")[1], flags=re.M)[0]


def rows(text: str) -> list[list[str]]:
    found = re.findall(r"^\| (`.*) \|$", text, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in found]


def test_the_topics_are_the_topics() -> None:
    told = {tuple(row[:5]) for row in rows(section("## Topics"))}
    assert told == {
        (
            f"`{row.topic}`",
            "central → device" if row.from_central else "device → central",
            str(row.qos),
            "yes" if row.retained else "no",
            "yes" if row.sequenced else "no",
        )
        for row in TABLE.values()
    }


def test_every_message_and_part_has_its_section() -> None:
    assert set(re.findall(r"^### (.*)$", PAGE, re.MULTILINE)) == set(MODELS)


@pytest.mark.parametrize("heading", MODELS)
def test_the_fields_are_the_fields(heading: str) -> None:
    told = [row[0].strip("`") for row in rows(section(f"### {heading}"))]
    fields = MODELS[heading].model_fields
    assert sorted(told) == sorted(fields)


@pytest.mark.parametrize("heading", MODELS)
def test_a_field_that_may_be_null_says_so(heading: str) -> None:
    told = {row[0].strip("`"): row[1] for row in rows(section(f"### {heading}"))}
    for name, info in MODELS[heading].model_fields.items():
        if info.default is None:
            assert "null" in told[name], name


@pytest.mark.parametrize(
    ("heading", "field", "words"),
    [
        ("alert", "outcome", said.Alerting),
        ("alert: document", "format", Format),
        ("alert: document", "kind", Kind),
        ("alert: match", "certainty", Certainty),
        ("alert: match", "status", ListStatus),
        ("list", "health", ListHealth),
        ("outcome", "action", said.Action),
        ("rollout", "outcome", said.UpdateOutcome),
        ("drill", "phase", said.DrillPhase),
        ("drill", "end", said.DrillEnd),
        ("answer", "outcome", said.AnswerOutcome),
        ("command", "order", said.Order),
    ],
)
def test_the_words_of_a_field_are_its_words(heading: str, field: str, words: type[StrEnum]) -> None:
    told = {row[0].strip("`"): row[1] for row in rows(section(f"### {heading}"))}[field]
    assert set(re.findall(r"`([^`]+)`", told)) == {str(word) for word in words}


def test_the_attributes_of_the_envelope_are_its_attributes() -> None:
    told = [row[0].strip("`") for row in rows(section("## Envelope"))]
    assert told == list(envelope.envelope_of(Message.ALERT).model_fields)
    assert "`org.borderpost.<message>.v1`" in PAGE
    assert type_of(Message.ACK) == "org.borderpost.ack.v1"


def test_the_reasons_to_refuse_are_the_reasons() -> None:
    told = {row[0].strip("`") for row in rows(section("## Rules"))}
    code = "".join(Path(module.__file__).read_text() for module in (envelope, encryption))
    assert told == set(re.findall(r'(?:Forged|Malformed)\("(\w+)"\)', code))


def test_the_limits_are_the_limits() -> None:
    text = " ".join(PAGE.split())
    window = Window()
    for told in (
        f"at most {MAX_PAYLOAD} bytes",
        f"1 to {MAX_ACKS} messages",
        f"the latest last, at most {MAX_HELD}",
        f"exact ones first, at most {said.MAX_MATCHES}",
        f"the lists that were asked, at most {said.MAX_LISTS}",
        f"at most {window.room} are on their way at a time",
        f"after {window.first_s:.0f} s, doubling up to {window.longest_s:.0f} s",
        f"`alg` is `{envelope.ALGORITHM}`",
        f"at most {encryption.MAX_ENCRYPTED} bytes",
    ):
        assert told in text, told
