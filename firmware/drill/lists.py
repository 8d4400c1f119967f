"""The lists that a drill's specimens are judged against: real ones, built anew for each drill.

They hold the specimens' records and nothing else, under a key that is thrown away, in a folder of
their own that nothing real ever asks. A second build of the same records is as old as no list may
be. The desk's own clock may be unset; that must not spoil a drill, so here it is taken at its word.
"""

import secrets
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from firmware.demo.catalogue import demo_list_csv
from scanner.examine import Examination, Examiner
from scanner.mrz.reading import Reading
from scanner.sources.capture import Capture
from scanner.watchlist.age import ClockReading
from scanner.watchlist.build import build_list
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.lists import ListPolicy, Lists

LIST = "drill"
_MAX_AGE = timedelta(hours=72)
_TOO_OLD = timedelta(days=30)


class DrillLists:
    """Builds both on the spot. Raises OSError and BuildRefused where the disk does not let it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._key = ListKey.new()
        self._folder = tempfile.TemporaryDirectory(prefix="borderpost-drill-")
        place, began = Path(self._folder.name), now()
        source = place / f"{secrets.token_hex(4)}.csv"
        try:
            source.write_text(demo_list_csv())
            self._fresh = self._examiner(source, place / "fresh", began)
            self._old = self._examiner(source, place / "old", began - _TOO_OLD)
        except BaseException:
            self.close()
            raise

    def judge(self, source: str, reading: Reading, *, old: bool) -> Examination:
        """What the desk would say of what was read, by the drill's lists."""
        examiner = self._old if old else self._fresh
        return examiner.examine(Capture(source, text=reading))

    def close(self) -> None:
        """Leaves nothing of them."""
        self._folder.cleanup()

    def key(self, list_name: str, key_id: str) -> ListKey:
        """The one key that there is, for `Lists`."""
        return self._key

    def _examiner(self, source: Path, folder: Path, as_of: datetime) -> Examiner:
        build_list(source, folder, LIST, key=self._key, as_of=as_of)
        return Examiner(None, Lists(folder, self, (ListPolicy(LIST, _MAX_AGE),)), self._clock)

    def _clock(self) -> ClockReading:
        return ClockReading(
            now=self._now(), synchronised=True, unsynchronised_s=0.0, grace_s=float("inf")
        )
