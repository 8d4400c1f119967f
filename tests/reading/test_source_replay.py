"""Files and folders are replayed in order; what gives nothing is said in one line."""

import io
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from scanner.mrz.reading import Status
from scanner.sources import picture, replay
from scanner.sources.capture import Capture, Frame
from scanner.sources.replay import Replay
from tests.reading.specimens_9303 import TD1, TD3

UPRIGHT_TO_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def all_of(*paths: Path) -> list[Capture]:
    return list(Replay(paths).captures(threading.Event()))


def page() -> Image.Image:
    """90 × 60, black, with a white corner at the upper left."""
    image = Image.new("RGB", (90, 60), "black")
    image.paste("white", (0, 0, 30, 20))
    return image


def save(path: Path, orientation: int = 1) -> Path:
    image = page()
    turn = UPRIGHT_TO_STORED[orientation]
    stored = image.transpose(turn) if turn is not None else image
    exif = stored.getexif()
    exif[0x112] = orientation
    stored.save(path, exif=exif)
    return path


def only_fault(captures: list[Capture]) -> str:
    (capture,) = captures
    assert capture.fault is not None
    assert not capture.frames
    assert capture.text is None
    assert "\n" not in capture.fault.message
    assert capture.fault.message.startswith(f"{capture.source}: ")
    return capture.fault.code


@pytest.mark.parametrize("orientation", UPRIGHT_TO_STORED)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_picture_is_turned_as_its_exif_orientation_says(
    suffix: str, orientation: int, tmp_path: Path
) -> None:
    (capture,) = all_of(save(tmp_path / f"a.{suffix}", orientation))
    (frame,) = capture.frames
    assert frame.shape == (60, 90, 3)
    assert frame[:15, :25].mean() > 240
    assert frame[25:, 35:].mean() < 15


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "png", "bmp", "tif", "webp", "gif", "PNG"])
def test_every_kind_of_picture_is_read_from_a_folder(suffix: str, tmp_path: Path) -> None:
    page().save(tmp_path / f"a.{suffix}")
    (capture,) = all_of(tmp_path)
    assert capture.frames[0].shape == (60, 90, 3)


def test_colours_are_blue_green_red(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (250, 0, 0)).save(tmp_path / "red.png")
    (capture,) = all_of(tmp_path)
    assert capture.frames[0][4, 4].tolist() == [0, 0, 250]


def test_files_keep_the_order_given_and_folders_are_sorted(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    for name in ("b.jpg", "a.png", "below/c.jpg", "notes.md"):
        page().save(folder / name, format="PNG")
    last, first = save(tmp_path / "z.jpg"), save(tmp_path / "y.jpg")
    sources = [capture.source for capture in all_of(last, folder, first)]
    assert sources == [str(p) for p in (last, folder / "a.png", folder / "b.jpg", first)]


def test_a_text_file_gives_a_reading_for_each_of_its_documents(tmp_path: Path) -> None:
    path = tmp_path / "typed.txt"
    path.write_text("\n".join(TD3) + "\n\n" + "\n".join(TD1))
    readings = [capture.text for capture in all_of(tmp_path)]
    assert [reading.lines for reading in readings if reading] == [TD3, TD1]
    assert {reading.reader for reading in readings if reading} == {"text"}
    assert all(reading.status is Status.READ for reading in readings if reading)


def test_a_bad_file_is_a_fault_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = save(tmp_path / "good.jpg")
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"this is no picture")
    captures = all_of(bad, good, tmp_path / "missing.jpg", good)
    assert [capture.fault.code if capture.fault else None for capture in captures] == [
        "no_picture", None, "missing", None,
    ]  # fmt: skip


def test_an_empty_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert only_fault(all_of(tmp_path / "a.jpg")) == "empty"


def test_a_text_without_an_mrz_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n\n")
    assert only_fault(all_of(tmp_path / "a.txt")) == "no_text"


