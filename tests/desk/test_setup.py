"""`borderpost setup`: from an unpacked device to a desk, at a terminal or from a file."""

import os
import pty
import select
import signal
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from firmware.doctor.kernel import Kernel
from firmware.identity.enrolling import is_enrolled
from firmware.identity.seal import Seal, is_sealed
from firmware.settings import load
from firmware.setup.answers import Answers, forget_token, read
from firmware.setup.command import DONE, FILE, set_up
from firmware.setup.configuration import write
from firmware.setup.course import GIVEN, Where
from firmware.setup.detect import Found, Machine, look
from firmware.setup.sealing import seal_all
from scanner import credentials
from scanner.alert import KeyFault
from scanner.alert.enrolment_token import parse_token
from scanner.command_line import Failure, Refusal
from scanner.toml_errors import SettingsError
from tests import sealing
from tests.delivery.test_enrolment import HeadOffice, run
from tests.listing import KEY
from tests.updates.over_the_air import Headquarters, copy_of

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "config" / "borderpost.toml"
HONEYWELL = "dev/borderpost/scanner-honeywell"
ANSWERS = Answers("desk-7", "Utopia North", "2", "pilot", ("broker.example", 8884), None, None)
RUN = """
import sys
from functools import partial
from pathlib import Path
from firmware.doctor.kernel import Kernel
from firmware.setup import course
from firmware.setup.command import set_up
from firmware.setup.course import Where
from scanner import credentials
from scanner.command_line import run_command
root = Path(sys.argv[1])
credentials.SEALED = root / "credentials"
course.FIRST_WORD_WITHIN_S = 0.0  # no desk is started here
where = Where(Kernel(root), root / "borderpost.toml", Path(sys.argv[2]))
def command(standalone_mode): set_up(where, unattended=len(sys.argv) > 3, pi_camera="false")
sys.exit(run_command(command, "borderpost"))
"""


@dataclass(frozen=True)
class Unpacked:
    """A device's root, with a configuration that keeps everything below it."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "borderpost.toml"

    @property
    def default(self) -> Path:
        return self.root / "default.toml"

    @property
    def configured(self) -> dict[str, Any]:
        return tomllib.loads(self.config.read_text())

    @property
    def identity(self) -> Path:
        return self.root / "data" / "identity"

    def has(self, path: str, content: str = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def has_systemd(self, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Gives the file that holds what systemctl was told."""
        told = self.root / "told"
        (self.root / "run/systemd/system").mkdir(parents=True)
        program = self.has("programs/systemctl", f'#!/bin/sh\necho "$*" >>{told}\n')
        program.chmod(0o755)
        sealing.put_first(program.parent, monkeypatch)
        return told

    def sealed(self, name: str) -> bytes:
        """What lies sealed under a name."""
        return sealing.opened(self.root / "credentials" / name)

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-c", RUN, str(self.root), str(self.default), *more]


@pytest.fixture
def device(tmp_path: Path) -> Unpacked:
    made = Unpacked(tmp_path)
    text = DEFAULT.read_text()
    for key, place in (
        ("data", "data"),
        ("folder", "lists"),
        ("keys", "etc/list-keys"),
        ("root", "etc/lists-root.json"),
    ):
        text = _uncommented(text, key, tmp_path / place)
    text = text.replace('# folder = "/var/lib/borderpost/identity"', f'folder = "{made.identity}"')
    made.default.write_text(text)
    made.config.write_text(text)
    made.has("etc/.keep")
    made.has(HONEYWELL)
    return made


def _uncommented(text: str, key: str, place: Path) -> str:
    """The first setting of that name, with another place."""
    before, mark, after = text.partition(f'\n# {key} = "')
    assert mark
    return f'{before}\n{key} = "{place}"{after.partition(chr(34))[2]}'


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeadOffice]:
    one = HeadOffice(tmp_path_factory.mktemp("office"))
    one.serve()
    yield one
    one.stop()


