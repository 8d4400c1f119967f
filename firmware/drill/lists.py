"""The lists that a drill's specimens are judged against: real ones, built anew for each drill.

They hold the specimens' records and nothing else, under a key that is thrown away, in a folder of
their own that nothing real ever asks. For lists that are too old, the same ones are asked by a
clock that is far ahead. The desk's own clock may be unset; that must not spoil a drill, so here it
is taken at its word.
"""

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
    """Builds them on the spot. Raises OSError and BuildRefused where the disk does not let it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._key = ListKey.new()
        self._folder = tempfile.TemporaryDirectory(
            prefix="borderpost-drill-", ignore_cleanup_errors=True
        )
        place = Path(self._folder.name)
        source = place / "records.csv"
        try:
            source.write_text(demo_list_csv())
            build_list(source, place, LIST, key=self._key, as_of=now())
        except BaseException:
            self.close()
            raise
        lists = Lists(place, self, (ListPolicy(LIST, _MAX_AGE),))
        self._fresh = Examiner(None, lists, lambda: self._clock(timedelta()))
        self._old = Examiner(None, lists, lambda: self._clock(_TOO_OLD))

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

    def _clock(self, ahead: timedelta) -> ClockReading:
        now = self._now() + ahead
        return ClockReading(now, synchronised=True, unsynchronised_s=0.0, grace_s=float("inf"))
