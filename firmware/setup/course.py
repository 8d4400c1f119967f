"""The steps from answers to a desk that runs, each done only where it is not done already.

What cannot be done yet (a service that does not answer, an answer that is still at headquarters)
does not hold the other steps up: it is told at the end, and the same command does it later.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import typer

from firmware.doctor.command import doctor
from firmware.doctor.desk_says import read_desk_says
from firmware.doctor.kernel import Kernel
from firmware.identity.cli import accept_answer, enrol_over_network, write_request
from firmware.identity.enrolling import EnrolmentFailed, is_enrolled
from firmware.lists.update import list_update
from firmware.options import DEFAULT_CONFIG
from firmware.settings import Settings
from firmware.setup import configuration
from firmware.setup.answers import Answers
from firmware.setup.detect import Machine
from firmware.setup.sealing import can_be_sealed, seal_all, seal_one
from scanner.alert import KeyFault
from scanner.alert.enrolment_token import Token
from scanner.command_line import Failure, Refusal
from scanner.credentials import CannotSeal
from scanner.durable import own_like, replace_durably, sync_folder

GIVEN = Path("boot/firmware/borderpost")
"""Where headquarters' files for a device lie on the boot partition."""
REQUEST, ANSWER = "enrolment-request", "enrolment-request.answer"
_ROOT, _REPOSITORY = "lists-root.json", "repository"
_LARGEST = 1_000_000
FIRST_WORD_WITHIN_S = 15.0


@dataclass(frozen=True)
class Where:
    """The machine, its configuration, and the folder of files that headquarters gave."""

    kernel: Kernel = field(default_factory=Kernel)
    config: Path = DEFAULT_CONFIG
    default: Path = configuration.DEFAULT
    given: Path | None = None

    @property
    def files(self) -> Path:
        return self.given or self.kernel.root / GIVEN


