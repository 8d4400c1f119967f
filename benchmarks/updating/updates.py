"""The stages of the updates' benchmark, each in a process of its own."""

from pathlib import Path

from benchmarks.listing import peers
from benchmarks.listing.measure import memory_mb
from benchmarks.listing.settings import Json, Settings
from benchmarks.updating.device import cloned, plan_for, updated
from benchmarks.updating.headquarters import Headquarters
from benchmarks.updating.served import served
from central.publishing.repository import RepositoryFolder
from central.publishing.targets import published_in
from scanner.watchlist.publication import Publication

BEHIND = (1, 8, 64, 66)
"""So many days behind are devices that catch up; a step is kept for 64 days and the day's own."""


def every_day(settings: Settings) -> Json:
    """Headquarters publishes each day, and a device updates each day. Devices as it is on some days
    are kept for `catch_up`."""
    for left in (_device(settings), _behind(settings)):
        peers.removed(left)
    headquarters = Headquarters(settings, _repository(settings))
    told = []
    with served(_repository(settings)) as server:
        for number, (publication, delta) in enumerate(headquarters.published_days()):
            plan = plan_for(settings, _device(settings), server.url, headquarters.root)
            day = updated(plan, server)
            arrived = day["outcome"] == "updated" and day["version"] == publication.version
            told.append({**day, "day": number, "delta": delta, "arrived": arrived})
            behind = settings.days - number
            if behind in BEHIND:
                cloned(_device(settings), _behind(settings) / str(behind))
    return {"days": told, "folds": _folds(publication)}


def catch_up(settings: Settings) -> Json:
    """Devices that were away update to the last day. `steps` are the sizes of the steps, the newest
    first."""
    repository = _repository(settings)
    told = []
    with served(repository) as server:
        for kept in sorted(_behind(settings).iterdir(), key=lambda path: int(path.name)):
            device = cloned(kept, settings.work / "catching-up")
            plan = plan_for(settings, device, server.url, _root(repository))
            told.append({**updated(plan, server), "behind": int(kept.name)})
            peers.removed(device)
    sizes = [step.bytes for step in _publication(repository).steps]
    return {"devices": told, "steps": sizes[::-1]}


def whole(settings: Settings, cuts: int) -> Json:
    """A new device fetches the base over a link that fails again and again; another one over a link
    that does not."""
    repository, device = _repository(settings), settings.work / "new"
    size = _publication(repository).whole.bytes
    told: Json = {"whole_bytes": size}
    for name, cut_every in (("cut", size // (cuts + 3)), ("clean", None)):
        peers.removed(device)
        started = memory_mb("VmRSS")
        with served(repository, cut_every) as server:
            plan = plan_for(settings, device, server.url, _root(repository))
            attempts = [updated(plan, server)]
            while attempts[-1]["outcome"] == "failed":
                attempts.append(updated(plan, server))
        told[name] = {
            "attempts": len(attempts),
            "outcome": attempts[-1]["outcome"],
            "reason": attempts[-1]["reason"],
            "start_mb": started,
            "most_mb": memory_mb("VmHWM"),
            **{
                what: sum(one[what] for one in attempts)
                for what in ("sent", "requests", "cuts", "written_bytes", "cpu_s", "wall_s")
            },
        }
    peers.removed(device)
    return told


def _folds(publication: Publication) -> list[int]:
    """The days on which a base was folded."""
    return [step.from_version - 1 for step in publication.steps if step.path is None]


def _publication(folder: Path) -> Publication:
    (found,) = published_in(RepositoryFolder(folder))
    return found


def _root(repository: Path) -> bytes:
    return (repository / "metadata" / "1.root.json").read_bytes()


def _repository(settings: Settings) -> Path:
    return settings.work / "repository"


def _device(settings: Settings) -> Path:
    return settings.work / "device"


def _behind(settings: Settings) -> Path:
    return settings.work / "behind"
