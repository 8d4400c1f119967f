"""Which configuration, lists and keys a command works with: what its options say, else what the
configuration says."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from firmware.clock import DeviceClock
from firmware.lists.policies import policies
from firmware.options import DEFAULT_CONFIG
from firmware.settings import Settings, load
from scanner.watchlist.keyring import KeyFolders, device_folders
from scanner.watchlist.lists import ListPolicy, Lists


@dataclass(frozen=True)
class ListChoice:
    """A folder of lists, their keys, and what is demanded of each; without rules every list that is
    in the folder is demanded."""

    folder: Path | None
    keys: KeyFolders
    rules: tuple[ListPolicy, ...] | None

    def lists(self) -> Lists:
        return Lists(self.folder, self.keys, self.rules)


def settings_if_any(path: Path) -> Settings | None:
    """The settings, or None where the default file is not there: a technician's own computer."""
    if path == DEFAULT_CONFIG and not path.exists():
        return None
    return load(path)


def chosen_lists(folder: Path | None, keys: Path | None, settings: Settings | None) -> ListChoice:
    """The lists that the options `--lists` and `--list-keys` and the settings give."""
    configured = settings.lists if settings else None
    where = folder if folder is not None else configured.folder if configured else None
    of_keys = keys if keys is not None else configured.keys if configured else None
    rules = policies(configured) if configured and folder is None else None
    return ListChoice(where, KeyFolders(device_folders(of_keys), apart_from=where), rules)


def configured_clock(settings: Settings) -> DeviceClock:
    """The device's clock, as the configuration says how far it is trusted."""
    return DeviceClock(
        settings.device.data / "clock.json",
        trust_machine=settings.clock.trust == "machine",
        grace=timedelta(hours=settings.clock.grace_hours),
    )
