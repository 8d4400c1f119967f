"""The authority's commands as an operator meets them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from central.enrolment.authority import Authority
from central.store.store import Received, Store
from scanner.alert import Event, Message, StatusData, new_id, source_of, topic_of
from tests.delivery.both_ends import NOW, wait_for
from tests.delivery.site_broker import Client, Refused, SiteBroker
from tests.delivery.test_enrolment import run


class Office:
    """Headquarters' folder and configuration."""

    def __init__(self, folder: Path, *, brokers: tuple[Path, ...] = ()) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        self.authority = Authority(self.keys)
        self.url = f"sqlite:///{folder}/central.db"
        self.config = folder / "central.toml"
        self.config.write_text(
            f'[keys]\nfolder = "{self.keys}"\n[store]\nurl = "{self.url}"\n'
            f"[enrolment]\nbrokers = {json.dumps([str(one) for one in brokers])}\n"
        )

    def command(self, *arguments: str, code: int = 0) -> str:
        return run("central", *arguments, "--config", str(self.config), code=code)

    def listed(self) -> dict[tuple[str, str], str]:
        rows: list[dict[str, Any]] = json.loads(self.command("enrol", "list", "--json"))
        return {(row["sort"], row["name"]): row["state"] for row in rows}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_revoking_tells_the_brokers_on_this_machine(tmp_path: Path) -> None:
    office = Office(tmp_path, brokers=(tmp_path / "broker",))
    office.command("enrol", "desk-1", str(tmp_path / "desk-1"))
    with SiteBroker(office.authority, tmp_path / "broker") as broker:
        said = office.command("enrol", "worker", "w1", str(tmp_path / "w1"))
        assert "Mosquitto was told to read it" in said
        assert "hear nothing" not in said
        alert = topic_of(Message.ALERT, "desk-1")
        with (
            Client(broker.port, tmp_path / "desk-1") as desk,
            Client(broker.port, tmp_path / "w1") as worker,
        ):
            wait_for(lambda: worker.say(topic_of(Message.ACK, "desk-1")))
            assert desk.say(alert)
            said = office.command("enrol", "revoke", "desk-1")
            assert "desk-1 is enrolled no longer" in said
            assert "Mosquitto was told to read it" in said
            wait_for(lambda: not desk.say(alert))
        with pytest.raises(Refused):
            Client(broker.port, tmp_path / "desk-1")
        office.command("enrol", "revoke", "w1", "--sort", "worker")
        wait_for(lambda: _is_refused(broker.port, tmp_path / "w1"))
    assert "reads it when it is started" in office.command(
        "enrol", "worker", "w2", str(tmp_path / "w2")
    )


def test_a_revoked_device_is_a_stranger_to_central_at_once(office: Office, tmp_path: Path) -> None:
    office.command("enrol", "desk-1", str(tmp_path / "desk-1"))
    office.command("enrol", "token", "desk-2")
    assert office.authority.keys_of(source_of("desk-1"))
    said = office.command("enrol", "revoke", "desk-1")
    assert f"copy {office.keys}/authority/crl.pem" in said
    assert office.authority.keys_of(source_of("desk-1")) == ()
    assert "there is nothing to end" in office.command("enrol", "revoke", "desk-1", code=1)
    office.command("enrol", "revoke", "desk-2")
    assert office.listed() == {("device", "desk-1"): "revoked"}


def test_the_list_says_who_has_what(office: Office, tmp_path: Path) -> None:
    office.command("enrol", "desk-1", str(tmp_path / "desk-1"))
    office.command("enrol", "token", "desk-2")
    said = office.command("enrol", "worker", "w1", str(tmp_path / "w1"))
    assert "it hear nothing until `borderpost-central broker config`" in said
    office.command("enrol", "server", "console", str(tmp_path / "c"), "--host", "console.example")
    assert office.listed() == {
        ("device", "desk-1"): "enrolled",
        ("worker", "w1"): "enrolled",
        ("server", "console"): "enrolled",
        ("device", "desk-2"): "a token waits",
    }
    lines = office.command("enrol", "list").splitlines()
    assert any(line.startswith("console: server, enrolled until 20") for line in lines)