def test_a_folder_without_pictures_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("nothing")
    assert only_fault(all_of(tmp_path)) == "no_pictures"


def test_a_device_file_is_not_read(tmp_path: Path) -> None:
    assert only_fault(all_of(Path("/dev/zero"))) == "not_a_file"


@pytest.mark.parametrize("name", ["a" * 300 + ".jpg", "a\0b.jpg"])
def test_a_name_that_no_file_can_have_is_said(name: str, tmp_path: Path) -> None:
    (capture,) = all_of(tmp_path / name)
    assert capture.fault is not None
    assert capture.fault.code == "unreadable"


def test_a_name_of_two_lines_is_said_in_one(tmp_path: Path) -> None:
    (capture,) = all_of(tmp_path / "two\nlines.jpg")
    assert capture.fault is not None
    assert "\n" not in capture.fault.message


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "bmp", "webp"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
def test_a_picture_cut_short_is_damaged(suffix: str, share: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (60, 90, 3), np.uint8)
    data = cv2.imencode(f".{suffix}", noise)[1].tobytes()
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    assert only_fault(all_of(path)) == "damaged"


def test_a_picture_with_something_behind_it_is_read(tmp_path: Path) -> None:
    path = save(tmp_path / "motion.jpg")
    path.write_bytes(path.read_bytes() + b"\0" * 9000)
    assert all_of(path)[0].frames


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_that_declares_an_absurd_size_is_refused_unread(
    kind: str, tmp_path: Path
) -> None:
    data = io.BytesIO()
    page().save(data, kind)
    raw = bytearray(data.getvalue())
    if kind == "PNG":
        raw[16:24] = (60_000).to_bytes(4, "big") * 2
    else:
        at = raw.index(b"\xff\xc0") + 5
        raw[at : at + 4] = (60_000).to_bytes(2, "big") * 2
    path = tmp_path / "huge.jpg"
    path.write_bytes(raw)
    assert only_fault(all_of(path)) == "too_large"


def test_a_file_too_large_to_hold_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(replay.MOST_BYTES + 1)
    assert only_fault(all_of(path)) == "too_large"


def test_codecs_print_nothing_and_the_log_still_comes_through(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:-20])
    script = (
        "import sys, os, threading; from pathlib import Path\n"
        "from scanner.sources.picture import _quiet\n"
        "from scanner.sources.replay import Replay\n"
        "print(len(list(Replay([Path(sys.argv[1])]).captures(threading.Event()))))\n"
        "with _quiet(): os.write(2, b'libpng error: x\\nWARNING ours\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
    assert done.stderr == "WARNING ours\n"


def test_pictures_are_decoded_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = save(tmp_path / "a.jpg"), tmp_path / "b.jpg"
    captures = Replay([first, second]).captures(threading.Event())
    assert next(captures).frames
    save(second)
    assert next(captures).frames


def test_a_loop_begins_again_until_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    captures = Replay([save(tmp_path / "a.jpg")], loop=True).captures(stop)
    assert [next(captures).source for _ in range(5)] == [str(tmp_path / "a.jpg")] * 5
    stop.set()
    assert list(captures) == []


def test_a_loop_over_nothing_but_faults_ends(tmp_path: Path) -> None:
    captures = Replay([tmp_path / "missing.jpg"], loop=True).captures(threading.Event())
    assert len(list(captures)) == 1


def test_any_bytes_at_all_give_a_frame_or_a_picture_error() -> None:
    generator = np.random.default_rng(7)
    whole = cv2.imencode(".jpg", generator.integers(0, 255, (40, 40, 3), np.uint8))[1]
    for _ in range(200):
        data = whole.copy()
        data[generator.integers(0, data.size, 5)] = generator.integers(0, 256, 5)
        try:
            frame: Frame = picture.decode(data.tobytes()).frame
        except picture.PictureError as error:
            assert error.code in ("damaged", "too_large", "no_picture")
        else:
            assert frame.ndim == 3
