"""A desk whose power is cut has lost nothing that it showed, and the cut is a real one."""

import mmap
from pathlib import Path

import pytest

from tests.lists.tally import Tally
from tests.powercut.guest import canary
from tests.powercut.machine import is_here
from tests.powercut.torture import Shard


@pytest.mark.skipif(not is_here(), reason="needs Debian's user-mode-linux; make powercut has it")
def test_what_a_desk_showed_outlasts_a_cut_of_its_power(tmp_path: Path) -> None:
    cuts, canaries = Tally(tmp_path / "cuts.json"), Tally(tmp_path / "canaries.json")
    shard = Shard("hits", tmp_path / "shard", cuts, canaries, early=0.0, works_s=(1, 1))
    shard.torture(1)
    assert cuts.counts == {"at work": 1}
    assert shard.side.total > 0
    assert canaries.counts == {"synced kept": 1, "unsynced lost": 1}
    with (
        (tmp_path / "shard/disk.ext4").open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as disk,
    ):
        assert disk.find(canary("synced", 1)) > 0
        assert disk.find(canary("unsynced", 1)) < 0
