"""A machine whose power can be cut: a guest of User Mode Linux, killed whole.

The guest's kernel is a process of this machine. Its memory, and with it every page that it has not
written to its disk, ends with that process; its disk is a file here, and what the guest has written
to it stays. So to kill it is to cut its power, at any moment and thousands of times. The disk of a
guest has no cache of its own that a cut could lose, as a card's controller may have.

The guest runs this repository with this Python, both seen read-only through hostfs, and speaks with
us by its console: a line that begins with `@` is a message.
"""

import json
import os
import random
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.powercut.console import Message, Wrong

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
KERNEL = "linux.uml"
_MEMORY = "512M"
_GONE_WITHIN_S = 10.0


def is_here() -> bool:
    """Whether this machine can run such guests."""
    return all(shutil.which(program) for program in (KERNEL, "mke2fs", "gcc"))


def make_disk(image: Path, content: Path, megabytes: int = 192) -> None:
    """Makes an ext4 image that holds `content`, without mounting anything."""
    image.unlink(missing_ok=True)
    subprocess.run(
        ["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(content), str(image), f"{megabytes}M"],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def registers(folder: Path) -> Path:
    """What the kernel needs loaded into it, built in `folder` (see `registers.c`)."""
    library = folder / "registers.so"
    if not library.exists():
        source = HERE / "registers.c"
        subprocess.run(
            ["gcc", "-Wall", "-O2", "-shared", "-fPIC", "-o", library, source], check=True
        )
    return library


class Machine:
    """A guest that runs `work` with the disk `image`; `folder` is what it is told to read here."""

    def __init__(self, image: Path, work: str, folder: Path) -> None:
        variables = {
            "POWERCUT_PYTHON": sys.executable,
            "POWERCUT_ROOT": str(ROOT),
            "POWERCUT_WORK": work,
            "POWERCUT_FOLDER": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore::RuntimeWarning",
            "OPENBLAS_NUM_THREADS": "1",
        }
        told = [f'{name}="{value}"' for name, value in variables.items()]
        self._process = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL", KERNEL),
                *(f"mem={_MEMORY}", f"ubda={image}", "rootfstype=hostfs", "rootflags=/", "ro"),
                *(f"init={HERE / 'boot.sh'}", "con=null", "con0=fd:0,fd:1", "quiet", "panic=-1"),
                *(f"uml_dir={folder}", f"umid=guest-{os.getpid()}-{random.getrandbits(32):x}"),
                *told,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "LD_PRELOAD": str(registers(folder))},
            bufsize=0,
        )
        assert self._process.stdout is not None
        self._from_guest = self._process.stdout.fileno()
        self._left = b""
        self._unheard: deque[Message] = deque()
        self._telling = threading.Lock()
        self.ended = False
        """Whether it came to an end by itself."""
        self.last_lines: deque[str] = deque(maxlen=30)
        """What it last said besides messages: the kernel, and programs that failed."""

    def messages(self, until: float) -> Iterator[Message]:
        """What it says, until the moment `until` (monotonic) or its end. Whoever stops listening in
        between hears the rest the next time."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._from_guest, selectors.EVENT_READ)
            while True:
                while self._unheard:
                    yield self._unheard.popleft()
                within = until - time.monotonic()
                if within <= 0:
                    return
                if selector.select(within) and not self._read():
                    self.ended = True
                    return

    def _read(self) -> bool:
        """Reads what there is; False at its end."""
        read = os.read(self._from_guest, 65536)
        *lines, self._left = (self._left + read).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").strip("\r")
            if not text.startswith("@ "):
                self.last_lines.append(text)
                continue
            # What the kernel says in between can tear a message.
            with suppress(ValueError):
                self._unheard.append(json.loads(text[2:]))
        return bool(read)

    def tell(self, message: Message) -> None:
        """Says something to it; what cannot be said any more is lost, as on a link."""
        assert self._process.stdin is not None
        line = json.dumps(message).encode() + b"\n"
        with self._telling, suppress(OSError):
            while line and not self._process.stdin.closed:
                line = line[os.write(self._process.stdin.fileno(), line) :]

    def cut(self) -> list[Message]:
        """Cuts its power; gives what it had said before that was not yet heard."""
        group = self._process.pid
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self._process.wait()
        deadline = time.monotonic() + _GONE_WITHIN_S
        while _is_there(group):
            if time.monotonic() > deadline:
                raise Wrong("a process of the guest outlives its kernel")
            time.sleep(0.01)
        while self._read():
            pass
        with self._telling:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        return list(self._unheard)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
