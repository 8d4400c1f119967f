"""What the configuration says of updates, made into a plan."""

from pathlib import Path

from firmware.clock import DeviceClock
from firmware.lists.updater import Plan
from firmware.settings import Settings
from firmware.updates.repository import FolderRepository, Repository, WebRepository
from firmware.updates.trust import Trust
from scanner.watchlist.contract import ListHealth
from scanner.watchlist.keyring import KeySource
from scanner.watchlist.lists import Lists

_TRUST, _FLOOR = "trust", "trust-floor.json"
_LARGEST_ROOT = 512_000


class PlanUnusable(Exception):
    """Nothing can be fetched as configured; the message says what to do in one line."""


def plan_of(
    settings: Settings,
    lists: Lists,
    keys: KeySource,
    clock: DeviceClock,
    source: Path | None = None,
) -> Plan:
    """The plan, from `source` if one is given and else from the configured server. `lists` says
    which of them are damaged. Raises PlanUnusable."""
    updates, data = settings.updates, settings.device.data

    def damaged() -> frozenset[str]:
        states = lists.states(clock.reading())
        return frozenset(one.name for one in states if one.health is ListHealth.DAMAGED)

    return Plan(
        repository=_repository(settings, source),
        trust=Trust(data / _TRUST, data / _FLOOR, _root(updates.root), clock.now),
        lists=settings.lists.folder,
        names=tuple(rule.name for rule in settings.lists.use),
        keys=keys,
        ring=updates.ring,
        data=data,
        damaged=damaged,
    )


def _repository(settings: Settings, source: Path | None) -> Repository:
    if source is not None:
        if not (source / "metadata").is_dir():
            raise PlanUnusable(f"{source}: this holds no repository; it has a folder metadata/")
        return FolderRepository(source)
    if settings.updates.url is None:
        raise PlanUnusable("no server is configured; set updates.url or give --from FOLDER")
    return WebRepository(settings.updates.url, settings.updates.ca)


def _root(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_ROOT)
    except OSError as error:
        raise PlanUnusable(
            f"{path}: the first root of trust cannot be read ({error.strerror}); bring "
            "metadata/1.root.json of the repository from headquarters and put it there"
        ) from None
