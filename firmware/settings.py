"""What the technician may set: one TOML file, checked whole before anything starts.

Every key has its type, limits and default here and its explanation in `config/borderpost.toml`; a
test holds the two together. `load` reports every error at once, each with its line.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from scanner.device_names import is_device_name
from scanner.sources.families import FAMILIES
from scanner.toml_errors import check
from scanner.vision.readers import DEFAULT, READERS, SECOND_OPINIONS
from scanner.watchlist.publication import RING


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


TomlPath = Annotated[Path, Field(strict=False)]
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must be small letters, digits and hyphens, at most 63 of them")
    return value


def _command(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"cannot be read as a command line: {error}") from None
    if not words:
        raise ValueError("must name a program")
    return value


def _device_name(value: str) -> str:
    if not is_device_name(value):
        raise ValueError("must be letters, digits, '.', '_' and '-', at most 63, and not 'ring'")
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of printable characters")
    return value


def _ring(value: str) -> str:
    if not RING.fullmatch(value):
        raise ValueError("must be letters, digits, '.', '_' and '-', at most 63")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return value


def _host_and_port(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
        raise ValueError('must be a host and a port, such as "broker-2.example:8883"')
    return value


Name = Annotated[str, AfterValidator(_name)]
Command = Annotated[str, AfterValidator(_command)]
Line = Annotated[str, AfterValidator(_printable)]
Pin = Annotated[int, Field(ge=0, le=27)]
Port = Annotated[int, Field(ge=1, le=65535)]


def _one_of(known: Iterator[str] | tuple[str, ...], what: str) -> AfterValidator:
    names = tuple(known)

    def check_name(value: str) -> str:
        if value not in names:
            raise ValueError(f"{what} is one of {', '.join(names)}")
        return value

    return AfterValidator(check_name)


class Device(Section):
    name: Annotated[str, AfterValidator(_device_name)]
    site: Line = Field(min_length=1, max_length=80)
    lane: Line = Field(default="1", min_length=1, max_length=40)
    data: TomlPath = Path("/var/lib/borderpost")


class Reader(Section):
    engine: Annotated[str, _one_of(READERS, "the reader")] = DEFAULT
    second_opinion: Annotated[str, _one_of(SECOND_OPINIONS, "the second opinion")] = "none"

    @model_validator(mode="after")
    def _asks_another(self) -> "Reader":
        if self.second_opinion == self.engine:
            raise ValueError(f"{self.engine} cannot be its own second opinion; say none")
        return self


class FolderSource(Section):
    kind: Literal["folder"]
    name: Name
    path: TomlPath
    loop: bool = False


class SerialSource(Section):
    kind: Literal["serial"]
    name: Name
    port: str = Field(min_length=1)
    family: Annotated[str, _one_of(tuple(FAMILIES), "the family")] = "generic"
    baud: int | None = Field(default=None, ge=300, le=4_000_000)


class CameraSource(Section):
    kind: Literal["camera"]
    name: Name
    device: str = "/dev/video0"
    width: int = Field(default=1920, ge=320, le=4608)
    height: int = Field(default=1080, ge=240, le=2592)
    fps: int = Field(default=10, ge=1, le=60)


class RpicamSource(Section):
    kind: Literal["rpicam"]
    name: Name
    command: Command = "rpicam-vid"
    width: int = Field(default=1920, ge=384, le=4608, multiple_of=128)
    height: int = Field(default=1080, ge=240, le=2592, multiple_of=2)
    fps: int = Field(default=10, ge=1, le=60)


AnySource = Annotated[
    FolderSource | SerialSource | CameraSource | RpicamSource, Field(discriminator="kind")
]


class ListRule(Section):
    name: Name
    max_age_hours: float = Field(default=72.0, gt=0, le=24 * 365)
    required: bool = True


class ListSettings(Section):
    folder: TomlPath = Path("/var/lib/borderpost/lists")
    keys: TomlPath = Path("/etc/borderpost/list-keys")
    use: tuple[ListRule, ...] = Field(min_length=1, strict=False)


class UpdateSettings(Section):
    url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    ca: TomlPath | None = None
    root: TomlPath = Path("/etc/borderpost/lists-root.json")
    ring: Annotated[str, AfterValidator(_ring)] = "all"
    every_minutes: float = Field(default=60.0, ge=1, le=24 * 60)
    spread_seconds: float = Field(default=60.0, ge=0, le=6 * 3600)


class ClockSettings(Section):
    trust: Literal["synchronised", "machine"] = "synchronised"
    grace_hours: float = Field(default=24.0, ge=0, le=24 * 30)


class PanelSettings(Section):
    pins: Literal["gpio", "mock", "none"] = "none"
    lamp_ready: Pin = 17
    lamp_go: Pin = 27
    lamp_attend: Pin = 22
    buzzer: Pin | None = None
    trigger: Pin | None = None
    foot_switch: Pin | None = None
    privacy: Pin | None = None
    debounce_ms: int = Field(default=50, ge=1, le=1000)
    hold_seconds: float = Field(default=6.0, gt=0, le=600)

    @property
    def buttons(self) -> dict[str, int]:
        """The pins of those buttons that there are."""
        named = {
            "trigger": self.trigger,
            "foot_switch": self.foot_switch,
            "privacy": self.privacy,
        }
        return {key: pin for key, pin in named.items() if pin is not None}

    @model_validator(mode="after")
    def _each_pin_once(self) -> "PanelSettings":
        named = {
            "lamp_ready": self.lamp_ready,
            "lamp_go": self.lamp_go,
            "lamp_attend": self.lamp_attend,
            "buzzer": self.buzzer,
            **self.buttons,
        }
        seen: dict[int, str] = {}
        for key, pin in named.items():
            if pin is None:
                continue
            if pin in seen:
                raise ValueError(f"{seen[pin]} and {key} are both on pin {pin}; each needs its own")
            seen[pin] = key
        return self


StateWord = Annotated[Line, Field(min_length=1, max_length=24)] | None
Language = Literal["en", "fr", "es", "ar"]
"""The languages that the officer's page speaks; `firmware/kiosk/locale` holds the words."""


