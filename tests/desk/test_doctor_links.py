"""What the doctor says of what the device knows and whom it speaks to: lists and their keys, its
identity, outbox and journal, the brokers, the updates' server."""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.brokers import files as broker_files
from central.enrolment.authority import Authority
from central.enrolment.files import issue_worker
from firmware.delivery.outbox import Outbox
from firmware.doctor.context import Context
from firmware.doctor.desk_says import DeskSays
from firmware.doctor.finding import Finding, State
from firmware.officers.officers import Officers
from firmware.officers.roles import Role
from firmware.record.journal import Journal
from scanner.alert import Message, topic_of
from scanner.watchlist.age import ClockReading
from scanner.watchlist.keyring import write_keys
from tests import sealing
from tests.delivery.both_ends import MARKS, NOW, alert, wait_for
from tests.delivery.broker import free_port
from tests.delivery.site_broker import Client, SiteBroker
from tests.desk.desk_fixture import HEADER
from tests.desk.patient import Patient, found, only
from tests.listing import KEY, built, flip
from tests.updates.web_server import WebServer

OK, WARN, FAIL, SKIPPED = State


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


def with_list(patient: Patient, as_of: datetime) -> None:
    source = patient.folder / "sltd.csv"
    source.write_text(HEADER + "UTO,L898902C3,,passport,stolen,2026-01-05,R-1\n")
    built(source, patient.folder / "lists", "sltd", as_of=as_of)


def test_a_list_s_age_key_and_health_are_told(patient: Patient) -> None:
    context = patient.context()
    missing = only(context, "lists")
    assert (missing.state, missing.fix[:14]) == (FAIL, "bring it here:")
    assert only(context, "list_keys").state is SKIPPED
    with_list(patient, datetime.now(UTC) - timedelta(hours=5))
    locked = only(patient.context(), "lists")
    assert locked.state is FAIL
    assert "nothing is shown as clear without it" in locked.line
    assert only(patient.context(), "list_keys").state is FAIL
    write_keys(patient.folder / "list-keys" / "sltd.key", [KEY])
    fresh = only(patient.context(more='[clock]\ntrust = "machine"\n'), "lists")
    assert fresh.state is OK
    assert fresh.line == "sltd: version 1, 5 h old (3 days allowed)"
    late = replace(patient.context(), clock=_clock(datetime.now(UTC) + timedelta(days=9)))
    assert only(late, "lists").state is FAIL
    part = next(path for path in (patient.folder / "lists").rglob("directory"))
    flip(part, part.stat().st_size // 2)
    damaged = only(patient.context(), "lists")
    assert damaged.state is FAIL
    assert "borderpost list" in damaged.fix


def test_a_card_that_holds_its_own_list_s_key_is_told_and_the_key_is_not(patient: Patient) -> None:
    with_list(patient, datetime.now(UTC))
    write_keys(patient.folder / "list-keys" / "sltd.key", [KEY])
    finding = only(patient.context(), "list_keys")
    assert finding.state is WARN
    assert "on the same disk or card as the list" in finding.line
    assert KEY.secret.hex() not in finding.line + finding.fix


def _clock(now: datetime, *, unset_s: float = 0.0) -> ClockReading:
    return ClockReading(now, synchronised=unset_s == 0.0, unsynchronised_s=unset_s, grace_s=3600.0)


@pytest.mark.parametrize(
    ("unset_s", "is_set", "state", "words"),
    [
        (0.0, True, OK, "set from outside since boot"),
        (600.0, False, WARN, "in 50 min nothing is shown as clear any more"),
        (7200.0, False, FAIL, "not set for 2 h"),
        (0.0, False, OK, "trusted as configured; a battery-backed clock is there"),
    ],
)
def test_a_clock_is_judged_by_whether_it_was_set(
    patient: Patient, unset_s: float, is_set: bool, state: State, words: str
) -> None:
    clock = _clock(datetime.now(UTC), unset_s=unset_s)
    finding = only(replace(patient.context(), clock=clock, clock_set=is_set), "clock")
    assert finding.state is state
    assert words in finding.line


def test_what_must_last_is_written_to_looked_into_and_left_as_it_was(patient: Patient) -> None:
    data = patient.folder / "data"
    writable, *files = found(patient.context(), "files")
    assert writable.state is OK
    assert {one.state for one in files} == {SKIPPED}
    assert os.listdir(data) == [], "nothing is made that the desk ought to own"  # noqa: PTH208
    with closing(Outbox(data / "outbox.db", "desk-1", MARKS)) as outbox:
        outbox.put_alert(alert(), NOW)
        outbox.put_alert(alert(), NOW)
        by_name = _by_name(patient.context())
        assert by_name["outbox.db"].line.endswith("whole; 2 messages wait for central")
    with closing(Journal(data / "journal.db", "desk-1")) as journal:
        list(journal.entries(NOW))
    (data / "answers.db").write_bytes(b"no database at all, for a hundred bytes and more" * 9)
    by_name = _by_name(patient.context())
    assert {name: one.state for name, one in by_name.items()} == {
        "outbox.db": OK,
        "answers.db": FAIL,
        "journal.db": OK,
    }
    assert "move the file away" in by_name["answers.db"].fix


def _by_name(context: Context) -> dict[str, Finding]:
    _, *files = found(context, "files")
    return {Path(one.line.split(" ")[0].rstrip(":")).name: one for one in files}


def test_a_damaged_page_in_the_middle_of_a_file_is_found(patient: Patient) -> None:
    path = patient.folder / "data" / "journal.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE t (a TEXT)")
        file.execute("CREATE INDEX i ON t (a)")
        file.executemany("INSERT INTO t VALUES (?)", [(f"{n:04d}" * 20,) for n in range(500)])
        file.commit()
    with path.open("r+b") as raw:
        raw.seek(8 * 4096)
        raw.write(b"\xa5" * 4096)
    assert _by_name(patient.context())["journal.db"].state is FAIL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file somebody else's")
