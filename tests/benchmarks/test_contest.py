"""Readers side by side: who fails is told as such, and the marks say what was read."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.reading import contest, peers
from benchmarks.reading.contest import Contestant
from benchmarks.reading.marks import Answer, Mark, edits, mark, score
from benchmarks.reading.pages import Page, pages_in, spread
from benchmarks.reading.peers import CannotSetUp, Peer, set_up
from benchmarks.reading.record import earlier_marks, suite_as_object, write
from benchmarks.reading.table import markdown
from firmware.demo.catalogue import SPECIMENS_FOLDER
from scanner.mrz.reading import Status

PAGES = pages_in(SPECIMENS_FOLDER)
PASSPORT = PAGES[0]

TALK = f"import sys; sys.path.insert(0, {str(peers.WORKERS)!r}); from talk import serve\n"
READS = TALK + (
    f"serve(lambda: (lambda paths: {{'lines': {list(PASSPORT.lines)!r}, 'ms': 5.0}}, 'Always'))"
)
DIES_ON_A_PAGE = TALK + "serve(lambda: (lambda paths: sys.exit('out of ink'), 'Mortal'))"
DIES_AT_ONCE = "raise SystemExit('needs the program tesseract: apt install tesseract-ocr')"


def quiet(reader: str, one: Mark, done: int, whole: int) -> None:
    """Tells nobody."""


def contestant(program: str, *, name: str = "peer-x", ours: bool = False) -> Contestant:
    return Contestant(name, [sys.executable, "-c", program], ours)


def test_a_reader_in_a_process_of_its_own_is_asked_page_by_page() -> None:
    one = contestant(READS)
    contest.run(PAGES[:3], [one], quiet)
    assert [made.exact for made in one.marks.values()] == [True, False, False]
    assert [made.ms for made in one.marks.values()] == [5.0] * 3
    assert one.title == "Always"
    assert one.cold_ms is not None
    assert one.cold_ms > 5
    assert one.peak_mb > 1


def test_a_peer_that_dies_at_once_is_told_as_not_run_with_its_reason() -> None:
    one, other = contestant(DIES_AT_ONCE, name="peer-dead"), contestant(READS)
    contest.run(PAGES[:2], [one, other], quiet)
    told = markdown([one, other], no_mrz=False)
    assert "not run: peer-dead: the process ended (1): needs the program tesseract" in told
    assert len(other.marks) == 2


def test_a_peer_that_dies_on_page_after_page_is_given_up() -> None:
    one = contestant(DIES_ON_A_PAGE)
    contest.run(PAGES[:6], [one], quiet)
    assert one.not_run is not None
    assert one.not_run.startswith("given up after 3 pages")
    assert "out of ink" in one.not_run
    assert {made.status for made in one.marks.values()} == {"unreadable"}


def test_a_peer_is_not_run_on_frames_that_add_up_and_says_so() -> None:
    burst = replace(PASSPORT, paths=PASSPORT.paths * 2)
    one = contestant(READS)
    contest.run([burst], [one], quiet)
    assert one.not_run is not None
    assert "one picture at a time" in one.not_run


def test_a_peer_that_cannot_be_installed_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "FOLDER", tmp_path)
    said: list[str] = []
    with pytest.raises(CannotSetUp, match="set-up failed"):
        set_up(Peer("nobody", "none.py", ("not a requirement!",)), None, said.append)
    assert said == [f"set-up: nobody: installing not a requirement! into {tmp_path / 'nobody'}"]


def test_rows_of_one_burst_are_one_page_of_several_frames(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        "file,format,line1,line2,burst\n"
        "a/0.jpg,TD2,AAA,BBB,a\na/1.jpg,TD2,AAA,BBB,a\nb/0.jpg,TD2,CCC,DDD,b\n"
    )
    found = pages_in(tmp_path)
    assert [[path.name for path in page.paths] for page in found] == [["0.jpg", "1.jpg"], ["0.jpg"]]
    assert found[0].name == "a/"


def test_pages_without_lines_count_only_where_no_page_has_any(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("file,format,line1,line2\na.jpg,TD2,AAA,BBB\nb.jpg,,,\n")
    assert [page.name for page in pages_in(tmp_path)] == ["a.jpg"]
    manifest.write_text("file,format,line1,line2\na.jpg,,,\nb.jpg,,,\n")
    assert [page.name for page in pages_in(tmp_path)] == ["a.jpg", "b.jpg"]


def test_a_sample_of_pages_is_spread_over_all_of_them() -> None:
    assert spread(PAGES, 3) == [PAGES[0], PAGES[3], PAGES[7]]
    assert spread(PAGES, 99) == PAGES


@pytest.mark.parametrize(
    ("a", "b", "count"), [("", "", 0), ("ABC", "", 3), ("ABC", "AXC", 1), ("ABCD", "BCDE", 2)]
)
def test_an_edit_is_an_insertion_a_deletion_or_a_replacement(a: str, b: str, count: int) -> None:
    assert edits(a, b) == count == edits(b, a)


def test_lines_without_a_status_are_sure_where_every_check_digit_holds() -> None:
    first, second = PASSPORT.lines
    right = mark(PASSPORT, Answer((first, second), 1.0))
    misread_name = mark(PASSPORT, Answer((first.replace("L", "I", 1), second), 1.0))
    misread_digit = mark(PASSPORT, Answer((first, second.replace("U71", "U77")), 1.0))
    assert (right.status, right.exact, right.sure_but_wrong) == ("read", True, False)
    assert (misread_name.status, misread_name.sure_but_wrong) == ("read", True)
    assert (misread_digit.status, misread_digit.number) == ("doubtful", False)


def test_a_reader_with_a_status_is_taken_at_its_word() -> None:
    made = mark(PASSPORT, Answer(PASSPORT.lines, 1.0, Status.DOUBTFUL))
    assert (made.status, made.exact) == ("doubtful", True)


def test_the_figures_are_over_all_marks() -> None:
    exact = mark(PASSPORT, Answer(PASSPORT.lines, 10.0))
    nothing = mark(PASSPORT, Answer((), 30.0))
    figures = score([exact] * 9 + [nothing])
    assert (figures.lines_exact, figures.number_exact, figures.unreadable) == (9, 9, 1)
    assert figures.mean_character_error == pytest.approx(0.1)
    assert (figures.median_ms, figures.ninth_decile_ms) == (10.0, 10.0)
    assert figures.median_ms_where_exact == 10.0
    assert score([nothing]).median_ms_where_exact is None


def test_a_peers_marks_of_an_earlier_run_are_taken_but_never_ours(tmp_path: Path) -> None:
    peer, ours = contestant(READS), contestant(READS, name="litert", ours=True)
    contest.run(PAGES[:2], [peer, ours], quiet)
    write(tmp_path / "run.json", [suite_as_object("corpus", SPECIMENS_FOLDER, [peer, ours])])
    assert earlier_marks(tmp_path / "run.json", "corpus", peer) == peer.marks
    assert earlier_marks(tmp_path / "run.json", "desk", peer) == {}
    other_model = replace(peer, model="another")
    assert earlier_marks(tmp_path / "run.json", "corpus", other_model) == {}
    assert earlier_marks(tmp_path / "run.json", "corpus", ours) == {}


def test_pages_already_marked_are_not_asked_for_again() -> None:
    one = contestant(DIES_ON_A_PAGE)
    one.marks[PASSPORT.key] = mark(PASSPORT, Answer(PASSPORT.lines, 7.0))
    contest.run([PASSPORT], [one], quiet)
    assert [made.ms for made in one.marks.values()] == [7.0]
    assert one.not_run is None


def test_what_a_page_is_depends_on_its_pixels_and_its_lines_alone(tmp_path: Path) -> None:
    copied = tmp_path / "another-name.jpg"
    copied.write_bytes(PASSPORT.paths[0].read_bytes())
    same = Page((copied,), "", "", PASSPORT.lines)
    assert same.key == PASSPORT.key
    assert Page((copied,), "", "", PASSPORT.lines[::-1]).key != PASSPORT.key


@pytest.mark.parametrize("angle", [0, 20, -35, 90])
def test_the_peers_line_filter_takes_the_mrz_at_any_slant_among_other_text(
    angle: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(peers.WORKERS)
    from peer_rapidocr import joined, mrz_of, row_of

    first, second = PASSPORT.lines
    printed = [
        (0, 0, 300, "REPUBLIC OF UTOPIA"),
        (0, 700, 500, first[:22]),
        (505, 700, 500, first[22:-3]),  # in two pieces, with three fillers too few
        (0, 760, 1000, second.replace("<<<<<<<<", "<<<<<«<")),
        (0, 900, 800, "a line of a letter that lies below the document"),
    ]
    turn = cv2.getRotationMatrix2D((500, 500), angle, 1.0)
    rows = []
    for x, y, width, text in printed:
        box = np.array([[x, y], [x + width, y], [x + width, y + 30], [x, y + 30]])
        turned = np.column_stack([box, np.ones(4)]) @ turn.T
        rows.append(row_of(turned.tolist(), text))
    assert mrz_of(joined(rows)) == [first, second]
    assert mrz_of(joined(rows[:1] + rows[4:])) == []
