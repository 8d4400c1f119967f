"""Opens our networks: TFLite files, run by LiteRT or by the older tflite-runtime.

LiteRT (`ai-edge-litert`) comes with Borderpost and is what runs unless the other is asked for by
its name; there is no falling back from one to the other. Both take the same files and give the same
characters (docs/decisions/0002-interpreter.md).

A file is read once, held against `SHA256SUMS` beside it, and handed to the interpreter as those
very bytes: an interpreter checks their form at most, and a damaged file ends tflite-runtime's
process or, worse, reads wrongly.

Networks take any batch, height and width. Making room for a shape costs as much as running it, so
the room for the last few shapes is kept, as far as `KEPT` values of input go.
"""

import ctypes
import os
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanner.vision.reader import ReaderUnavailable
from scanner.vision.readers import INTERPRETERS, LITERT, TFLITE_RUNTIME
from scanner.vision.shapes import quantised

__all__ = ["MODELS", "Network", "open_network", "verified"]


MODELS = Path(__file__).parents[2] / "models"
"""Where the weights are: beside the packages, in a checkout and once installed."""

SUMS = "SHA256SUMS"

_MODULES = {LITERT: "ai_edge_litert", TFLITE_RUNTIME: "tflite_runtime"}
_INSTALL = {
    LITERT: "install it with pip install ai-edge-litert",
    TFLITE_RUNTIME: "install it with pip install 'borderpost[tflite]' (Python 3.11 alone has it)",
}
_ANEW = "install borderpost anew"

_stderr = Lock()

KEPT = 180_000
"""So many values of input have room side by side: some 25 MB in the locator, next to nothing in the
recognisers. All larger shapes share one room, which grows to what the largest of them takes."""

APART = 4 << 20
"""More than any array of a usual frame takes, so that those cost nothing more."""
_M_MMAP_THRESHOLD = -3
"""glibc's malloc.h."""

Floats = NDArray[np.float32]
Shape = tuple[int, ...]


@dataclass
class _Room:
    """An interpreter, and the most values of input that it has had room for: what it once took it
    keeps."""

    interpreter: Any
    most: int


class Network:
    """A network ready to run, on one thread at a time."""

    def __init__(self, make: Callable[[Shape | None], Any]) -> None:
        """`make` makes an interpreter of the same weights, with room for a shape: with none at all
        where no shape is given."""
        self._make = make
        without = make(None)
        taken = without.get_input_details()[0]
        self._input = int(taken["index"])
        self._step, self._zero = taken["quantization"]
        self._outputs = [int(output["index"]) for output in without.get_output_details()]
        self._rooms: OrderedDict[Shape, _Room] = OrderedDict()
        self._large: tuple[Shape, _Room] | None = None

    def look_at(self, pictures: NDArray[np.uint8]) -> list[Floats]:
        """What a network of int8 says of grey pictures, number × height × width, whose sides are
        multiples of `shapes.FOLD`."""
        return self.run(quantised(pictures, self._step, self._zero))

    def run(self, pictures: NDArray[Any]) -> list[Floats]:
        """What the network says of pictures as it takes them in, batch × height × width × channels:
        an array an output, in the same order of axes."""
        shape = pictures.shape
        interpreter = self._large_room(shape) if prod(shape) > KEPT else self._room(shape)
        interpreter.set_tensor(self._input, pictures)
        interpreter.invoke()
        return [np.asarray(interpreter.get_tensor(output)) for output in self._outputs]

    def _large_room(self, shape: Shape) -> Any:
        """The one interpreter for shapes that are too large to be kept side by side; one that has
        to grow is made anew, so that it never has its room twice."""
        if self._large and self._large[0] != shape:
            room = self._large[1]
            if room.most < prod(shape):
                self._large = None
                del room
            else:
                self._resize(room.interpreter, shape)
                self._large = shape, room
            _give_back()
        if self._large is None:
            self._large = shape, _Room(self._make(shape), prod(shape))
        return self._large[1].interpreter

    def _room(self, shape: Shape) -> Any:
        """The interpreter that was last used for the shape, or that which was not used for longest
        where no more may be kept, or a new one."""
        if shape not in self._rooms:
            room = self._cleared_for(prod(shape))
            if room is not None:
                self._resize(room.interpreter, shape)
                room.most = max(room.most, prod(shape))
            else:
                room = _Room(self._make(shape), prod(shape))
            self._rooms[shape] = room
            _give_back()
        self._rooms.move_to_end(shape)
        return self._rooms[shape].interpreter

    def _cleared_for(self, values: int) -> _Room | None:
        """Takes away the rooms that may not be kept beside one for so many values, those that were
        not used for longest first, and gives the last of them, unless it is far too large."""
        cleared: _Room | None = None
        while self._rooms:
            kept = sum(room.most for room in self._rooms.values())
            if kept + max(values, cleared.most if cleared else 0) <= KEPT:
                break
            _, cleared = self._rooms.popitem(last=False)
        return cleared if cleared and cleared.most <= 2 * values else None

    def _resize(self, interpreter: Any, shape: Shape) -> None:
        interpreter.resize_tensor_input(self._input, shape)
        interpreter.allocate_tensors()