def test_a_file_that_a_command_of_root_s_has_made_is_told(patient: Patient) -> None:
    path = patient.folder / "data" / "outbox.db"
    path.write_bytes(b"")
    os.chown(patient.folder / "data", 12345, -1)
    finding = _by_name(patient.context())["outbox.db"]
    assert finding.state is FAIL
    assert f"chown -R borderpost: {patient.folder}/data" in finding.fix


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Authority, SiteBroker]]:
    folder = tmp_path_factory.mktemp("site")
    authority = Authority(folder / "keys")
    authority.enrol("desk-1", folder / "desk-1")
    with SiteBroker(authority, folder / "broker") as broker:
        yield authority, broker


def at_broker(patient: Patient, site: tuple[Authority, SiteBroker], port: int) -> Context:
    """A device of that site at a broker of that port."""
    identity = patient.folder / "identity"
    if not identity.exists():
        identity.symlink_to(site[1].folder.parent / "desk-1")
    return patient.context(more=f'[broker]\nhost = "localhost"\nport = {port}\n')


def running(context: Context, **more: str) -> Context:
    says = DeskSays.now(
        (), connected=True, link="link up since noon", lamps="none", identity=None, updates=None
    )
    return replace(context, desk=says.model_copy(update=more))


def test_a_broker_is_asked_in_mqtt_with_the_device_s_own_certificate(
    patient: Patient, site: tuple[Authority, SiteBroker]
) -> None:
    context = at_broker(patient, site, site[1].port)
    finding = only(context, "broker")
    assert finding.state is OK, finding
    assert "by TLS with its certificate, in MQTT 5" in finding.line
    assert {one.state for one in found(context, "certificate")} == {OK}
    assert only(context, "identity").line == "enrolled; it believes 1 of central's keys"


