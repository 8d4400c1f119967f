"""A small torture of delivery; `make torture` has the large one."""

import subprocess
import sys
from pathlib import Path

CHAOS = Path("tests/delivery/chaos.py")


def torture(state: Path, *more: str) -> subprocess.CompletedProcess[str]:
    common = ("--state", str(state), "--devices", "4", "--every", "0.4")
    return subprocess.run(
        [sys.executable, str(CHAOS), *common, *more],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_kills_of_devices_receivers_and_broker_lose_nothing(tmp_path: Path) -> None:
    done = torture(tmp_path, "--kills", "12", "--shard", "6", "--per-second", "20")
    assert done.returncode == 0, done.stderr
    kills, alerts, answers, *_ = done.stdout.splitlines()
    assert int(kills.split()[0]) >= 12
    assert int(alerts.split()[0]) >= 120
    assert alerts.endswith("0 lost, 0 seen twice by an operator")
    assert int(answers.split()[0]) > 0
    assert "PostgreSQL" in done.stderr


def test_a_receiver_that_acknowledges_before_it_commits_is_found_out(tmp_path: Path) -> None:
    forgetful = ("--forgetful", "--victims", "receiver", "--patience", "6")
    done = torture(tmp_path, "--kills", "8", "--store", "sqlite", *forgetful)
    assert done.returncode == 1
    assert " lost: " in done.stderr
    assert "Traceback" not in done.stderr
