"""What headquarters may set: one TOML file, checked whole before anything starts.

Every key has its type, limits and default here and its explanation in `config/central.toml`; a test
holds the two together.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from scanner.toml_errors import SettingsError, check

__all__ = ["BrokerSettings", "Settings", "SettingsError", "load"]

TomlPath = Annotated[Path, Field(strict=False)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BrokerSettings(Section):
    host: str = Field(default="localhost", min_length=1)
    port: int = Field(default=1883, ge=1, le=65535)
    protocol: Literal["5", "3.1.1"] = "5"
    client_id: str = Field(default="borderpost-central", min_length=1, max_length=64)
    group: str = Field(default="borderpost-central", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    keepalive_seconds: int = Field(default=10, ge=2, le=15)
    username: str | None = None
    password_file: TomlPath | None = None


class StoreSettings(Section):
    url: str = Field(default="sqlite:////var/lib/borderpost-central/central.db", min_length=1)


class KeySettings(Section):
    folder: TomlPath = Path("/etc/borderpost-central/keys")


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


class Settings(Section):
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    keys: KeySettings = KeySettings()
    console: ConsoleSettings = ConsoleSettings()


def load(path: Path) -> Settings:
    """The settings in `path`. Raises SettingsError with every problem that the file has."""
    return check(path, Settings)
