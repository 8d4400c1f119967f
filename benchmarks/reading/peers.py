"""The peers: open readers of other projects, each in a virtual environment of its own.

An environment is made on first use under `benchmarks/.peers/NAME` (git-ignored) and kept; what goes
into it is said before it is installed. A peer that cannot be set up is told as such in the table,
with the reason.

Tesseract's model matters most to two of them. The best one that is free is trained on MRZs:
`mrz.traineddata` of DoubangoTelecom/tesseractMRZ, which fastmrz asks its users to fetch. No package
on PyPI or in Debian carries it, so it is used where it is put (`benchmarks/.peers/mrz.traineddata`
or `--mrz-model FILE`); without it, Debian's English model stands in, and the table says so.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1]
FOLDER = BENCHMARKS / ".peers"
WORKERS = BENCHMARKS / "workers"


class CannotSetUp(Exception):
    """The peer cannot be run here; the message is one line."""


@dataclass(frozen=True)
class Peer:
    """A reader of another project. `tesseract` says whether it reads with Tesseract."""

    name: str
    worker: str
    packages: tuple[str, ...]
    tesseract: bool = False


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "passporteye",
            "peer_passporteye.py",
            # PassportEye calls what scikit-image 0.27 removes.
            ("passporteye==2.2.2", "scikit-image<0.27"),
            tesseract=True,
        ),
        Peer("fastmrz", "peer_fastmrz.py", ("fastmrz==2.1.2",), tesseract=True),
        Peer("rapidocr", "peer_rapidocr.py", ("rapidocr>=3.4,<4", "onnxruntime>=1.20,<2")),
    )
}


def set_up(peer: Peer, model: Path | None, say: Callable[[str], None]) -> tuple[list[str], str]:
    """The command that runs the peer's worker, and which Tesseract model it reads with ("" where it
    has its own). Raises CannotSetUp."""
    python = environment(peer, say)
    command = [str(python), str(WORKERS / peer.worker)]
    if not peer.tesseract:
        return command, ""
    folder, told = _tesseract_model(model)
    return [*command, str(folder)], told


def environment(peer: Peer, say: Callable[[str], None]) -> Path:
    """The peer's own Python; what is there already is used as it is."""
    folder = FOLDER / peer.name
    wanted = hashlib.sha256("\n".join(peer.packages).encode()).hexdigest()[:12]
    ready, python = folder / f".ready-{wanted}", folder / "bin" / "python"
    if ready.exists():
        return python
    say(f"set-up: {peer.name}: installing {', '.join(peer.packages)} into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    _run([*pip, *peer.packages])
    ready.touch()
    return python


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CannotSetUp(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise CannotSetUp(f"set-up failed: {lines[-1][:200] if lines else 'without a word'}")


def _tesseract_model(named: Path | None) -> tuple[Path, str]:
    """A folder with a model called `mrz`, and which one it is."""
    given = named or FOLDER / "mrz.traineddata"
    if given.is_file():
        return _as_mrz(given), f"MRZ model {hashlib.sha256(given.read_bytes()).hexdigest()[:8]}"
    if named is not None:
        raise CannotSetUp(f"{named}: there is no such model")
    english = _tessdata() / "eng.traineddata"
    if not english.is_file():
        raise CannotSetUp("Tesseract has no English model: apt install tesseract-ocr-eng")
    return _as_mrz(english), "Debian's English model"


def _as_mrz(model: Path) -> Path:
    """A folder that holds the model under the name `mrz`."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()[:12]
    folder = FOLDER / f"tessdata-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model, folder / "mrz.traineddata")
    return folder


def _tessdata() -> Path:
    """Where the installed Tesseract keeps its models."""
    try:
        done = subprocess.run(
            ["tesseract", "--list-langs"], capture_output=True, text=True, check=False
        )
    except OSError:
        raise CannotSetUp("needs the program tesseract: apt install tesseract-ocr") from None
    found = re.search(r'"(.+)"', done.stdout + done.stderr)
    if found is None:
        raise CannotSetUp("tesseract does not say where its models are")
    return Path(found.group(1))
