"""The stage that measures a process that only looks up (`benchmarks/workers/list_lookup.py`)."""

import json
import subprocess
import sys

from benchmarks.listing import columns
from benchmarks.listing.building import secret_of
from benchmarks.listing.running import ROOT
from benchmarks.listing.settings import LIST, Json, Settings

_WORKER = ROOT / "benchmarks" / "workers" / "list_lookup.py"


def memory(settings: Settings) -> Json:
    """Twice, each time in a fresh process: what scans ask of the lists, and keys of the version."""
    hits, misses = settings.columns / columns.HITS, settings.columns / columns.MISSES
    told = {"scans": _run(settings), "keys": _run(settings, str(hits), str(misses))}
    if told["scans"]["not_ok"] or told["scans"]["matches"]:
        raise ValueError("the list was not asked as it should have been")
    if told["keys"]["found"] * 8 != hits.stat().st_size or told["keys"]["found_of_unlisted"]:
        raise ValueError("a listed key was not found, or one was found that is not listed")
    return told


def memory_with_overlay(settings: Settings) -> Json:
    """The same of the version with every day's changes in its overlay."""
    told = {"scans": _run(settings)}
    if told["scans"]["not_ok"] or told["scans"]["matches"]:
        raise ValueError("the list was not asked as it should have been")
    return told


def _run(settings: Settings, *files: str) -> Json:
    secret = secret_of(settings).hex()
    command = [sys.executable, str(_WORKER), str(settings.lists), LIST, secret, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise ValueError(f"the process ended: {done.stderr.strip().splitlines()[-1][:200]}")
    said: Json = json.loads(done.stdout)
    return said
