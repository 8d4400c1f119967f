"""The demo tells the truth about the product, on nothing but this machine."""

import re
import subprocess
import sys

import pytest

from firmware.demo.catalogue import SPECIMENS


@pytest.mark.timeout(300)
def test_once_through_every_specimen_gets_a_right_verdict_and_every_hit_arrives() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "firmware.cli", "demo", "--once"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = {
        found[1]: found[2]
        for found in re.finditer(
            r"^desk +\| (\S+\.jpg) +[●○◐ ]+ ([A-Z_]+) ", done.stdout, re.MULTILINE
        )
    }
    assert set(said) == {one.file for one in SPECIMENS}
    wrong = {one.file: said[one.file] for one in SPECIMENS if said[one.file] not in one.expected}
    assert wrong == {}

    hits = sum(outcome in ("HIT", "POSSIBLE") for outcome in said.values())
    last = done.stdout.splitlines()[-1]
    assert (
        last == f"demo: {len(SPECIMENS)} documents, {hits} hits, {hits} alerts received by central"
    )
    assert len(re.findall(r"^central +\| .*(?:HIT|POSSIBLE)", done.stdout, re.MULTILINE)) == hits
