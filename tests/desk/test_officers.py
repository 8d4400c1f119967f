"""Who signs in at the desk, with what, and what becomes of who is idle, guesses, or is let go."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import Parameters
from argon2.low_level import Type

from firmware.officers import officers as kept_officers
from firmware.officers.duty import LONGEST_PAUSE_S, Duty, DutyRules, Why
from firmware.officers.officers import OfficerRefused, Officers, OfficersUnusable
from firmware.officers.roles import Officer, Right, Role
from firmware.record.journal import Journal
from tests.desk.at_the_prompt import Done, Prompt, configured
from tests.reading.scanner_simulator import ScannerSimulator
from tests.reading.source_consumer import Consumer, wait_until
from tests.reading.specimens_9303 import TD3
from tests.reading.test_source_serial import read, scanner

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PIN, OTHER_PIN, BADGE = "428190", "730255", "0077123456"
IDLE = timedelta(minutes=15)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that are quick to make, and to guess."""
    monkeypatch.setattr(kept_officers, "PARAMETERS", Parameters(Type.ID, 19, 16, 16, 1, 8, 1))


class Post:
    """A desk's officers, its journal and its clock, and whoever is on duty."""

    def __init__(self, folder: Path, mode: str, **rules: object) -> None:
        self.ticks = 1000.0
        self.file = folder / "officers.json"
        self.officers = Officers(self.file)
        self.officers.add("17", Role.OFFICER, pin=PIN, badge=BADGE)
        self.officers.add("ada", Role.SUPERVISOR, pin=OTHER_PIN, badge="0088000000")
        self.journal = Journal(folder / "journal.db", "desk-1")
        given: dict[str, object] = {"mode": mode, "idle": IDLE, "badge": re.compile("[0-9]{7,20}")}
        self.duty = Duty(
            self.officers,
            DutyRules(**given | rules),  # type: ignore[arg-type]
            self.journal,
            lambda: NOW,
            lambda: self.ticks,
        )

    def told(self) -> list[tuple[str, str | None, str]]:
        """What the journal says of signing in."""
        return [(one.what, one.officer, one.outcome) for one in self.journal.entries(NOW)]


@pytest.fixture
def by_pin(tmp_path: Path) -> Post:
    return Post(tmp_path, "pin")


@pytest.fixture
def by_badge(tmp_path: Path) -> Post:
    return Post(tmp_path, "badge")


def test_name_and_pin_sign_in_until_another_comes_or_one_signs_out(by_pin: Post) -> None:
    duty, changes = by_pin.duty, []
    duty.listen(lambda: changes.append(duty.name))
    assert (duty.officer, duty.locked, duty.may(Right.REFER)) == (None, True, False)
    assert duty.sign_in("17", PIN) is None
    assert (duty.officer, duty.locked) == (Officer("17", Role.OFFICER), False)
    assert duty.sign_in("ADA ", OTHER_PIN) is None
    duty.sign_out()
    duty.sign_out()
    assert (duty.name, duty.locked) == (None, True)
    assert by_pin.told() == [
        ("signed_in", "17", "pin"),
        ("signed_out", "17", "another came"),
        ("signed_in", "ada", "pin"),
        ("signed_out", "ada", "by hand"),
    ]
    assert changes[-2:] == ["ada", None]


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.OFFICER, {Right.CHECK, Right.REFER}),
        (Role.SUPERVISOR, set(Right)),
        (Role.TECHNICIAN, {Right.CHECK, Right.HEALTH}),
    ],
)
def test_each_role_may_what_it_is_there_for(role: Role, rights: set[Right]) -> None:
    assert {right for right in Right if Officer("17", role).may(right)} == rights


def test_where_nobody_signs_in_everybody_may_and_nothing_is_locked(tmp_path: Path) -> None:
    duty = Post(tmp_path, "off").duty
    refused = duty.sign_in("17", PIN)
    assert refused is not None
    assert (refused.code, duty.badge(BADGE), duty.name) == (Why.OFF, False, None)
    assert (duty.locked, all(duty.may(right) for right in Right)) == (False, True)
    assert not Post(tmp_path / "unlocked", "pin", lock=False).duty.locked


