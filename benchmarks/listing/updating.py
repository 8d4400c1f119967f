"""Stages in which a peer's store takes the same day's update as ours, in one transaction.

Its files are changed by this, so these stages come after all that ask it.
"""

from contextlib import closing

from benchmarks.listing import days, peers
from benchmarks.listing.building import ALL_FIELDS
from benchmarks.listing.measure import bytes_below, make_durable, spent
from benchmarks.listing.settings import Json, Settings


def peer(settings: Settings, name: str) -> Json:
    """Bytes that one day's update has written, its journal included."""
    day = next(days.days(settings))
    removed = days.keys_at(settings, day.removed)
    folder = settings.peer(f"{name}-{ALL_FIELDS}")
    with spent() as used, closing(peers.PEERS[name].open(folder)) as store:
        store.change(day.added, removed)
        make_durable(folder)
    return {
        "update_cpu_s": used.cpu_s,
        "update_wall_s": used.wall_s,
        "written_bytes": used.written_bytes,
        "bytes_after": bytes_below(folder),
    }