def test_keys_in_the_clear_are_told_where_they_could_be_sealed(
    patient: Patient, site: tuple[Authority, SiteBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = at_broker(patient, site, site[1].port)
    sealing.put_first(patient.folder / "programs", monkeypatch)
    (context.kernel.root / "run/systemd/system").mkdir(parents=True)
    clear, _ = found(context, "identity")
    assert (clear.state, clear.fix) == (WARN, "seal them to this machine: `sudo borderpost setup`")


def test_a_desk_that_is_connected_is_not_pushed_out_by_being_looked_at(
    patient: Patient, site: tuple[Authority, SiteBroker]
) -> None:
    context = at_broker(patient, site, site[1].port)
    files = patient.folder / "identity"
    with Client(site[1].port, files, client_id="desk-1", keep=True) as desk:
        finding = only(running(context), "broker")
        assert finding.state is OK
        assert "it is reached and takes the certificate (TLSv1.3)" in finding.line
        assert only(running(context), "link").line == "link up since noon"
        assert desk.say("borderpost/v1/desk-1/status", retain=False)
        assert desk.ended == []


def test_what_waits_for_the_device_at_the_broker_still_waits_afterwards(
    patient: Patient, site: tuple[Authority, SiteBroker]
) -> None:
    authority, broker = site
    context, files = at_broker(patient, site, broker.port), patient.folder / "identity"
    issue_worker(authority, "w1", patient.folder / "w1")
    broker_files.refresh(authority, broker.folder)
    topic = topic_of(Message.ANSWER, "desk-1")
    with Client(broker.port, files, client_id="desk-1", keep=True) as desk:
        desk.listen(topic)
    with Client(broker.port, patient.folder / "w1") as central:
        wait_for(lambda: central.say(topic, b"answer"))
    assert only(context, "broker").state is OK
    with Client(broker.port, files, client_id="desk-1", keep=True) as desk:
        wait_for(lambda: desk.heard == [(topic, b"answer")])


def test_a_broker_that_is_not_there_or_not_believed_is_told_by_its_reason(
    patient: Patient, site: tuple[Authority, SiteBroker], tmp_path: Path
) -> None:
    silent = only(at_broker(patient, site, free_port()), "broker")
    assert silent.state is FAIL
    assert "refused" in silent.line.lower()
    Authority(tmp_path / "other-keys").enrol("desk-1", tmp_path / "stranger")
    more = (
        f'[broker]\nhost = "localhost"\nport = {site[1].port}\n'
        f'ca = "{tmp_path}/stranger/ca.crt"\ncertificate = "{tmp_path}/stranger/tls.crt"\n'
        f'private_key = "{tmp_path}/stranger/tls.key"\n'
    )
    context = patient.context(more=more)
    for asked in (context, running(context)):
        finding = only(asked, "broker")
        assert finding.state is FAIL
        assert "the broker's certificate is not believed" in finding.line
    believed = more.replace(f"{tmp_path}/stranger/ca.crt", f"{patient.folder}/identity/ca.crt")
    for asked in (patient.context(more=believed), running(patient.context(more=believed))):
        finding = only(asked, "broker")
        assert finding.state is FAIL, finding
        assert "certificate is not believed" not in finding.line


def test_a_certificate_is_told_before_it_ends(
    patient: Patient, site: tuple[Authority, SiteBroker]
) -> None:
    context = at_broker(patient, site, site[1].port)

    def after(days: int) -> Finding:
        clock = _clock(datetime.now(UTC) + timedelta(days=days))
        return found(replace(context, clock=clock), "certificate")[0]

    assert after(0).state is OK
    assert (after(80).state, after(100).state) == (WARN, FAIL)
    assert after(-9).state is WARN
    assert "clock" in after(-9).fix
    worried = running(context, identity="the certificate is not renewed: no answer")
    assert "no answer" in found(worried, "certificate")[0].line


def test_a_device_that_is_not_enrolled_is_told_how(patient: Patient) -> None:
    context = patient.context()
    finding = only(context, "identity")
    assert (finding.state, finding.fix[:16]) == (FAIL, "enrol the device")
    for check in ("broker", "certificate"):
        assert only(context, check).line == "the device is not enrolled: see identity"


def test_the_updates_server_and_the_last_outcome_are_told(patient: Patient) -> None:
    assert only(patient.context(), "updates_server").state is SKIPPED
    published = patient.folder / "published"
    (published / "metadata").mkdir(parents=True)
    with WebServer(published).serving() as server:
        root = patient.folder / "root.json"
        context = patient.context(more=f'[updates]\nurl = "{server.url}"\nroot = "{root}"\n')
        rootless = only(context, "updates_server")
        assert (rootless.state, "1.root.json" in rootless.fix) == (FAIL, True)
        root.write_bytes(b"{}")
        nothing = only(context, "updates_server")
        assert (nothing.state, "no such file" in nothing.line) == (FAIL, True)
        (published / "metadata" / "timestamp.json").write_bytes(b"{}")
        assert only(context, "updates_server").state is OK
    assert only(context, "updates_server").state is FAIL
    assert only(context, "updates").state is SKIPPED
    failed = running(context).desk
    assert failed is not None
    says = failed.model_copy(update={"updates": ("update of sltd: slow: it trickles",)})
    assert only(replace(context, desk=says), "updates").line == "update of sltd: slow: it trickles"


def test_a_desk_that_nobody_can_sign_in_at_is_told(patient: Patient) -> None:
    assert only(patient.context(), "officers").state is SKIPPED
    file = patient.folder / "officers.json"
    context = patient.context(more=f'[officers]\nsign_in = "badge"\nfile = "{file}"\n')
    assert only(context, "officers").state is FAIL
    officers = Officers(file)
    officers.add("mina", Role.OFFICER, badge="B-1001-77")
    assert only(context, "officers").state is WARN
    officers.add("ruth", Role.SUPERVISOR, badge="B-1001-78")
    finding = only(context, "officers")
    assert (finding.state, "2 can sign in by badge" in finding.line) == (OK, True)
    assert "mina" not in finding.line
    file.write_text("{}")
    assert only(context, "officers").state is FAIL


def test_the_page_is_asked_for_where_the_desk_runs(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        context = patient.context(more=f"[kiosk]\nenabled = true\nport = {port}\n")
        assert only(context, "kiosk").state is SKIPPED
        assert only(running(context), "kiosk").state is OK
    assert only(running(context), "kiosk").state is FAIL
