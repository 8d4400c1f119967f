"""A device is enrolled: by a token over the network, by files without one, and never by halves."""

import io
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509

from central.cli import app as central_app
from central.enrolment.authority import Authority
from central.enrolment.enrolling import Enrolment, EnrolmentRefused
from central.enrolment.tokens import Tokens
from firmware.cli import app as firmware_app
from firmware.identity import enrolling as at_device
from firmware.identity.enrolling import EnrolmentFailed, begin, complete, is_enrolled
from firmware.identity.identity import Identity
from scanner.alert import Event, Forged, Message, StatusData, new_id, seal, source_of, topic_of
from scanner.alert.enrolment import Unacceptable, read_renewal, read_request
from scanner.alert.enrolment_token import NoToken, parse_token
from scanner.command_line import run_command
from tests.delivery.both_ends import NOW, wait_for
from tests.delivery.broker import free_port, listens

PRIVATE = ("device.jwk", "device.enc.jwk", "tls.key", "marks.key")


class HeadOffice:
    """Headquarters: its folder of keys and, in `serving`, its enrolment service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "central-keys"
        self.authority = Authority(self.keys)
        self.enrolment = Enrolment(self.authority, self.keys / "authority")
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.config = folder / "central.toml"
        self.config.write_text(
            f'[keys]\nfolder = "{self.keys}"\n[store]\nurl = "sqlite:///{folder}/central.db"\n'
            f'[enrolment]\nport = {self.port}\nnames = ["localhost"]\n'
        )
        self._configured = ("--config", str(self.config))
        self.log = folder / "service.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str, code: int = 0) -> str:
        return run("central", *arguments, *self._configured, code=code)

    def serve(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "central.cli", "enrol", "serve", *self._configured],
                stderr=log,
            )
        wait_for(lambda: listens(self.port))

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(10) == 0
            self._process = None


def run(program: str, *arguments: str, code: int = 0, say: str = "") -> str:
    """What a command prints; where it is to fail, its one line on stderr."""
    app = {"central": central_app, "firmware": firmware_app}[program]
    told, failed = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patching, redirect_stdout(told), redirect_stderr(failed):
        patching.setattr(sys, "argv", [program, *arguments])
        patching.setattr(sys, "stdin", io.StringIO(say))
        ended = run_command(app, program)
    assert ended == code, failed.getvalue()
    if code == 0:
        return told.getvalue()
    (line,) = failed.getvalue().splitlines()
    return line


def device(
    folder: Path, *arguments: str, code: int = 0, say: str = "", name: str = "desk-1"
) -> str:
    """`borderpost enrol` on a device whose identity is in `folder`."""
    where = ("--device", name, "--folder", str(folder))
    return run("firmware", "enrol", *arguments, *where, code=code, say=say)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeadOffice]:
    """Headquarters whose service runs."""
    one = HeadOffice(tmp_path_factory.mktemp("office"))
    one.serve()
    yield one
    one.stop()


def believes(authority: Authority, identity: Identity, name: str) -> bool:
    """Whether central believes what the device says now."""
    event = Event(Message.STATUS, new_id(), source_of(name), NOW, StatusData())
    try:
        authority.unseal(topic_of(Message.STATUS, name), seal(event, identity.signing))
    except Forged:
        return False
    return True


def works(authority: Authority, folder: Path, name: str) -> bool:
    """Whether the identity in `folder` is whole and believed by central."""
    identity = Identity(folder)
    identity.tls()
    assert identity.certificate is not None
    assert authority.certificates.is_ours(identity.certificate, name)
    assert identity.central_keys == tuple(
        key.thumbprint() for key in authority.own.public().signing
    )
    return believes(authority, identity, name)


def test_a_device_enrols_itself_with_a_token(office: HeadOffice, tmp_path: Path) -> None:
    token = office.command("enrol", "token", "desk-1").strip()
    folder = tmp_path / "identity"
    said = device(folder, office.url, say=token.upper().replace("-", " ") + "\n")
    assert "desk-1 is enrolled" in said
    assert works(office.authority, folder, "desk-1")
    for name in PRIVATE:
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert Identity(folder).service == office.url
    assert "desk-1  device  device enrolled  desk-1" in office.command("audit", "list")
    secrets = [(folder / name).read_bytes() for name in PRIVATE]
    kept = b"".join(path.read_bytes() for path in office.keys.rglob("*") if path.is_file())
    assert not any(secret in kept for secret in secrets)
    assert token.encode() not in kept
    assert "enrolled already" in device(folder, office.url, say=token, code=1)


def test_a_technician_has_a_device_renew_at_once(office: HeadOffice, tmp_path: Path) -> None:
    folder = tmp_path / "identity"
    device(folder, office.url, say=office.command("enrol", "token", "desk-20"), name="desk-20")
    before = Identity(folder)
    assert "has new keys" in device(folder, "--renew", name="desk-20")
    after = Identity(folder)
    assert after.signing.thumbprint() != before.signing.thumbprint()
    assert after.marks == before.marks
    assert believes(office.authority, after, "desk-20")
    assert "give one of" in device(folder, "--renew", "--request", "x", code=2, name="desk-20")


def test_a_token_counts_once_and_for_its_device_alone(office: HeadOffice, tmp_path: Path) -> None:
    token = office.enrolment.token("desk-2")
    assert "for another device" in device(tmp_path / "a", office.url, say=token, code=1)
    device(tmp_path / "b", office.url, say=token, name="desk-2")
    for again in (("--again",), ()):
        said = device(tmp_path / "c", office.url, *again, say=token, name="desk-2", code=1)
        assert "was used already" in said
    assert works(office.authority, tmp_path / "b", "desk-2")
    old = office.enrolment.token("desk-3", hours=-0.01)
    assert "has run out" in device(tmp_path / "d", office.url, say=old, name="desk-3", code=1)
    log = office.log.read_text()
    for said in ("desk-1 at 127.0.0.1: another device", "desk-2 at 127.0.0.1: used", "run out"):
        assert log.count(said) >= 1
    assert token not in log


def test_an_answer_that_was_lost_is_given_again_for_the_same_request(
    office: HeadOffice, tmp_path: Path
) -> None:
    token, folder = office.enrolment.token("desk-4"), tmp_path / "identity"
    asked = begin(folder, "desk-4")
    assert office.enrolment.enrol(token, asked.request)
    assert not is_enrolled(folder)
    device(folder, office.url, say=token, name="desk-4")
    assert works(office.authority, folder, "desk-4")


def test_a_device_says_its_token_to_no_other_authority(office: HeadOffice, tmp_path: Path) -> None:
    other = Enrolment(Authority(tmp_path / "keys"), tmp_path / "keys" / "authority")
    token = other.token("desk-1")
    before = office.log.read_text()
    said = device(tmp_path / "identity", office.url, say=token, code=1)
    assert "not the authority that the token names" in said
    assert office.log.read_text() == before
    assert not (tmp_path / "identity").exists()


def test_a_service_under_another_name_is_not_believed(office: HeadOffice, tmp_path: Path) -> None:
    token = office.enrolment.token("desk-5")
    said = device(tmp_path / "identity", f"https://127.0.0.1:{office.port}", say=token, code=1)
    assert "its certificate is not believed" in said


@pytest.mark.parametrize("token", ["", "abc", "a" * 56, "0189" * 14, "é" * 56])
def test_what_is_no_token_is_told_at_the_device(tmp_path: Path, token: str) -> None:
    with pytest.raises(NoToken, match="this is no token"):
        parse_token(token)


def test_a_slip_in_a_token_is_told_at_the_device(office: HeadOffice, tmp_path: Path) -> None:
    token = office.enrolment.token("desk-6")
    wrong = ("b" if token[0] != "b" else "c") + token[1:]
    said = device(tmp_path / "identity", f"https://localhost:{free_port()}", say=wrong, code=1)
    assert "a character is wrong" in said


def test_nobody_who_is_refused_too_often_keeps_the_service_busy(tmp_path: Path) -> None:
    office = HeadOffice(tmp_path)
    office.serve()
    try:
        statuses = [_post(office, "/v1/renew", b"nothing") for _ in range(14)]
        assert statuses == [403] * 10 + [429] * 4
        assert _post(office, "/v1/enrol", b"x" * 100_000) == 429
        assert office.log.read_text().count("form, ") == 10
    finally:
        office.stop()


def test_a_device_is_enrolled_by_files_without_a_network(
    office: HeadOffice, tmp_path: Path
) -> None:
    folder, request = tmp_path / "identity", tmp_path / "request"
    device(folder, "--request", str(request), name="desk-7")
    at_central = office.command("enrol", "sign", str(request))
    at_desk = device(folder, "--accept", str(tmp_path / "request.answer"), name="desk-7")
    assert works(office.authority, folder, "desk-7")
    told = [said.splitlines()[1].rpartition(": ")[2] for said in (at_central, at_desk)]
    assert told[0] == told[1]
    assert len(told[0]) > 64


def test_an_answer_to_another_request_changes_nothing(office: HeadOffice, tmp_path: Path) -> None:
    one, other = begin(tmp_path / "one", "desk-8"), begin(tmp_path / "other", "desk-8")
    _, answer = office.enrolment.sign(one.request)
    with pytest.raises(EnrolmentFailed, match="answers another request"):
        complete(tmp_path / "other", other, answer, token=None, service=None)
    assert not is_enrolled(tmp_path / "other")
    for damaged in (answer[:-9] + b"AAAAAAAAA", answer[: len(answer) // 2], b"", b"\xff" * 40_000):
        with pytest.raises(EnrolmentFailed, match="not believed"):
            complete(tmp_path / "one", one, damaged, token=None, service=None)
    assert not is_enrolled(tmp_path / "one")


def test_a_device_that_is_enrolled_is_not_enrolled_over_by_somebody_else(
    office: HeadOffice, tmp_path: Path
) -> None:
    folder = tmp_path / "identity"
    device(folder, office.url, say=office.enrolment.token("desk-10"), name="desk-10")
    assert "--again" in office.command("enrol", "token", "desk-10", code=1)
    stranger = begin(tmp_path / "stranger", "desk-10")
    with pytest.raises(EnrolmentRefused, match="enrolled already"):
        office.enrolment.sign(stranger.request)
    assert works(office.authority, folder, "desk-10")


def test_a_device_that_is_enrolled_anew_keeps_what_it_remembers_and_nothing_else(
    office: HeadOffice, tmp_path: Path
) -> None:
    folder = tmp_path / "identity"
    device(folder, office.url, say=office.enrolment.token("desk-11"), name="desk-11")
    before = Identity(folder)
    token = office.enrolment.token("desk-11", again=True)
    device(folder, office.url, "--again", say=token, name="desk-11")
    now = Identity(folder)
    assert works(office.authority, folder, "desk-11")
    assert now.marks == before.marks
    assert not believes(office.authority, before, "desk-11")
    assert before.certificate is not None
    assert not office.authority.certificates.is_ours(before.certificate, "desk-11")


class PowerCut(BaseException):
    """The power goes."""


class Power:
    """Goes after `steps` steps that change the device's disk, and stays away."""

    def __init__(self, steps: int, patching: pytest.MonkeyPatch) -> None:
        self._left, self._at_device = steps, True
        for name in ("mkdir", "rename", "replace", "rmdir", "unlink"):
            patching.setattr(Path, name, self._guarded(getattr(Path, name)))
        patching.setattr(os, "fsync", self._guarded(os.fsync))
        patching.setattr(shutil, "rmtree", self._guarded(shutil.rmtree))

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """What happens within is not at the device."""
        self._at_device = False
        yield
        self._at_device = True

    def _guarded(self, step: Callable[..., object]) -> Callable[..., object]:
        def guard(*arguments: object, **more: object) -> object:
            if self._at_device:
                self._left -= 1
                if self._left < 0:
                    raise PowerCut
            return step(*arguments, **more)

        return guard


