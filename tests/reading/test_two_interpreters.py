"""LiteRT and tflite-runtime, each in its own environment, say the same of the same pictures.

Both run a network as it was trained to the same numbers. In int8 they round differently, so of our
reader the characters and how sure they are must be the same, and its probabilities need not be.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware.demo.catalogue import SPECIMENS_FOLDER
from tests.reading.small_network import write_small_network
from tests.reading.tflite_environment import ROOT, tflite_python

RUN = """
import sys
from pathlib import Path
import numpy as np
from scanner.vision.interpreter import open_network
network = open_network(Path(sys.argv[1]), interpreter=sys.argv[4])
(answer,) = network.run(np.load(sys.argv[2]))
np.save(sys.argv[3], answer)
print(np.__version__)
"""


def run(python: Path, interpreter: str, network: Path, pictures: Path, answer: Path) -> str:
    done = subprocess.run(
        [python, "-c", RUN, network, pictures, answer, interpreter],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def scanned(python: Path, reader: str) -> dict[str, tuple[str, str, list[str]]]:
    """Who read each specimen, how surely, and as what."""
    done = subprocess.run(
        [python, "-m", "firmware.cli", "scan", "--json", "--reader", reader, SPECIMENS_FOLDER],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        Path(one["source"]).name: tuple(
            one["reading"][key] for key in ("reader", "status", "lines")
        )
        for one in told
    }


@pytest.mark.timeout(900)
def test_our_reader_reads_every_specimen_alike_with_both_interpreters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        older = tflite_python()
    one = scanned(Path(sys.executable), "litert")
    other = scanned(older, "tflite-runtime")
    assert len(one) == len(list(SPECIMENS_FOLDER.glob("*.jpg")))
    assert {reader for reader, _, _ in one.values()} == {"litert"}
    assert {reader for reader, _, _ in other.values()} == {"tflite-runtime"}
    assert {file: told[1:] for file, told in other.items()} == {
        file: told[1:] for file, told in one.items()
    }


@pytest.mark.timeout(900)
def test_both_interpreters_say_the_same_of_the_same_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        older = tflite_python()
    network, pictures = write_small_network(tmp_path), tmp_path / "pictures.npy"
    np.save(pictures, np.random.default_rng(2).normal(size=(3, 32, 96, 1)).astype(np.float32))
    run(Path(sys.executable), "litert", network, pictures, tmp_path / "litert.npy")
    version = run(older, "tflite-runtime", network, pictures, tmp_path / "older.npy")
    assert version.startswith("1.")
    one, other = np.load(tmp_path / "litert.npy"), np.load(tmp_path / "older.npy")
    assert np.abs(one - other).max() < 1e-5
    assert np.array_equal(one.argmax(axis=-1), other.argmax(axis=-1))
