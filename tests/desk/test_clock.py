"""The device's time never runs backwards, and says how sure it is."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import firmware.clock
from firmware.clock import BUILT, DeviceClock, machine_clock, timesyncd_says_synchronised

DAY = timedelta(days=1)


def _clock(path: Path, *, trust: bool = True) -> DeviceClock:
    return DeviceClock(path, trust_machine=trust, grace=timedelta(hours=2))


def _remember(path: Path, seen: datetime, *, boot: str = "an earlier boot") -> None:
    path.write_text(json.dumps({"seen": seen.isoformat(), "boot": boot, "uptime": 50.0}))


def test_the_time_goes_on_from_what_was_last_seen_when_the_machine_woke_in_the_past(
    tmp_path: Path,
) -> None:
    seen = datetime.now(UTC) + 30 * DAY
    _remember(tmp_path / "clock.json", seen)
    assert _clock(tmp_path / "clock.json").reading().now >= seen


def test_time_since_boot_is_added_to_what_was_last_seen(tmp_path: Path) -> None:
    seen = datetime.now(UTC) + 30 * DAY
    _remember(tmp_path / "clock.json", seen)
    uptime = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    now = _clock(tmp_path / "clock.json").reading().now
    assert abs(now - seen - uptime) < timedelta(seconds=5)


def test_the_time_is_remembered_across_a_restart(tmp_path: Path) -> None:
    seen = datetime.now(UTC) + 30 * DAY
    _remember(tmp_path / "clock.json", seen)
    _clock(tmp_path / "clock.json").save()
    later = _clock(tmp_path / "clock.json").reading().now
    assert seen <= later < seen + 400 * DAY


def test_a_machine_that_wakes_in_1970_knows_at_least_when_it_was_built(tmp_path: Path) -> None:
    _remember(tmp_path / "clock.json", datetime(1970, 1, 1, tzinfo=UTC))
    assert _clock(tmp_path / "clock.json").reading().now >= BUILT


def test_a_damaged_memory_is_no_obstacle(tmp_path: Path) -> None:
    for damaged in (b"", b"{", b'{"seen": 3}', b"\xff"):
        (tmp_path / "clock.json").write_bytes(damaged)
        assert _clock(tmp_path / "clock.json").reading().now >= BUILT


@pytest.mark.parametrize("uptime", [1.0, float("nan"), 1e18])
def test_a_memory_of_no_possible_time_is_no_obstacle(tmp_path: Path, uptime: float) -> None:
    path = tmp_path / "clock.json"
    _clock(path).save()
    kept = json.loads(path.read_bytes())
    kept |= {"uptime": uptime, "seen": "9999-12-31T23:59:59+00:00"}
    path.write_text(json.dumps(kept))
    assert _clock(path).reading().now < max(datetime.now(UTC), BUILT) + DAY


def test_a_trusted_machine_is_synchronised(tmp_path: Path) -> None:
    reading = _clock(tmp_path / "clock.json", trust=True).reading()
    assert reading.synchronised
    assert reading.trusted
    assert machine_clock().trusted


def test_a_clock_that_was_never_set_counts_how_long_it_has_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firmware.clock, "kernel_says_synchronised", lambda: False)
    reading = _clock(tmp_path / "clock.json", trust=False).reading()
    assert not reading.synchronised
    assert reading.unsynchronised_s > 0
    assert reading.grace_s == 2 * 3600


def test_a_disk_that_refuses_to_remember_changes_nothing(tmp_path: Path) -> None:
    clock = _clock(tmp_path / "no such folder" / "clock.json")
    before = clock.reading().now
    clock.save()
    assert clock.reading().now >= before


def test_where_the_kernel_may_not_be_asked_timesyncd_s_last_setting_counts_for_hours(
    tmp_path: Path,
) -> None:
    file = tmp_path / "synchronized"
    assert not timesyncd_says_synchronised(file)
    file.touch()
    assert timesyncd_says_synchronised(file)
    long_ago = time.time() - 10 * 3600
    os.utime(file, (long_ago, long_ago))
    assert not timesyncd_says_synchronised(file)
