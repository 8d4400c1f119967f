"""Whatever a file holds, it costs one clear line and bounded memory, and the run goes on."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from PIL import Image, ImageChops

from firmware.demo.catalogue import SPECIMENS_FOLDER
from firmware.progress import Progress
from scanner.sources import picture
from scanner.sources.capture import Capture
from scanner.sources.picture import PictureError, decode
from scanner.sources.replay import Replay
from tests.in_process import borderpost

GOOD = SPECIMENS_FOLDER / "01-passport.jpg"
SCAN = (sys.executable, "-m", "firmware.cli", "scan")
ROOT = Path(__file__).parents[2]


def page(mode: str = "RGB") -> Image.Image:
    """90 × 60, black, with a white corner at the upper left."""
    image = Image.new("RGB", (90, 60), "black")
    image.paste("white", (0, 0, 30, 20))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def of_16_bits(suffix: str, colours: int) -> bytes:
    pixels = np.asarray(page("RGB" if colours == 3 else "L")).astype(np.uint16) * 257
    return cv2.imencode(suffix, pixels)[1].tobytes()


def animated(kind: str, **options: object) -> bytes:
    frames = [page(), ImageChops.invert(page()), ImageChops.invert(page())]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)


ODD_BUT_READ = {
    "16-bit grey PNG": lambda: of_16_bits(".png", 1),
    "16-bit colour PNG": lambda: of_16_bits(".png", 3),
    "16-bit grey TIFF": lambda: of_16_bits(".tif", 1),
    "16-bit colour TIFF": lambda: of_16_bits(".tif", 3),
    "grey PNG with alpha": lambda: encoded(page("LA"), "PNG"),
    "colour PNG with alpha": lambda: encoded(page("RGBA"), "PNG"),
    "palette PNG": lambda: encoded(page("P"), "PNG"),
    "one-bit PNG": lambda: encoded(page("1"), "PNG"),
    "one-bit fax TIFF": lambda: encoded(page("1"), "TIFF", compression="group4"),
    "CMYK TIFF": lambda: encoded(page("CMYK"), "TIFF"),
    "progressive JPEG": lambda: encoded(page(), "JPEG", progressive=True),
    "grey JPEG": lambda: encoded(page("L"), "JPEG"),
    "lossless WebP": lambda: encoded(page(), "WEBP", lossless=True),
    "lossy WebP": lambda: encoded(page(), "WEBP"),
    "palette GIF": lambda: encoded(page("P"), "GIF"),
    "animated GIF": lambda: animated("GIF"),
    "animated WebP": lambda: animated("WEBP", lossless=True),
    "animated PNG": lambda: animated("PNG"),
    "TIFF of three pages": lambda: animated("TIFF"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD_BUT_READ)
def test_an_odd_kind_of_picture_is_read_as_it_looks_and_of_many_the_first(kind: str) -> None:
    frame = decode(ODD_BUT_READ[kind]()).frame
    assert frame.shape == (60, 90, 3)
    assert frame[:15, :25].min() > 240
    assert frame[25:, 35:].max() < 15


def test_a_cmyk_jpeg_as_adobe_writes_it_inverted_is_not_a_negative() -> None:
    data = encoded(page("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data
    frame = decode(data).frame
    assert frame[:15, :25].min() > 240
    assert frame[25:, 35:].max() < 15


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"%PDF-1.7 and so on", "a PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
        (encoded(page(), "AVIF"), "an AVIF picture"),
        (encoded(page(), "JPEG2000"), "a JPEG 2000 picture"),
        (b"P<UTO is no picture", "no picture"),
        (b"\x00", "no picture"),
    ],
)
def test_what_is_no_picture_here_is_named_with_what_to_do(data: bytes, told: str) -> None:
    with pytest.raises(PictureError, match=told) as error:
        decode(data)
    assert error.value.code == "no_picture"
    assert "JPEG or PNG" in str(error.value)


def test_a_tiff_of_a_rare_kind_is_told_to_be_saved_otherwise() -> None:
    data = encoded(Image.fromarray(np.ones((60, 90), np.float32)), "TIFF")
    with pytest.raises(PictureError, match=r"rare kind.*JPEG") as error:
        decode(data)
    assert error.value.code == "damaged"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
def test_every_header_cut_anywhere_is_an_error_and_no_exception(kind: str) -> None:
    whole = encoded(page(), kind)
    for end in range(1, min(120, len(whole) - 8)):
        with pytest.raises(PictureError):
            decode(whole[:end])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_reduced_picture_is_upright_too_and_says_how_much_it_is_reduced(
    kind: str, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    upright = decode(encoded(page(), kind, exif=exif))
    monkeypatch.setattr(picture, "FULL_PIXELS", 2000)
    reduced = decode(encoded(page(), kind, exif=exif))
    assert (upright.reduced, reduced.reduced) == (1, 2)
    assert reduced.frame.ndim == 2
    expected = cv2.resize(upright.frame[:, :, 0], reduced.frame.shape[::-1])
    assert np.abs(expected.astype(int) - reduced.frame).mean() < 6


def of_pixels(width: int, height: int, kind: str, **options: object) -> bytes:
    return encoded(Image.new("L", (width, height), 200), kind, **options)


def peak_mb(*paths: Path) -> tuple[float, list[str]]:
    """The most memory that going through the paths took beyond starting, and what came of each."""
    script = (
        "import sys, re; from pathlib import Path; from threading import Event\n"
        "from scanner.sources.replay import Replay\n"
        "def most(): return int(re.search(r'VmHWM:\\s+(\\d+)',"
        " Path('/proc/self/status').read_text())[1]) / 1000\n"
        "began = most()\n"
        "for c in Replay([Path(p) for p in sys.argv[1:]]).captures(Event()):\n"
        "    print(c.fault.code if c.fault else f'{c.frames[0].size} {c.reduced}'); del c\n"
        "print(most() - began)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, paths)],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    *said, peak = done.stdout.splitlines()
    return float(peak), said


@pytest.mark.parametrize(
    ("kind", "options", "most_mb"),
    [("JPEG", {}, 90), ("JPEG", {"progressive": True}, 300), ("PNG", {"compress_level": 1}, 200)],
    ids=["JPEG", "progressive JPEG", "PNG"],
)
def test_a_picture_of_100_megapixels_is_read_reduced_in_bounded_memory(
    kind: str, options: dict[str, object], most_mb: float, tmp_path: Path
) -> None:
    path = tmp_path / "huge"
    path.write_bytes(of_pixels(12_000, 8_334, kind, **options))
    peak, (said,) = peak_mb(path)
    assert said.split()[1] == "2"
    assert peak < most_mb


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_small_file_of_very_many_pixels_is_refused_before_it_fills_the_memory(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "bomb"
    options = {"compression": "group4"} if kind == "TIFF" else {}
    Image.new("1", (20_000, 20_000)).save(path, kind, **options)
    assert path.stat().st_size < 1_000_000
    peak, said = peak_mb(path)
    assert said == ["too_large"]
    assert peak < 10


def test_the_memory_of_a_run_does_not_grow_with_its_files(tmp_path: Path) -> None:
    pixels = 24_000_000
    (tmp_path / "0.jpg").write_bytes(of_pixels(6_000, 4_000, "JPEG"))
    for number in range(1, 4):
        (tmp_path / f"{number}.jpg").hardlink_to(tmp_path / "0.jpg")
    one, said = peak_mb(tmp_path / "0.jpg")
    assert said == [f"{pixels * 3} 1"]
    four, said = peak_mb(tmp_path)
    assert len(said) == 4
    assert four < one + pixels * 3 / 1e6 / 2


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bad files with one good page as the last."""
    folder = tmp_path_factory.mktemp("mixed")
    good = GOOD.read_bytes()
    (folder / "a-cut-short.jpg").write_bytes(good[: len(good) // 2])
    (folder / "b-one-pixel.png").write_bytes(encoded(Image.new("L", (1, 1)), "PNG"))
    (folder / "c-text.jpg").write_text("P<UTO: I am a text")
    (folder / "d-empty.jpg").touch()
    (folder / "e-folder.jpg").mkdir()
    (folder / "f-too-large.png").write_bytes(encoded(Image.new("1", (20_000, 20_000)), "PNG"))
    (folder / "g-good.jpg").write_bytes(good)
    return folder


def test_every_bad_file_is_told_in_one_line_and_the_run_goes_on(mixed: Path) -> None:
    done = subprocess.run([*SCAN, str(mixed)], capture_output=True, text=True, check=False)
    blocks = done.stdout.strip().split("\n\n")
    assert done.returncode == 1
    assert done.stderr == ""
    assert len(blocks) == 7
    cut, pixel, text, empty, folder, large, good = blocks
    for told, name, why in (
        (cut, "a-cut-short.jpg", "damaged, cut short"),
        (text, "c-text.jpg", "no picture that can be read; give JPEG or PNG"),
        (empty, "d-empty.jpg", "the file is empty; take the picture again"),
        (folder, "e-folder.jpg", "no plain file"),
        (large, "f-too-large.png", "400 million pixels"),
    ):
        (line,) = told.splitlines()
        assert line.startswith(f"{mixed / name}: ")
        assert line.count(name) == 1
        assert why in line
    assert pixel.startswith(f"{mixed / 'b-one-pixel.png'}: unreadable")
    assert "LINDQVIST" in good


def test_the_same_files_are_objects_with_error_codes_in_json(mixed: Path) -> None:
    done = borderpost("scan", mixed, "--json")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one.get("error", {}).get("code") for one in said] == [
        "damaged", None, "no_picture", "empty", "not_a_file", "too_large", None,
    ]  # fmt: skip
    assert said[1]["reading"]["status"] == "unreadable"
    assert said[1]["reading"]["note"]
    assert done.returncode == 1


def test_the_box_is_told_in_the_pixels_of_the_file_also_where_the_picture_was_reduced(
    tmp_path: Path,
) -> None:
    small = cv2.imread(str(GOOD))
    assert small is not None
    factor = 7000 / small.shape[1]
    large = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    assert large.shape[0] * large.shape[1] > picture.FULL_PIXELS
    cv2.imwrite(str(tmp_path / "large.jpg"), large)
    done = borderpost("scan", GOOD, tmp_path / "large.jpg", "--json")
    first, second = (json.loads(line)["reading"] for line in done.stdout.splitlines())
    assert first["lines"] == second["lines"]
    assert np.array(second["box"]) == pytest.approx(np.array(first["box"]) * factor, abs=60)


@pytest.fixture(scope="module")
def ten_thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(10_000):
        (folder / f"{number:05}.jpg").write_bytes(b"x")
    return folder


def test_a_folder_of_ten_thousand_is_gone_through_in_order_with_progress(
    ten_thousand: Path,
) -> None:
    done = subprocess.run(
        [*SCAN, str(ten_thousand), "--json"], capture_output=True, text=True, check=False
    )
    names = [json.loads(line)["source"][-9:] for line in done.stdout.splitlines()]
    assert names == [f"{number:05}.jpg" for number in range(10_000)]
    progress = done.stderr.splitlines()
    assert len(progress) == 100
    assert progress[0].startswith("100 of 10000 files, 100 of them in error, about ")
    assert progress[0].endswith(" left")
    assert progress[-1] == "10000 of 10000 files, 10000 of them in error"
    assert done.returncode == 1


def test_a_folder_s_files_are_opened_one_by_one(ten_thousand: Path) -> None:
    captures = Replay([ten_thousand]).captures(Event())
    assert next(captures).source.endswith("00000.jpg")
    second = ten_thousand / "00001.jpg"
    second.write_bytes(GOOD.read_bytes())
    assert next(captures).frames
    second.write_bytes(b"x")


def test_ctrl_c_leaves_what_was_answered_and_says_how_far_it_came(ten_thousand: Path) -> None:
    with subprocess.Popen(
        [*SCAN, str(ten_thousand), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, errors = process.stdout.read(), process.stderr.read()
    answered = [json.loads(line) for line in (first + rest).splitlines()]
    last = errors.splitlines()[-1]
    assert process.returncode == 1
    assert 0 < len(answered) < 10_000
    assert last.startswith("borderpost: interrupted: ")
    assert abs(int(last.split()[2]) - len(answered)) <= 1
    assert "of 10000 files" in last


def test_a_terminal_sees_one_line_that_changes_and_is_gone_in_the_end(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(b"x")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*SCAN, str(tmp_path)], stdout=subprocess.PIPE, stderr=theirs, check=False
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.stdout.count(b"no picture") == 3
    assert "\n" not in shown
    parts = shown.split("\r\x1b[K")
    assert [part.split(",")[0] for part in parts if part] == [
        "1 of 3 files", "2 of 3 files", "3 of 3 files",
    ]  # fmt: skip
    assert parts[-1] == ""


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (9.0, "about 81 s"),
        (10.2, "about 2 min"),
        (100.0, "about 15 min"),
        (1000.0, "about 2 h 30 min"),
    ],
)
def test_the_time_left_is_what_the_rest_takes_at_the_speed_so_far(
    seconds: float, told: str
) -> None:
    moments: Iterator[float] = iter((0.0, seconds))
    progress = Progress(whole=100, stream=None, clock=lambda: next(moments))
    for _ in range(10):
        progress.count(failed=False)
    assert progress.told() == f"10 of 100 files, {told} left"


def test_a_text_file_of_several_documents_counts_as_one_file(tmp_path: Path) -> None:
    from tests.reading.specimens_9303 import TD1, TD3

    (tmp_path / "a.txt").write_text("\n".join(TD3) + "\n\n" + "\n".join(TD1))
    (tmp_path / "b.jpg").write_bytes(b"x")
    replay = Replay([tmp_path, tmp_path / "missing", tmp_path / "none.jpg"])
    assert replay.files() == 4
    captures: list[Capture] = list(replay.captures(Event()))
    assert len(captures) == 5