def test_wrong_pins_bring_growing_pauses_and_a_name_that_nobody_has_brings_the_same(
    by_pin: Post,
) -> None:
    waits: dict[str, list[tuple[str, float]]] = {"17": [], "nobody": []}
    for name, seen in waits.items():
        for _ in range(12):
            refused = by_pin.duty.sign_in(name, "000001")
            assert refused is not None
            seen.append((refused.code, refused.wait_s))
            by_pin.ticks += refused.wait_s
    assert waits["17"] == waits["nobody"]
    pauses = [wait for _, wait in waits["17"]]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.0, LONGEST_PAUSE_S)
    assert by_pin.duty.sign_in("ada", OTHER_PIN) is None, "others need not wait"
    assert by_pin.duty.sign_in("17", "000001") is not None
    early = by_pin.duty.sign_in("17", PIN)
    assert early is not None
    assert (early.code, early.wait_s) == (Why.WAIT, LONGEST_PAUSE_S)
    by_pin.ticks += LONGEST_PAUSE_S
    assert by_pin.duty.sign_in("17", PIN) is None
    refused_rows = [row for row in by_pin.told() if row[0] == "sign_in_refused"]
    assert refused_rows == [("sign_in_refused", None, "pin")] * 25


def test_a_badge_signs_in_alone_and_one_that_is_nobody_s_is_told(by_badge: Post) -> None:
    duty = by_badge.duty
    assert duty.badge(f" {BADGE}\t")
    assert duty.name == "17"
    assert duty.badge("0099999999")
    assert duty.refused is not None
    assert (duty.refused.code, duty.name) == (Why.WRONG, "17")
    assert duty.sign_in("", "0088000000") is None
    assert (duty.name, duty.refused) == ("ada", None)
    assert not duty.badge("L898902C36UTO7408122F1204159ZE184226B<<<<<10")
    assert not duty.badge("9" * 65)


def test_who_does_nothing_is_signed_out_and_a_document_or_a_touch_counts(by_pin: Post) -> None:
    duty = by_pin.duty
    duty.sign_in("17", PIN)
    by_pin.ticks += IDLE.total_seconds() - 1
    duty.active()
    by_pin.ticks += IDLE.total_seconds() - 1
    duty.look()
    assert duty.name == "17"
    by_pin.ticks += 2
    duty.look()
    assert (duty.name, duty.locked) == (None, True)
    assert by_pin.told()[-1] == ("signed_out", "17", "idle")


def test_who_is_removed_or_given_another_role_is_signed_out_and_a_file_that_is_away_changes_nothing(
    by_pin: Post,
) -> None:
    duty = by_pin.duty
    duty.sign_in("17", PIN)
    content = by_pin.file.read_bytes()
    by_pin.file.write_bytes(b"{")
    duty.look()
    refused = duty.sign_in("ada", OTHER_PIN)
    assert refused is not None
    assert (refused.code, duty.name) == (Why.UNUSABLE, "17")
    by_pin.file.write_bytes(content)
    by_pin.officers.remove("17")
    duty.look()
    assert duty.name is None


def test_a_journal_that_refuses_keeps_nobody_from_signing_in(
    by_pin: Post, caplog: pytest.LogCaptureFixture
) -> None:
    (by_pin.file.parent / "journal.db").write_bytes(b"no database at all, be it called so " * 99)
    assert by_pin.duty.sign_in("17", PIN) is None
    assert by_pin.duty.name == "17"
    assert "the journal is not written" in caplog.text