class Terminal:
    """A program at a pseudo-terminal, and somebody who reads and types there."""

    def __init__(self, command: list[str]) -> None:
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execv(command[0], command)  # noqa: S606
        self.shown = ""

    def expect(self, text: str, within_s: float = 60.0) -> None:
        """Reads until `text` was shown after what was expected before."""
        until = time.monotonic() + within_s
        while text not in self.shown:
            assert self._read(until), f"{text!r} was never shown, but: {self.shown}"
        self.shown = self.shown.partition(text)[2]

    def type(self, line: str) -> None:
        os.write(self._master, f"{line}\n".encode())

    def answer(self, *pairs: tuple[str, str]) -> None:
        for question, line in pairs:
            self.expect(question)
            self.expect("]: " if question != "token" else ": ")
            self.type(line)

    def interrupt(self) -> None:
        os.write(self._master, b"\x03")

    def end(self, within_s: float = 60.0) -> int:
        """The exit code, once the program has ended."""
        until = time.monotonic() + within_s
        while self._read(until):
            pass
        os.close(self._master)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
            return False
        try:
            read = os.read(self._master, 65536)
        except OSError:
            return False
        self.shown += read.decode(errors="replace")
        return bool(read)


QUESTIONS = ("Name of this device", "Site", "Lane", "MQTT broker", "Enrolment", "Where lists")


def test_cameras_scanners_pins_and_a_screen_are_found_by_names_that_stay(tmp_path: Path) -> None:
    device = Unpacked(tmp_path)
    assert look(Kernel(tmp_path), "/nowhere") == Machine((), header=False, screen=False)
    device.has("dev/ttyUSB0"), device.has("dev/ttyACM0"), device.has("dev/video0")
    for link, leads_to in (
        (HONEYWELL, "dev/ttyACM0"),
        ("dev/serial/by-id/usb-Honeywell-if00", "dev/ttyACM0"),
        ("dev/serial/by-id/usb-Unknown-if00", "dev/ttyUSB0"),
        ("dev/v4l/by-id/usb-Eye-video-index0", "dev/video0"),
    ):
        (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / link).symlink_to(tmp_path / leads_to)
    device.has("dev/gpiochip0")
    device.has("proc/device-tree/model", "Raspberry Pi 5 Model B\0")
    device.has("sys/class/drm/card1-HDMI-A-1/status", "disconnected\n")
    device.has("sys/class/drm/card1-DSI-1/status", "connected\n")
    csi = tmp_path / "rpicam-vid"
    csi.write_text("#!/bin/sh\necho '0 : imx708 [4608x2592] (/base/axi/pcie@120000/rp1/i2c@1/x)'\n")
    csi.chmod(0o755)
    found = look(Kernel(tmp_path), str(csi))
    assert found.devices == (
        Found("serial", f"/{HONEYWELL}", "honeywell"),
        Found("serial", "/dev/serial/by-id/usb-Unknown-if00", "generic"),
        Found("camera", "/dev/v4l/by-id/usb-Eye-video-index0"),
        Found("rpicam", None),
    )
    assert (found.header, found.screen) == (True, True)
    csi.write_text("#!/bin/sh\necho '0 : uvc [1920x1080] (/base/scb/pcie/usb@0,0/usb-1-1)'\n")
    assert look(Kernel(tmp_path), str(csi)).devices == found.devices[:3]


