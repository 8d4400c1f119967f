"""`borderpost-central` as an operator meets it."""

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.enrolment.authority import Authority, NotEnrolled
from central.settings import Settings, load
from central.store.store import Received, Store
from scanner.alert import Event, Message, new_id, read_key, source_of
from scanner.alert.keyset import read_key_set
from tests.delivery.both_ends import NOW, Desk, HeadOffice, alert
from tests.in_process import borderpost_central

ROOT = Path(__file__).parents[2]
HEADER = "issuer,number,number_to,kind,status,recorded,reference\n"


def run(*arguments: str, code: int = 0) -> tuple[str, list[str]]:
    """What a command prints, and its lines on stderr."""
    return ended(borderpost_central(*arguments), code)


def started(*arguments: str, code: int = 0) -> tuple[str, list[str]]:
    """The same, of a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "central.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return ended(done, code)


def ended(done: subprocess.CompletedProcess[str], code: int) -> tuple[str, list[str]]:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr.splitlines()


def store_alert(office: HeadOffice, answer_until: datetime | None = None) -> str:
    data = alert(answer_until=answer_until)
    event = Event(Message.ALERT, new_id(), source_of("desk-1"), NOW, data, new_id(), 1)
    office.store.commit([Received("desk-1", event, b"signed")], datetime.now(UTC))
    return event.id


def test_enrolling_gives_a_device_its_keys_and_writes_over_nothing(tmp_path: Path) -> None:
    out, keys = tmp_path / "out", tmp_path / "keys"
    started("enrol", "desk-1", str(out), "--keys", str(keys))
    private = read_key(out / "device.jwk", private=True)
    (registered,) = read_key_set(keys / "devices" / "desk-1.pub.jwk").signing
    assert private.thumbprint() == registered.thumbprint()
    (pinned,) = read_key_set(out / "central.pub.jwk").signing
    assert pinned.thumbprint() == read_key(keys / "central.jwk", private=True).thumbprint()
    for secret in (
        out / "device.jwk",
        out / "tls.key",
        keys / "central.jwk",
        keys / "authority" / "root.key",
    ):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.jwk")}
    for arguments in (("desk-1", str(tmp_path / "new")), ("desk-2", str(out))):
        _, said = run("enrol", *arguments, "--keys", str(keys), code=1)
        assert len(said) == 1
        assert "there is a key already" in said[0]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.jwk")} == before


@pytest.mark.parametrize("name", ["ring", "a/b", "+", "#", "", "..", "x" * 64, "a b"])
def test_a_name_that_could_be_no_topic_is_not_enrolled(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotEnrolled, match="cannot be called"):
        Authority(tmp_path / "keys").enrol(name, tmp_path / "out")
    assert list(tmp_path.rglob("*.jwk")) == []


def test_building_a_list_reports_every_bad_row_and_builds_only_when_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    source = tmp_path / "sltd.csv"
    source.write_text(
        HEADER
        + "UTO,L898902C3,,passport,stolen,2026-01-05,R-1\n"
        + "UTO,,,passport,stolen,2026-01-05,R-2\n"
        + "UTO,X1234567,,passport,mislaid,2026-01-05,R-3\n"
    )
    out, said = run("lists", "build", str(source), str(tmp_path / "lists"), code=1)
    assert "made a key for list sltd" in out
    assert len(out.splitlines()) == 1
    assert [line.split(": ")[1] for line in said[:2]] == ["line 3", "line 4"]
    assert "--skip-bad-rows" in said[2]
    line = ("lists", "build", str(source), str(tmp_path / "lists"), "--skip-bad-rows")
    out, said = run(*line, "--name", "stolen", "--as-of", "2026-11-23T04:00:00Z")
    assert "list stolen version 1, 1 records" in out
    assert len(said) == 2


def test_the_alerts_are_listed_and_answered(office: HeadOffice) -> None:
    config = ("--config", str(office.config))
    late = store_alert(office, answer_until=NOW - timedelta(minutes=1))
    soon = store_alert(office, answer_until=datetime.now(UTC) + timedelta(hours=1))
    out, _ = started("alerts", *config)
    assert [("LATE" in line, line.split()[-1]) for line in out.splitlines()] == [
        (True, late),
        (False, soon),
    ]
    choice = ("--not-confirmed", "--instruction", "Let go.", "--holds-hours", "2")
    run("alerts", "answer", late, *choice, *config)
    out, _ = run("alerts", "--json", *config)
    first, second = json.loads(out)
    assert (first["id"], first["late"], first["outcome"]) == (late, True, "HIT")
    assert first["document"]["number"] == "L898902C3"
    (answer,) = first["answers"]
    assert (answer["outcome"], answer["instruction"]) == ("not_confirmed", "Let go.")
    assert answer["held_at"] is None
    assert second["answers"] == []


def test_the_devices_are_listed_also_those_that_were_never_heard(
    office: HeadOffice, desk: Desk
) -> None:
    office.enrol("desk-2")
    store_alert(office)
    out, _ = started("devices", "--config", str(office.config))
    first, second = out.splitlines()
    assert first.startswith("desk-1")
    assert "heard 20" in first
    assert second == "desk-2  never heard"
    out, _ = run("devices", "--troubled", "--config", str(office.config), code=1)
    first, second, last = out.splitlines()
    assert "it never said how it is" in first
    assert second == "desk-2  -  never heard since it was enrolled"
    assert last == "0 of 2 devices are well"


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("receive", "--no-such-option"),
        ("receive", "--config", "/no/such/file.toml"),
        ("alerts", "answer", "x", "--confirmed", "--need-more"),
        ("alerts", "answer", "x"),
        ("alerts", "answer", "x", "--confirmed", "--holds-hours", "-1"),
        ("alerts", "answer", "x", "--confirmed", "--instruction", "two\nlines"),
        ("enrol",),
        ("lists", "build", "a.csv", "out", "--as-of", "yesterday"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: tuple[str, ...]) -> None:
    out, said = run(*arguments, code=2)
    assert (out, len(said)) == ("", 1)
    assert said[0].startswith("borderpost-central: ")


def test_whatever_else_goes_wrong_is_one_line_and_exit_code_1(
    tmp_path: Path, office: HeadOffice
) -> None:
    office.enrol("desk-1")
    config = ("--config", str(office.config))
    _, said = run("alerts", "answer", new_id(), "--confirmed", *config, code=1)
    assert "there is no alert" in said[0]
    bad = tmp_path / "bad.toml"
    for url in ("sqlite:////proc/no/such/folder/central.db", "nothing", "oracle://x"):
        bad.write_text(f'[store]\nurl = "{url}"\n[keys]\nfolder = "{tmp_path}/keys"\n')
        _, said = run("alerts", "--config", str(bad), code=1)
        assert len(said) == 1
    bad.write_text(f'[store]\nurl = "{office.url}"\n[keys]\nfolder = "{tmp_path}/none"\n')
    _, said = started("receive", "--config", str(bad), code=1)
    assert "central has no key" in said[0]


def test_every_error_of_a_settings_file_is_said_at_once(tmp_path: Path) -> None:
    config = tmp_path / "central.toml"
    config.write_text('[broker]\nport = 99999\nprotocol = "4"\nhots = "x"\n')
    _, said = run("receive", "--config", str(config), code=2)
    assert [line.split(": ")[2] for line in said] == ["line 2", "line 3", "line 4"]


def test_the_documented_settings_are_the_settings_with_their_defaults(tmp_path: Path) -> None:
    text = (ROOT / "config" / "central.toml").read_text()
    told = tmp_path / "told.toml"
    rows = [line.removeprefix("# ") if " = " in line else line for line in text.splitlines()]
    told.write_text("\n".join(rows))
    stated = load(told)
    documented = {f"{section}.{key}" for section, value in stated for key in value.model_fields_set}
    every = {
        f"{section}.{key}" for section, value in Settings() for key in type(value).model_fields
    }
    assert documented == every
    assert _without_examples(stated) == load(ROOT / "config" / "central.toml")


def _without_examples(stated: Settings) -> Settings:
    """Where a setting has no default, or is an empty list, the file shows an example."""
    sections = {}
    for name, section in stated:
        fields = type(section).model_fields.items()
        examples = {f: about.default for f, about in fields if about.default in (None, ())}
        sections[name] = section.model_copy(update=examples)
    return stated.model_copy(update=sections)


def test_a_store_that_cannot_be_written_keeps_what_it_was_given_out_of_the_error(
    tmp_path: Path,
) -> None:
    store = Store(f"sqlite:///{tmp_path}/central.db")
    event = Event(Message.ALERT, new_id(), source_of("d"), NOW, alert(), new_id(), 1)
    store.close()
    for path in tmp_path.glob("central.db*"):
        path.unlink()
    (tmp_path / "central.db").write_bytes(b"no database at all, whatever it is called " * 99)
    with pytest.raises(Exception, match="the store refuses: file is not a database") as caught:
        store.commit([Received("d", event, b"signed")], NOW)
    assert "L898902C3" not in str(caught.value)
