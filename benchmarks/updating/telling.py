"""A run's figures as Markdown: the table, what the figures mean and what was not measured."""

from collections.abc import Sequence

from benchmarks.listing.figures import Figure
from benchmarks.listing.settings import Settings
from benchmarks.listing.telling import table

SAYS = """\
All in one run, every stage in a process of its own.
A day: what the server sent to a device for one day's update, every file with the head of its
answer: timestamp, snapshot, the list's metadata, the publication, the delta.
Written: what the kernel counts as written by the process (write_bytes in /proc/self/io, files that
were deleted again included), for us from the first request to the version in force; for SQLite and
LMDB one transaction with the first day's changes on a store of the same records, journal included.
The average is over whole cycles from fold to fold.
Catching up: the server's bytes for a device whose last update was so many days ago.
Cuts: connections reset after so many bytes had left the server. Memory is the whole process's at
its most (VmHWM), less what it had before it began (VmRSS).
Fleet: each device fetches, verifies, applies and activates; all share this machine."""

NOT_MEASURED = (
    "Not measured: a network; a Raspberry Pi or an SD card (bytes carry over, times do not); a "
    "file system's own journal; a real list, which nobody publishes; devices on machines of their "
    "own."
)


def markdown(settings: Settings, figures: Sequence[Figure]) -> str:
    """The whole of what is printed."""
    heading = f"## Updates of {settings.records:,} records, {settings.days} days"
    return "\n".join([heading, "", *table(figures), "", SAYS, NOT_MEASURED])