def test_a_certificate_is_renewed_by_the_command_that_made_it(
    office: Office, tmp_path: Path
) -> None:
    out = tmp_path / "console"
    again = ("enrol", "server", "console", str(out), "--host", "console.example")
    office.command(*again)
    key, before = (out / "tls.key").read_bytes(), (out / "tls.crt").read_bytes()
    office.command(*again, "--host", "10.0.0.7")
    assert (out / "tls.key").read_bytes() == key
    assert (out / "tls.crt").read_bytes() != before
    certificate = x509.load_pem_x509_certificate((out / "tls.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["console.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("enrol", "server", "console", "out"), 2, "give --host"),
        (("broker", "config", "out"), 2, "give --host"),
        (("enrol", "server", "console", "out", "--host", "a b"), 1, "no host's name"),
        (("enrol", "server", "con/sole", "out", "--host", "a"), 1, "a name is letters"),
        (("enrol", "worker", "../w", "out"), 1, "a name is letters"),
        (("enrol", "token", "ring"), 1, "cannot be called"),
        (("enrol", "revoke", "nobody"), 1, "there is nothing to end"),
        (("enrol", "sign", "nothing"), 1, "nothing: No such file"),
        (("enrol", "authority", "--network", "10.0.0.1/8"), 1, "this is no network"),
        (("keys", "rotate"), 1, "central has no key"),
        (("keys", "finish"), 1, "no key is announced"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(office.folder)
    assert words in office.command(*arguments, code=code)


def test_the_audit_trail_tells_what_the_authority_did(office: Office, tmp_path: Path) -> None:
    office.command("enrol", "desk-1", str(tmp_path / "desk-1"))
    office.command("enrol", "token", "desk-2")
    office.command("enrol", "revoke", "desk-1")
    office.command("keys", "rotate")
    rows = [json.loads(line) for line in office.command("audit", "list", "--json").splitlines()]
    assert [(row["action"], row["subject"]) for row in rows[:3]] == [
        ("device enrolled", "desk-1"),
        ("token issued", "desk-2"),
        ("device revoked", "desk-1"),
    ]
    assert rows[3]["action"] == "key announced"
    assert "holds" in office.command("audit", "verify")


def test_a_device_is_revoked_also_when_the_database_is_away(office: Office, tmp_path: Path) -> None:
    office.command("enrol", "desk-1", str(tmp_path / "desk-1"))
    office.config.write_text(office.config.read_text().replace("central.db", "none/x/central.db"))
    (tmp_path / "none").write_text("")
    assert "desk-1 is enrolled no longer" in office.command("enrol", "revoke", "desk-1")
    assert office.authority.devices() == []


def test_there_is_one_authority(office: Office, tmp_path: Path) -> None:
    office.command("enrol", "authority", "--name", "Utopia", "--domain", "border.example")
    assert "an authority already" in office.command("enrol", "authority", code=1)
    said = office.command(
        "enrol", "server", "x", str(tmp_path / "x"), "--host", "a.example", code=1
    )
    assert "may not speak for" in said


def test_a_damaged_authority_is_told_and_not_replaced(office: Office, tmp_path: Path) -> None:
    office.command("enrol", "desk-1", str(tmp_path / "desk-1"))
    key = office.keys / "authority" / "root.key"
    key.write_bytes(b"nothing")
    said = office.command("enrol", "desk-2", str(tmp_path / "desk-2"), code=1)
    assert "the authority's files are damaged" in said
    key.unlink()
    assert "put its folder back" in office.command("enrol", "desk-2", str(tmp_path / "d"), code=1)
    assert not (tmp_path / "desk-2").exists()
    assert office.authority.devices() == ["desk-1"]


def test_the_key_changes_once_every_device_holds_the_next(office: Office, tmp_path: Path) -> None:
    for name in ("desk-1", "desk-2"):
        office.command("enrol", name, str(tmp_path / name))
    first = office.authority.own.present().thumbprint()
    store = Store(office.url)
    announced = office.command("keys", "rotate").split()[0]
    assert "announced already" in office.command("keys", "rotate", code=1)
    hold(store, "desk-1", (first, announced), 1)
    hold(store, "desk-2", (first,), 1)
    told = json.loads(office.command("keys", "status", "--json"))
    assert (told["signs"], told["announced"]) == (first, announced)
    assert {row["device"]: row["holds"] for row in told["devices"]} == {
        "desk-1": True,
        "desk-2": False,
    }
    assert "desk-2: does not hold it" in office.command("keys", "status")
    assert "1 devices do not hold" in office.command("keys", "finish", code=1)
    assert office.authority.own.present().thumbprint() == first
    hold(store, "desk-2", (first, announced), 2)
    assert announced in office.command("keys", "finish")
    assert office.authority.own.present().thumbprint() == announced
    store.close()


def test_a_change_that_does_not_wait_keeps_the_key_before_for_who_was_away(
    office: Office, tmp_path: Path
) -> None:
    office.command("enrol", "desk-1", str(tmp_path / "desk-1"))
    first = office.authority.own.present().thumbprint()
    office.command("keys", "rotate")
    office.command("keys", "finish", "--without-waiting")
    before = office.authority.own.before()
    assert before is not None
    assert before.thumbprint() == first
    office.command("keys", "rotate")
    office.command("keys", "finish", "--without-waiting", "--forget")
    assert office.authority.own.before() is None


def hold(store: Store, device: str, keys: tuple[str, ...], boot: int) -> None:
    """The device has said that it holds these keys."""
    status = StatusData(boot=boot, central_keys=keys)
    event = Event(Message.STATUS, new_id(), source_of(device), NOW, status)
    store.commit([Received(device, event, b"signed")], datetime.now(UTC))


def _is_refused(port: int, folder: Path) -> bool:
    try:
        with Client(port, folder):
            return False
    except Refused:
        return True