class KioskWords(Section):
    """The word of each state, where another one than ours is wanted; it stands as it is in every
    language."""

    ready: StateWord = None
    hold_still: StateWord = None
    read_again: StateWord = None
    number_only: StateWord = None
    no_record: StateWord = None
    refer: StateWord = None
    look_closer: StateWord = None
    not_checked: StateWord = None
    fault: StateWord = None
    locked: StateWord = None

    @property
    def configured(self) -> dict[str, str]:
        """Those that are given."""
        return {name: word for name, word in self.model_dump().items() if word}


class KioskSettings(Section):
    enabled: bool = False
    port: Port = 8711
    languages: tuple[Language, ...] = Field(
        default=("en", "fr", "es", "ar"), min_length=1, strict=False
    )
    language: Language = "en"
    hold_seconds: float = Field(default=60.0, gt=0, le=3600)
    words: KioskWords = KioskWords()

    @model_validator(mode="after")
    def _is_offered(self) -> "KioskSettings":
        if self.language not in self.languages:
            raise ValueError(f"language {self.language} is none of languages; add it there")
        return self


class BrokerSettings(Section):
    host: str = Field(default="localhost", min_length=1)
    port: Port = 8883
    others: tuple[Annotated[str, AfterValidator(_host_and_port)], ...] = Field(
        default=(), max_length=8, strict=False
    )
    tls: bool = True
    ca: TomlPath | None = None
    certificate: TomlPath | None = None
    private_key: TomlPath | None = None
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    keepalive_seconds: int = Field(default=8, ge=2, le=9)
    username: str | None = None
    password_file: TomlPath | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> "BrokerSettings":
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key belong together; say both or neither")
        if self.certificate is not None and self.ca is None:
            raise ValueError("certificate needs ca, the file that the broker is believed by")
        if self.ca is not None and not self.tls:
            raise ValueError("ca is for TLS, which tls = false leaves out; remove one of them")
        if len({f"{self.host}:{self.port}", *self.others}) <= len(self.others):
            raise ValueError("others: a broker stands twice; each is named once")
        return self


class AlertSettings(Section):
    answer_within_minutes: float = Field(default=15.0, gt=0, le=24 * 60)
    keep_days: int = Field(default=30, ge=1, le=365)


class OfficerSettings(Section):
    sign_in: Literal["off", "pin", "badge"] = "off"
    file: TomlPath = Path("/var/lib/borderpost/officers.json")
    idle_minutes: float = Field(default=15.0, ge=0, le=24 * 60)
    lock: bool = True
    badge_pattern: Annotated[str, AfterValidator(_pattern)] = "[0-9]{7,20}"


class JournalSettings(Section):
    keep_days: int = Field(default=365, ge=1, le=3650)


class DrillSettings(Section):
    allowed: bool = False
    minutes: float = Field(default=30.0, gt=0, le=8 * 60)
    answer_seconds: float = Field(default=8.0, ge=0, le=600)
    keep_days: int = Field(default=365, ge=1, le=3650)


class IdentitySettings(Section):
    folder: TomlPath = Path("/var/lib/borderpost/identity")
    encrypt: bool = False
    service: str | None = Field(default=None, pattern=r"^https://[^\s/]+/?$")


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Section):
    device: Device
    reader: Reader = Reader()
    sources: tuple[AnySource, ...] = Field(min_length=1, strict=False)
    lists: ListSettings
    updates: UpdateSettings = UpdateSettings()
    clock: ClockSettings = ClockSettings()
    panel: PanelSettings = PanelSettings()
    kiosk: KioskSettings = KioskSettings()
    broker: BrokerSettings = BrokerSettings()
    alerts: AlertSettings = AlertSettings()
    officers: OfficerSettings = OfficerSettings()
    journal: JournalSettings = JournalSettings()
    drill: DrillSettings = DrillSettings()
    identity: IdentitySettings = IdentitySettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Settings":
        for what, names in (
            ("sources", [source.name for source in self.sources]),
            ("lists.use", [rule.name for rule in self.lists.use]),
        ):
            double = sorted({name for name in names if names.count(name) > 1})
            if double:
                raise ValueError(f"{what}: the name {double[0]} stands twice; each needs its own")
        return self


def load(path: Path) -> Settings:
    """The settings in `path`. Raises SettingsError with every problem that the file has."""
    return check(path, Settings)
