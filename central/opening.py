"""What every command of headquarters begins with: its configuration, and the store named there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from central.settings import BrokerSettings, NatsSettings, Settings, load
from scanner.command_line import Failure, Refusal

if TYPE_CHECKING:  # the store needs the extra `central`
    from central.store import Store

DEFAULT_CONFIG = Path("/etc/borderpost-central/central.toml")


@contextmanager
def open_store(settings: Settings | Path) -> Iterator["Store"]:
    """The configured store; what it refuses ends the command."""
    from central.answering import AnsweredMeanwhile, UnknownAlert  # noqa: PLC0415
    from central.store import Store, StoreFault  # noqa: PLC0415

    chosen = load(settings) if isinstance(settings, Path) else settings
    try:
        store = Store(chosen.store.url)
        try:
            yield store
        finally:
            store.close()
    except (StoreFault, UnknownAlert, AnsweredMeanwhile) as refusal:
        raise Failure(str(refusal)) from None


def broker_password(settings: BrokerSettings | NatsSettings) -> str | None:
    """The password for the broker, where one is configured. Raises Refusal."""
    path = settings.password_file
    if path is None:
        return None
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise Refusal(f"{path}: the broker's password cannot be read") from None
