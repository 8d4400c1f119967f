"""The environment of the older interpreter: Python 3.11 with the extra `tflite`, in .venv-tflite.

tflite-runtime needs NumPy below 2, which the environment of the other tests must not have. It is
made once and kept, until pyproject.toml changes.
"""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-tflite"
PYTHON = FOLDER / "bin" / "python"
NO_NETWORK = ("connection broken", "ConnectionError", "Temporary failure in name resolution")


def tflite_python() -> Path:
    """The environment's Python, set up where it is not there yet; skips the test, saying why, where
    this machine has no Python 3.11 or no package index."""
    ready = FOLDER / ".ready"
    stamp = sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if PYTHON.exists() and ready.exists() and ready.read_text() == stamp:
        return PYTHON
    older = _python_3_11()
    if older is None:
        pytest.skip("tflite-runtime needs Python 3.11, and no python3.11 is here")
    print(f"set-up: making {FOLDER} with {older} and installing borderpost[tflite]", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    # Without a pip of its own, and compiling no more than what is imported: half of the time.
    subprocess.run([older, "-m", "venv", "--without-pip", FOLDER], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", PYTHON, "install", "--no-compile", "--quiet",
         "--disable-pip-version-check", "--editable", f"{ROOT}[tflite]"],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        if any(sign in done.stderr for sign in NO_NETWORK):
            pytest.skip("tflite-runtime cannot be installed: the package index cannot be reached")
        pytest.fail(f"pip install 'borderpost[tflite]' failed: {done.stderr[-2000:]}")
    ready.write_text(stamp)
    return PYTHON


def _python_3_11() -> str | None:
    """A Python 3.11 that runs; a name on the PATH alone is none."""
    check = "import sys; sys.exit(sys.version_info[:2] != (3, 11))"
    for python in (sys.executable, shutil.which("python3.11"), "/usr/bin/python3.11"):
        if python and Path(python).exists():
            done = subprocess.run([python, "-c", check], capture_output=True, check=False)
            if done.returncode == 0:
                return python
    return None