def cut_everywhere(attempt: Callable[[Power, Path], None], check: Callable[[Path], None]) -> int:
    """Cuts the power at the 1st, 2nd … step of `attempt`, each time in a place of its own, until it
    comes through; after each cut `check` is to hold. Gives how many cuts there were."""
    for count in range(200):
        place = Path(tempfile.mkdtemp())
        with pytest.MonkeyPatch.context() as patching:
            power = Power(count, patching)
            try:
                attempt(power, place)
            except PowerCut:
                cut = True
            else:
                cut = False
        check(place)
        shutil.rmtree(place)
        if not cut:
            return count
    raise AssertionError("it never came through")


def test_a_power_cut_leaves_no_identity_or_a_whole_one(office: HeadOffice) -> None:
    seen: set[bool] = set()

    def attempt(power: Power, place: Path) -> None:
        pending = begin(place / "identity", "desk-12")
        with power.elsewhere():
            _, answer = office.enrolment.sign(pending.request, again=True)
        complete(place / "identity", pending, answer, token=None, service=office.url)

    def check(place: Path) -> None:
        """Whole or nothing; and where nothing, the next attempt comes through."""
        folder = place / "identity"
        seen.add(is_enrolled(folder))
        if not is_enrolled(folder):
            pending = begin(folder, "desk-12")
            _, answer = office.enrolment.sign(pending.request, again=True)
            complete(folder, pending, answer, token=None, service=office.url)
        assert works(office.authority, folder, "desk-12")
        assert {path.name for path in folder.iterdir() if path.is_file()} == {
            *PRIVATE,
            "tls.crt",
            "ca.crt",
            "central.pub.jwk",
            "service.url",
        }

    assert cut_everywhere(attempt, check) > 20
    assert seen == {True, False}