def test_neither_pin_nor_badge_stands_in_file_journal_or_log_and_the_file_is_its_owner_s_alone(
    by_pin: Post, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        by_pin.duty.sign_in("17", PIN)
        by_pin.duty.sign_in(OTHER_PIN, "17")
    by_pin.journal.close()
    kept = b"".join(path.read_bytes() for path in by_pin.file.parent.iterdir())
    for secret in (PIN, OTHER_PIN, BADGE):
        assert secret.encode() not in kept
        assert secret not in caplog.text
    assert by_pin.file.stat().st_mode & 0o777 == 0o600


def test_poor_pins_names_and_badges_are_refused_and_nothing_is_changed(by_pin: Post) -> None:
    officers, before = by_pin.officers, by_pin.file.read_bytes()
    for pin in ("12345", "123456", "987654", "111111", "abcdef", "1234567890123", "４２８１９０"):
        with pytest.raises(OfficerRefused, match="a PIN"):
            officers.give("17", pin=pin)
    for name in ("", "Ada", "a b", "-x", "x" * 33):
        with pytest.raises(OfficerRefused, match="a name is"):
            officers.add(name, Role.OFFICER, pin=PIN)
    with pytest.raises(OfficerRefused, match="somebody else's"):
        officers.give("ada", badge=BADGE)
    with pytest.raises(OfficerRefused, match="already"):
        officers.add("17", Role.TECHNICIAN, pin=OTHER_PIN)
    with pytest.raises(OfficerRefused, match="no officer"):
        officers.remove("18")
    assert by_pin.file.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff\xfe", b'{"format": 2, "salt": "00", "officers": []}', b"[" * 100_000],
)
def test_a_file_that_is_none_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "officers.json"
    file.write_bytes(content)
    with pytest.raises(OfficersUnusable, match=r"officers\.json: this is no file of officers"):
        Officers(file).by_pin("17", PIN)


def test_a_badge_over_the_serial_scanner_signs_in_and_is_no_document(
    by_badge: Post, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for family in ("generic", "arinc"):
        with ScannerSimulator(family, tmp_path / family) as simulator:
            source = scanner(family, simulator.link, is_no_document=by_badge.duty.badge)
            with Consumer(source) as consumer:
                wait_until(lambda source=source: source.health.ok)  # type: ignore[misc]
                simulator.show((BADGE,))
                wait_until(lambda: by_badge.duty.name == "17")
                simulator.show(TD3)
                assert read(consumer).lines == TD3
        by_badge.duty.sign_out()
    assert BADGE not in caplog.text


def test_a_technician_keeps_the_officers_by_command_and_each_change_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    borderpost = Prompt(capsys, monkeypatch)
    config = configured(tmp_path)

    def officers(*arguments: str, typed: str = "") -> Done:
        return borderpost("officers", *arguments, "--config", config, typed=typed)

    assert officers("add", "17", typed=f"{PIN}\n").stdout == "17 may sign in as officer\n"
    officers("add", "ada", "--role", "supervisor", "--badge", typed=BADGE)
    officers("set-pin", "ada", typed=OTHER_PIN)
    told = json.loads(officers("list", "--json").stdout)
    assert told == [
        {"name": "17", "role": "officer", "pin": True, "badge": False},
        {"name": "ada", "role": "supervisor", "pin": True, "badge": True},
    ]
    poor = officers("set-badge", "17", typed=BADGE)
    assert (poor.code, poor.stderr) == (1, "borderpost: that badge is somebody else's already\n")
    officers("remove", "17")
    assert officers("list").stdout == "ada  supervisor  pin and badge\n"
    kept = Officers(tmp_path / "data" / "officers.json")
    assert kept.by_badge(BADGE) == kept.by_pin("ada", OTHER_PIN) == Officer("ada", Role.SUPERVISOR)
    rows = Journal(tmp_path / "data" / "journal.db", "desk-1").entries(NOW - timedelta(days=999))
    assert [(row.what, row.officer, row.outcome) for row in rows] == [
        ("officer_added", "17", "officer"),
        ("officer_added", "ada", "supervisor"),
        ("officer_changed", "ada", "pin"),
        ("officer_removed", "17", ""),
    ]