def test_the_configuration_takes_answers_and_devices_and_keeps_what_somebody_wrote(
    device: Unpacked,
) -> None:
    scanner, camera = Found("serial", f"/{HONEYWELL}", "honeywell"), Found("camera", "/dev/video7")
    machine = Machine((scanner, camera), header=True, screen=True)
    settings = write(device.config, ANSWERS, machine, ("eu-sis", "sltd"), device.default)
    assert [source.name for source in settings.sources] == ["scanner", "camera"]
    assert [rule.name for rule in settings.lists.use] == ["eu-sis", "sltd"]
    assert (settings.panel.pins, settings.kiosk.enabled) == ("gpio", True)
    assert (settings.device.lane, settings.updates.ring) == ("2", "pilot")
    assert (settings.broker.host, settings.broker.port) == ("broker.example", 8884)
    text = device.config.read_text()
    assert "# How long a verdict stays on the lamps" in text
    device.config.write_text(
        text.replace('family = "honeywell"', 'family = "honeywell"\nbaud = 9600 # ours')
    )
    before = device.config.read_bytes()
    write(device.config, ANSWERS, machine, ("other",), device.default)
    assert device.config.read_bytes() == before
    second = Found("serial", "/dev/serial/by-id/usb-B", "generic")
    settings = write(device.config, ANSWERS, Machine((scanner, second), False, False), ())
    assert [source.name for source in settings.sources] == ["scanner", "scanner-2"]
    assert settings.sources[0].baud == 9600  # type: ignore[union-attr]
    assert settings.panel.pins == "none"


def test_a_configuration_that_could_not_be_used_is_not_written(device: Unpacked) -> None:
    before = device.config.read_bytes()
    machine = Machine((Found("camera", "/dev/video7"),), header=False, screen=False)
    wrong = Answers("desk 7", "", "2", "pilot", None, None, None)
    with pytest.raises(SettingsError):
        write(device.config, wrong, machine, (), device.default)
    with pytest.raises(Failure, match="connect one"):
        write(device.config, ANSWERS, Machine((), False, False), (), device.default)
    assert device.config.read_bytes() == before
    assert list(device.root.glob("*.tried")) == []


def test_a_technician_answers_at_a_terminal_is_interrupted_and_goes_on(
    device: Unpacked, office: HeadOffice
) -> None:
    token = office.command("enrol", "token", "desk-7").split()[0]
    given = device.has(f"{GIVEN}/sltd.key", "k" * 64)
    at = Terminal(device.command())
    at.expect(f"here is: scanner /{HONEYWELL}, Honeywell imagers")
    answers = ("desk 7", "desk-7", "Utopia North", "", "localhost:x", "localhost:1", office.url)
    again = (QUESTIONS[0], *QUESTIONS[:4], *QUESTIONS[3:5])
    at.answer(*zip(again, answers, strict=True), (QUESTIONS[5], "none"))
    at.expect("token: ")
    at.interrupt()
    assert at.end() == 1
    assert "interrupted" in at.shown
    assert device.configured["device"]["site"] == "Utopia North"
    assert not is_enrolled(device.identity)

    at = Terminal(device.command())
    at.answer(*((question, "") for question in QUESTIONS))
    at.expect("token: ")
    at.type(token)
    at.expect("desk-7 is enrolled")
    at.expect("this is a desk now")
    assert at.end() == 0
    assert parse_token(token).text() not in at.shown
    assert is_enrolled(device.identity)
    assert not given.exists()
    key = device.root / "etc/list-keys/sltd.key"
    assert (key.read_text(), key.stat().st_mode & 0o777) == ("k" * 64, 0o640)

    at = Terminal(device.command())
    at.answer(*((question, "") for question in QUESTIONS))
    at.expect("as it was, and in order")
    at.expect("enrolled already")
    assert at.end() == 0


