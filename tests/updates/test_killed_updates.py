"""An update that is killed on the way leaves a whole list and whole trust, and comes to its end
later. `tests/updates/kill_torture.py` does the same hundreds of times."""

from pathlib import Path

from tests.lists.tally import Tally
from tests.updates.kill_torture import Sizes, torture

SMALL = Sizes(records=300, added=40, removed=10, days=3)


def test_updates_that_are_killed_give_no_wrong_answer_and_end_updated(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "tally.json")
    torture(tmp_path, SMALL, tally, 8, "suite")
    assert Tally(tmp_path / "tally.json").kills == 8