def _keep_large_blocks_apart() -> None:
    """Has the C library, where it is glibc, take blocks of `APART` bytes and more from the system
    and give them back whole, always. It begins so, but puts the limit up to 32 MB by and by: then
    what a large room leaves behind is cut up and stays with the process."""
    limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if limit is not None:
        limit(_M_MMAP_THRESHOLD, APART)


def _give_back() -> None:
    """Gives memory that rooms no longer take back to the system, where the C library can (glibc):
    else what lies free between what is used grows with every shape that is seen."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def open_network(path: Path, *, threads: int = 1, interpreter: str = LITERT) -> Network:
    """The network in a TFLite file. Raises ReaderUnavailable with one line."""
    weights = verified(path)
    _keep_large_blocks_apart()
    if interpreter not in INTERPRETERS:
        raise ReaderUnavailable(
            f"no interpreter {interpreter!r}; there is {', '.join(INTERPRETERS)}"
        )
    with _hushed():
        try:
            module = import_module(f"{_MODULES[interpreter]}.interpreter")
        except ImportError as error:
            raise ReaderUnavailable(
                f"the interpreter {interpreter!r} cannot be loaded ({_line(error)}): "
                f"{_INSTALL[interpreter]}"
            ) from error

    def make(shape: Shape | None) -> Any:
        with _hushed():
            opened = module.Interpreter(model_content=weights, num_threads=threads)
            if shape is not None:
                opened.resize_tensor_input(opened.get_input_details()[0]["index"], shape)
                opened.allocate_tensors()
            return opened

    try:
        return Network(make)
    except (ValueError, RuntimeError) as error:
        raise ReaderUnavailable(
            f"the interpreter {interpreter!r} cannot run {path} ({_line(error)})"
        ) from error


def verified(path: Path) -> bytes:
    """A model file's bytes, which are those that `SHA256SUMS` beside it says. Raises
    ReaderUnavailable with one line."""
    try:
        content = path.read_bytes()
        sums = (path.parent / SUMS).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise ReaderUnavailable(
            f"the reader's weights cannot be read ({_line(error)}): {_ANEW}"
        ) from error
    listed = [line.split()[0] for line in sums.splitlines() if line.split()[1:] == [path.name]]
    if not listed:
        raise ReaderUnavailable(f"{path} is not listed in {SUMS} beside it: {_ANEW}")
    if sha256(content).hexdigest() != listed[0]:
        raise ReaderUnavailable(
            f"the reader's weights in {path} are damaged (another SHA-256 than {SUMS} has): {_ANEW}"
        )
    return content


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


@contextmanager
def _hushed() -> Iterator[None]:
    """Keeps remarks (`INFO: ...`) that the interpreters write straight to the process's stderr from
    it, when a network is opened; all else arrives there a moment later.

    LiteRT has no switch for them that can be reached from Python.
    """
    with _stderr:
        try:
            kept = os.dup(2)
        except OSError:  # there is no stderr
            yield
            return
        with tempfile.TemporaryFile() as held:
            sys.stderr.flush()
            os.dup2(held.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(kept, 2)
                os.close(kept)
                held.seek(0)
                for line in held:
                    if not line.startswith(b"INFO:"):
                        os.write(2, line)