def test_nobody_needs_to_sit_there_where_a_file_answers(
    device: Unpacked, office: HeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = device.has_systemd(monkeypatch)
    headquarters = Headquarters(device.root / "headquarters")
    device.has(f"{GIVEN}/lists-root.json", headquarters.begin().decode())
    device.has(f"{GIVEN}/sltd.key", KEY.secret.hex())
    headquarters.day()
    copy_of(headquarters.repository, device.root / GIVEN / "repository")
    token = office.command("enrol", "token", "desk-8").split()[0]
    file = device.has(
        str(FILE),
        f'# from headquarters\ndevice = "desk-8"\nsite = "Utopia South"\nbroker = "localhost:1"\n'
        f'enrolment = "https://localhost:1"\ntoken = "{token}"\n',
    )
    at = Terminal(device.command("--unattended"))
    assert at.end() == 1
    assert "still to do: enrolment: https://localhost:1" in at.shown
    assert "start: the desk is started once it is enrolled" in at.shown
    assert "list sltd: updated from none to version 1" in at.shown
    assert token in file.read_text()
    assert not started.exists()

    file.write_text(file.read_text().replace("https://localhost:1", office.url))
    at = Terminal(device.command("--unattended"))
    assert at.end() == 0
    assert is_enrolled(device.identity)
    assert device.sealed("sltd.key").decode() == KEY.secret.hex()
    assert not list((device.root / "etc/list-keys").iterdir())
    seal = Seal(device.sealed("identity.seal"))
    for name in ("device.jwk", "device.enc.jwk", "tls.key", "marks.key"):
        content = (device.identity / name).read_bytes()
        assert is_sealed(content)
        assert seal.opened(content)
    units = "borderpost.target borderpost.service borderpost-scrub.timer"
    assert started.read_text().splitlines() == [
        f"enable --quiet {units}",
        "try-restart borderpost.service",
        f"start {units}",
    ]
    done = file.with_name(DONE)
    assert not file.exists()
    assert token not in done.read_text()
    assert done.read_text().startswith("# from headquarters\n")
    assert read(done).token == ""

    before = (device.identity / "device.jwk").read_bytes()
    monkeypatch.setattr(credentials, "SEALED", device.root / "credentials")
    (credentials.SEALED / "identity.seal").unlink()
    with pytest.raises(KeyFault, match="it is sealed, and what opens it is not at hand"):
        seal_all(load(device.config), device.root)
    assert (device.identity / "device.jwk").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('broker = "none"\n', "site: is missing"),
        ('site = "A"\nbroker = "b:x"\n', "must be a host, or a host and a port"),
        ('site = "A"\nbroker = "none"\nring = "a b"\n', "must be letters, digits"),
        ('site = "A"\nbroker = "none"\ntokn = "x"\n', "did you mean token?"),
    ],
)
def test_a_file_with_a_mistake_changes_nothing_and_is_told_in_one_line(
    device: Unpacked, text: str, told: str
) -> None:
    device.has(str(FILE), text)
    before = device.config.read_bytes()
    where = Where(Kernel(device.root), device.config, device.default)
    with pytest.raises((SettingsError, Refusal)) as refused:
        set_up(where, unattended=True, pi_camera="false")
    (line,) = str(refused.value).splitlines()
    assert told in line
    assert device.config.read_bytes() == before


def test_who_may_not_write_the_configuration_is_told_so_before_anything_is_asked() -> None:
    said = run("firmware", "setup", "--config", "/nowhere/borderpost.toml", code=2)
    assert (
        said == "firmware: /nowhere cannot be written; run it as root, as in: sudo borderpost setup"
    )


@pytest.mark.parametrize(
    ("kind", "how", "told"),
    [("tmpfs", "rw", "is in memory, and gone at the next boot"), ("ext4", "ro", "is read-only")],
)
def test_nothing_is_set_up_where_it_would_not_last(
    device: Unpacked, kind: str, how: str, told: str
) -> None:
    device.has("proc/self/mountinfo", f"1 1 0:1 / / {how} - {kind} root {how}\n")
    before = device.config.read_bytes()
    where = Where(Kernel(device.root), device.config, device.default)
    with pytest.raises(Refusal, match=told):
        set_up(where, unattended=True, pi_camera="false")
    assert device.config.read_bytes() == before


def test_the_token_goes_however_it_is_written(tmp_path: Path) -> None:
    for written in ('token = "abc-def"', "  token='abc-def' # once", 'token   =   """abc-def"""'):
        file = tmp_path / "file.toml"
        file.write_text(f'site = "A"\n{written}\nring = "all"\n')
        forget_token(file)
        assert "abc" not in file.read_text()
        assert tomllib.loads(file.read_text()) == {"site": "A", "token": "", "ring": "all"}
