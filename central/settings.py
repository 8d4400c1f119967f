"""What headquarters may set: one TOML file, checked whole before anything starts.

Every key has its type, limits and default here and its explanation in `config/central.toml`; a test
holds the two together.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from scanner.toml_errors import SettingsError, check

__all__ = ["BrokerSettings", "Settings", "SettingsError", "load"]

_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:\s]+):([0-9]{1,5})")
_SERVER = r"^nats://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$"
_TOPIC = r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$"

TomlPath = Annotated[Path, Field(strict=False)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _address(value: str) -> str:
    found = _ADDRESS.fullmatch(value)
    if found is None or not 1 <= int(found[1]) <= 65535:
        raise ValueError("must be host:port, as in broker-2.example.org:8883")
    return value


class TlsFiles(Section):
    ca: TomlPath | None = None
    certificate: TomlPath | None = None
    private_key: TomlPath | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key belong together: name both or neither")
        if self.certificate is not None and self.ca is None:
            raise ValueError("certificate needs ca: whom to believe that a broker is ours")
        return self


class BrokerSettings(TlsFiles):
    host: str = Field(default="localhost", min_length=1)
    port: int = Field(default=1883, ge=1, le=65535)
    protocol: Literal["5", "3.1.1"] = "5"
    client_id: str = Field(default="borderpost-central", min_length=1, max_length=64)
    group: str = Field(default="borderpost-central", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    keepalive_seconds: int = Field(default=10, ge=2, le=15)
    username: str | None = None
    password_file: TomlPath | None = None
    others: tuple[Annotated[str, AfterValidator(_address)], ...] = Field(default=(), strict=False)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where the brokers are: host and port of each."""
        others = (other.rpartition(":") for other in self.others)
        return (
            (self.host, self.port),
            *((host.strip("[]"), int(port)) for host, _, port in others),
        )


class NatsSettings(TlsFiles):
    servers: tuple[Annotated[str, Field(pattern=_SERVER)], ...] = Field(default=(), strict=False)
    group: str = Field(default="borderpost-central", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    replicas: Literal[1, 3, 5] = 3
    username: str | None = None
    password_file: TomlPath | None = None


class StoreSettings(Section):
    url: str = Field(default="sqlite:////var/lib/borderpost-central/central.db", min_length=1)


class RetentionSettings(Section):
    alerts_days: int = Field(default=1825, ge=0, le=36_500)
    answered_only: bool = True
    stats_days: int = Field(default=1825, ge=0, le=36_500)
    audit_days: int = Field(default=3650, ge=0, le=36_500)


class KeySettings(Section):
    folder: TomlPath = Path("/etc/borderpost-central/keys")


class EnrolmentSettings(Section):
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8843, ge=1, le=65535)
    names: tuple[str, ...] = Field(default=(), strict=False)
    token_hours: float = Field(default=24.0, gt=0, le=24 * 30)
    grace_days: float = Field(default=365.0, ge=0, le=3650)
    brokers: tuple[TomlPath, ...] = Field(default=(), strict=False)

    @property
    def grace(self) -> timedelta:
        return timedelta(days=self.grace_days)


class ConsoleSettings(Section):
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8470, ge=1, le=65535)
    certificate: TomlPath | None = None
    private_key: TomlPath | None = None
    plain_beyond_loopback: bool = False
    names: tuple[str, ...] = Field(default=(), strict=False)
    idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    session_hours: int = Field(default=12, ge=1, le=7 * 24)
    silent_minutes: int = Field(default=90, ge=2, le=30 * 24 * 60)
    list_age_hours: int = Field(default=72, ge=1, le=366 * 24)
    metrics_open_to_loopback: bool = False


class RepublishSettings(TlsFiles):
    enabled: bool = False
    host: str = Field(default="localhost", min_length=1)
    port: int = Field(default=1883, ge=1, le=65535)
    protocol: Literal["5", "3.1.1"] = "5"
    client_id: str = Field(default="borderpost-republish", min_length=1, max_length=64)
    prefix: str = Field(default="borderpost-events/v1", max_length=128, pattern=_TOPIC)
    username: str | None = None
    password_file: TomlPath | None = None
    plain: bool = False


class Settings(Section):
    broker: BrokerSettings = BrokerSettings()
    nats: NatsSettings = NatsSettings()
    store: StoreSettings = StoreSettings()
    retention: RetentionSettings = RetentionSettings()
    keys: KeySettings = KeySettings()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    console: ConsoleSettings = ConsoleSettings()
    republish: RepublishSettings = RepublishSettings()


def load(path: Path) -> Settings:
    """The settings in `path`. Raises SettingsError with every problem that the file has."""
    return check(path, Settings)