def test_a_power_cut_while_keys_change_leaves_the_old_or_the_new_whole(
    office: HeadOffice, tmp_path: Path
) -> None:
    device(tmp_path / "old", office.url, say=office.enrolment.token("desk-13"), name="desk-13")
    old = Identity(tmp_path / "old")
    pending, message = at_device.renewal(old, "desk-13")
    answer = office.enrolment.renew(message)
    (new,) = read_request(pending.request).keys().signing
    outcomes: set[str] = set()

    def attempt(power: Power, place: Path) -> None:
        with power.elsewhere():
            identity = Identity(shutil.copytree(tmp_path / "old", place / "identity"))
        at_device.take_renewal(identity, pending, answer)

    def check(place: Path) -> None:
        now = Identity(place / "identity")
        now.tls()
        outcomes.add(now.signing.thumbprint())
        assert (now.certificate == old.certificate) is (now.signing == old.signing)

    assert cut_everywhere(attempt, check) > 10
    assert outcomes == {old.signing.thumbprint(), new.thumbprint()}


def test_a_renewal_is_believed_by_the_present_keys_and_certificate_alone(
    office: HeadOffice, tmp_path: Path
) -> None:
    for name in ("desk-14", "desk-15"):
        device(tmp_path / name, office.url, say=office.enrolment.token(name), name=name)
    mine, other = Identity(tmp_path / "desk-14"), Identity(tmp_path / "desk-15")

    def keys_of(name: str) -> object:
        return office.authority.keys_of(source_of(name))

    _, good = at_device.renewal(mine, "desk-14")
    assert read_renewal(good, keys_of).request.device == "desk-14"  # type: ignore[arg-type]
    _, foreign = at_device.renewal(other, "desk-14")
    for bad in (foreign, good[:-10] + b"AAAAAAAAAA", good[: len(good) // 2], b"", b"a.b.c"):
        with pytest.raises((EnrolmentRefused, Unacceptable)):
            office.enrolment.renew(bad)
    office.enrolment.withdraw("desk-14")
    with pytest.raises(EnrolmentRefused):
        office.enrolment.renew(good)


def test_tokens_that_have_long_run_out_are_forgotten(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    tokens.issue("desk-1", b"f" * 32, NOW, 1.0, again=False)
    assert tokens.waiting(NOW) == {"desk-1": (NOW + timedelta(hours=1)).timestamp()}
    tokens.issue("desk-2", b"f" * 32, NOW + timedelta(days=60), 1.0, again=False)
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_the_service_speaks_to_nobody_without_tls(office: HeadOffice) -> None:
    with socket.create_connection(("127.0.0.1", office.port), timeout=5) as plain:
        plain.sendall(b"GET /v1/authority HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)


def test_the_authoritys_certificate_is_what_everybody_is_to_trust(office: HeadOffice) -> None:
    root = x509.load_pem_x509_certificate(office.authority.certificates.root_pem())
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.ca
    assert constraints.value.path_length == 0
    usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
    assert usage.crl_sign
    assert not usage.digital_signature


def _post(office: HeadOffice, path: str, body: bytes) -> int:
    context = ssl.create_default_context(cafile=str(office.authority.certificates.root))
    connection = HTTPSConnection("localhost", office.port, timeout=10, context=context)
    try:
        connection.request("POST", path, body)
        return connection.getresponse().status
    finally:
        connection.close()
