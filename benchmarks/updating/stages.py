"""The stages of a run, in their order: the lists' benchmark fills the stores, and the peers take
the same day's update as ours."""

from benchmarks.listing import stages as listing
from benchmarks.listing.settings import Settings
from benchmarks.listing.stages import Stage

_STORES = ("columns", "build-ours", "in-force")


def stages_of(settings: Settings, cuts: int, devices: int) -> list[Stage]:
    """Every stage of the run."""
    peers = [peer for peer in settings.peers if peer in listing.UPDATED]
    wanted = {*_STORES, *(f"{what}-{peer}" for what in ("build", "update") for peer in peers)}
    return [
        *(stage for stage in listing.stages_of(settings) if stage.name in wanted),
        _stage("days", "updates:every_day", "in-force"),
        _stage("catch-up", "updates:catch_up", "days"),
        _stage("whole", "updates:whole", "days", cuts=cuts),
        _stage("fleet", "fleet:fleet", devices=devices),
    ]


def _stage(name: str, calls: str, *needs: str, **arguments: int) -> Stage:
    return Stage(name, calls, needs, arguments={**arguments}, package="benchmarks.updating")