@dataclass
class Course:
    """One set-up. `token` gives the enrolment token when it is needed, and `spent` hears that it
    has counted."""

    where: Where
    answers: Answers
    machine: Machine
    token: Callable[[], Token]
    spent: Callable[[], None] = lambda: None
    left: list[str] = field(default_factory=list)
    changed: bool = False
    """Whether the configuration or a secret is another than before."""

    def go(self) -> list[str]:
        """Goes all steps, and gives what is still to be done. Raises Failure, SettingsError,
        OSError where the device cannot even be configured."""
        settings = self._configure()
        with self._step("secrets"):
            self._seal(settings)
        with self._step("files from headquarters"):
            self._place_files(settings)
        with self._step("enrolment"):
            self._enrol(settings)
        with self._step("lists"):
            self._fetch(settings)
        hand_over(settings.device.data)
        with self._step("start"):
            self._start(settings)
        if not self.left:
            with suppress(typer.Exit):
                doctor(config=self.where.config)
            hand_over(settings.device.data)
        return self.left

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """A step that may fail and be done later."""
        try:
            yield
        except (CannotSeal, EnrolmentFailed, KeyFault, Failure, Refusal) as failure:
            self.left.append(f"{name}: {failure}")
        except OSError as error:
            where = error.filename or name
            self.left.append(f"{name}: {where}: {error.strerror or type(error).__name__}")
        except typer.Exit as end:
            if end.exit_code:
                self.left.append(f"{name}: what it said above")

    def _configure(self) -> Settings:
        where = self.where
        before = where.config.read_bytes() if where.config.exists() else b""
        lists = tuple(sorted(key.stem for key in where.files.glob("*.key")))
        settings = configuration.write(
            where.config, self.answers, self.machine, lists, where.default
        )
        self.changed = before != where.config.read_bytes()
        _say(f"{where.config}: {'written' if self.changed else 'as it was'}, and in order")
        settings.device.data.mkdir(parents=True, exist_ok=True)
        return settings

    def _seal(self, settings: Settings) -> None:
        """Seals to this machine whatever is secret."""
        if can_be_sealed(self.where.kernel):
            sealed = seal_all(settings, self.where.config.parent)
            self._say_sealed(sealed)

    def _say_sealed(self, sealed: list[str]) -> None:
        self.changed = self.changed or bool(sealed)
        for one in sealed:
            _say(f"sealed to this machine: {one}")

    def _place_files(self, settings: Settings) -> None:
        """The root of trust and the lists' keys, where the desk looks for them. A key does not stay
        on the boot partition, where whoever has the card can read it."""
        keys = settings.lists.keys
        keys.mkdir(parents=True, exist_ok=True)
        root = self.where.files / _ROOT
        if root.is_file():
            replace_durably(settings.updates.root, _small(root), mode=0o644)
            _say(f"{settings.updates.root}: the first root of trust for lists")
        for key in sorted(self.where.files.glob("*.key")):
            if can_be_sealed(self.where.kernel):
                self._say_sealed(seal_one(key.name, _small(key)))
            else:
                replace_durably(keys / key.name, _small(key), mode=0o640, like_folder=True)
                _say(f"{keys / key.name}: the key of list {key.stem}")
            if self.where.given is None:
                key.unlink()
                sync_folder(key.parent)

    def _enrol(self, settings: Settings) -> None:
        place, name = settings.identity.folder, settings.device.name
        if is_enrolled(place):
            _say(f"{name} is enrolled already")
        elif self.answers.enrolment is not None:
            enrol_over_network(place, name, self.answers.enrolment, self.token())
        elif (self.where.files / ANSWER).is_file():
            accept_answer(place, name, self.where.files / ANSWER)
        else:
            self.where.files.mkdir(parents=True, exist_ok=True)
            write_request(place, name, self.where.files / REQUEST)
            raise Failure(f"put the answer beside the request, as {ANSWER}")
        self.spent()

    def _fetch(self, settings: Settings) -> None:
        by_hand = self.where.files / _REPOSITORY
        source = by_hand if by_hand.is_dir() else None
        if source is None and settings.updates.url is None:
            _say("lists are brought by hand: no server is known for them")
            return
        list_update(self.where.config, source, as_json=False)

    def _start(self, settings: Settings) -> None:
        """Has the desk started now and at every boot, where systemd runs."""
        if not (self.where.kernel.root / "run/systemd/system").is_dir():
            return
        if not is_enrolled(settings.identity.folder):
            raise Failure("the desk is started once it is enrolled")
        units = ["borderpost.target", "borderpost.service", "borderpost-scrub.timer"]
        if settings.updates.url is not None:
            units.append("borderpost-update.timer")
        if settings.kiosk.enabled and shutil.which("cage"):
            units.append("borderpost-kiosk.service")
        _systemctl("enable", "--quiet", *units)
        if self.changed:
            _systemctl("try-restart", "borderpost.service")
        _systemctl("start", *units)
        _say(f"started: {', '.join(units)}")
        self._await_word(settings)

    def _await_word(self, settings: Settings) -> None:
        """Lets the desk say how its devices are: the doctor would else ask those that it holds."""
        until = time.monotonic() + FIRST_WORD_WITHIN_S
        while read_desk_says(settings, self.where.kernel) is None and time.monotonic() < until:
            time.sleep(0.2)


def hand_over(data: Path) -> None:
    """Gives what root has left in the desk's folder to the desk. Raises OSError."""
    if os.geteuid() == 0:
        for one in data.rglob("*"):
            with suppress(FileNotFoundError):
                _give(one, data)


def _give(one: Path, like: Path) -> None:
    if not one.is_symlink():
        handle = os.open(one, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            own_like(like, handle)
        finally:
            os.close(handle)


def _small(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_LARGEST)


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["systemctl failed"]
        raise Failure(said[-1])


def _say(line: str) -> None:
    print(line, flush=True)
