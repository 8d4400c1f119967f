"""Networks are opened from files that are whole, run on pictures of any size, and stay quiet."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from models.training.flatbuffer import Precision
from scanner.vision import interpreter
from scanner.vision.interpreter import Network, open_network
from scanner.vision.reader import ReaderUnavailable
from scanner.vision.shapes import in_steps
from tests.reading.small_network import CHANNELS, STEP, write_small_network

ROOT = Path(__file__).parents[2]


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def as_taken(precision: Precision, *shape: int) -> np.ndarray:
    """The same pictures as a file of that precision takes them in."""
    if precision is not Precision.INT8:
        return pictures(*shape)
    return in_steps(pictures(*shape), STEP, 0)


@pytest.mark.parametrize("precision", Precision)
def test_a_network_answers_pictures_of_any_number_and_size(
    tmp_path: Path, precision: Precision
) -> None:
    network = open_network(write_small_network(tmp_path, precision))
    for number, height, width in ((1, 16, 16), (3, 32, 64), (2, 16, 48), (1, 16, 16)):
        (shares,) = network.run(as_taken(precision, number, height, width, 1))
        assert shares.shape == (number, height // 2, width // 2, CHANNELS)
        assert shares.dtype == np.float32


def test_what_a_network_says_of_a_picture_depends_on_none_beside_or_before_it(
    tmp_path: Path,
) -> None:
    network = open_network(write_small_network(tmp_path))
    three = pictures(3, 32, 64, 1)
    (together,) = network.run(three)
    (alone,) = network.run(three[1:2])
    assert np.abs(alone[0] - together[1]).max() < 1e-5
    (again,) = network.run(three)
    assert np.array_equal(together, again)


def test_answers_are_the_callers_own(tmp_path: Path) -> None:
    network = open_network(write_small_network(tmp_path))
    (first,) = network.run(pictures(1, 16, 16, 1))
    kept = first.copy()
    network.run(-pictures(1, 16, 16, 1))
    assert np.array_equal(first, kept)


def test_float16_and_int8_say_nearly_what_float32_says(tmp_path: Path) -> None:
    answers = []
    for precision in Precision:
        folder = tmp_path / precision
        folder.mkdir()
        network = open_network(write_small_network(folder, precision))
        answers += network.run(as_taken(precision, 1, 32, 32, 1))
    assert np.abs(answers[1] - answers[0]).max() < 0.01
    assert np.abs(answers[2] - answers[0]).max() < 0.1


@pytest.mark.parametrize(
    ("at", "bits"), [(0, 0xFF), (2000, 0x01), (-1, 0x80)], ids=["head", "middle", "end"]
)
def test_weights_with_one_byte_changed_are_refused_in_one_line(
    tmp_path: Path, at: int, bits: int
) -> None:
    path = write_small_network(tmp_path)
    content = bytearray(path.read_bytes())
    content[at] ^= bits
    path.write_bytes(content)
    with pytest.raises(ReaderUnavailable, match=r"damaged.*install borderpost anew") as told:
        open_network(path)
    assert "\n" not in str(told.value)
    assert str(path) in str(told.value)


def test_weights_cut_short_or_missing_or_not_listed_are_refused_in_one_line(
    tmp_path: Path,
) -> None:
    path = write_small_network(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    refusals = []
    with pytest.raises(ReaderUnavailable, match="damaged") as told:
        open_network(path)
    refusals.append(str(told.value))
    path.write_bytes(whole)
    (tmp_path / "SHA256SUMS").write_text("0" * 64 + "  other.tflite\n\n")
    with pytest.raises(ReaderUnavailable, match="not listed") as told:
        open_network(path)
    refusals.append(str(told.value))
    (tmp_path / "SHA256SUMS").unlink()
    with pytest.raises(ReaderUnavailable, match="SHA256SUMS") as told:
        open_network(path)
    refusals.append(str(told.value))
    path.unlink()
    with pytest.raises(ReaderUnavailable, match=r"small\.tflite") as told:
        open_network(path)
    refusals.append(str(told.value))
    assert all("\n" not in refusal for refusal in refusals)


@pytest.mark.parametrize(
    ("interpreter", "module", "remedy"),
    [
        ("litert", "ai_edge_litert.interpreter", "pip install ai-edge-litert"),
        ("tflite-runtime", "tflite_runtime.interpreter", "pip install 'borderpost[tflite]'"),
    ],
)
def test_an_interpreter_that_is_not_installed_is_named_with_how_to_install_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interpreter: str,
    module: str,
    remedy: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ReaderUnavailable) as told:
        open_network(write_small_network(tmp_path), interpreter=interpreter)
    assert remedy in str(told.value)
    assert "\n" not in str(told.value)


def test_an_interpreter_of_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReaderUnavailable, match="there is litert, tflite-runtime"):
        open_network(write_small_network(tmp_path), interpreter="tensorflow")


def test_opening_a_network_says_nothing_but_lets_others_speak(tmp_path: Path) -> None:
    path = write_small_network(tmp_path)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from scanner.vision import interpreter\n"
        f"network = interpreter.open_network(Path({str(path)!r}))\n"
        "with interpreter._hushed():\n"
        "    os.write(2, b'INFO: some remark\\nERROR: some fault\\n')\n"
        "os.write(2, b'after\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert (done.stdout, done.stderr) == ("", "ERROR: some fault\nafter\n")


def test_a_network_can_be_opened_where_there_is_no_stderr(tmp_path: Path) -> None:
    path = write_small_network(tmp_path)
    script = (
        "from pathlib import Path\n"
        "from scanner.vision.interpreter import open_network\n"
        f"open_network(Path({str(path)!r}))\n"
        "print('open')\n"
    )
    done = subprocess.run(
        ["bash", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout == "open\n"


def test_the_same_layers_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for precision in Precision:
        files = [write_small_network(tmp_path / folder, precision) for folder in "ab"]
        assert files[0].read_bytes() == files[1].read_bytes()


class Counted:
    """Makes interpreters of a small network, and knows how many had room from the start."""

    def __init__(self, path: Path) -> None:
        self.made = 0
        self._weights = path.read_bytes()

    def __call__(self, shape: tuple[int, ...] | None) -> Interpreter:
        made = Interpreter(model_content=self._weights, num_threads=1)
        if shape is not None:
            self.made += 1
            made.resize_tensor_input(made.get_input_details()[0]["index"], shape)
            made.allocate_tensors()
        return made


SIZES = ((16, 16), (32, 64), (16, 48), (64, 64), (256, 256))


def test_the_room_for_a_shape_is_made_once_and_kept(tmp_path: Path) -> None:
    counted = Counted(write_small_network(tmp_path))
    network = Network(counted)
    for height, width in SIZES[:4] * 3:
        network.run(pictures(1, height, width, 1))
    assert counted.made == 4


def test_rooms_that_are_taken_for_other_shapes_answer_as_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_small_network(tmp_path)
    asked = [pictures(1, *size, 1) for size in SIZES]
    fresh = [open_network(path).run(one)[0] for one in asked]
    monkeypatch.setattr(interpreter, "KEPT", 3000)
    counted = Counted(path)
    network = Network(counted)
    order = np.random.default_rng(3).integers(0, len(SIZES), 60)
    for i in order:
        assert np.array_equal(network.run(asked[i])[0], fresh[i])
    assert counted.made < len(order) / 4, "rooms are used anew"


def test_large_shapes_share_one_room_and_leave_those_that_are_kept_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "KEPT", 3000)
    counted = Counted(write_small_network(tmp_path))
    network = Network(counted)
    for size in ((32, 64), (16, 16), (256, 256), (32, 64), (256, 128), (16, 16)):
        network.run(pictures(1, *size, 1))
    assert counted.made == 3


def test_a_room_that_is_far_too_large_is_not_used_for_a_small_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "KEPT", 3000)
    counted = Counted(write_small_network(tmp_path))
    network = Network(counted)
    network.run(pictures(1, 32, 80, 1))
    for size in ((16, 32), (32, 64)) * 3:
        network.run(pictures(1, *size, 1))
    assert counted.made == 3, "else neither of the two would ever have room beside the other"
