"""Several frames of one document, taken together."""

import numpy as np
import pytest

from scanner.mrz.document import Format
from scanner.mrz.reading import Status
from scanner.mrz.write import compose, write
from scanner.vision.decode import decode
from scanner.vision.fuse import LogP, Together, fused, is_same_document, pooled
from tests.reading.probabilities import picture

LINES = write(
    compose(
        Format.TD3,
        number="B1204567",
        surname="ROOS",
        given_names="OLGA",
        birth_date="1990-05-10",
        sex="F",
        expiry_date="2034-10-20",
    )
)


BOX = ((100.0, 800.0), (1000.0, 800.0), (1000.0, 880.0), (100.0, 880.0))


def moved(pixels: float) -> tuple[tuple[float, float], ...]:
    return tuple((x + pixels, y) for x, y in BOX)


def together(*frames: tuple[LogP, float]) -> Together:
    """Frames, each with how far the document has moved."""
    all_of_them = Together()
    for frame, pixels in frames:
        all_of_them.add(frame, moved(pixels))
    return all_of_them


def test_one_frame_stays_as_it_is() -> None:
    frame = picture(LINES)
    assert fused([frame]) is frame


def test_frames_that_doubt_different_places_are_sure_together() -> None:
    frames = [picture(LINES, {(0, at): {LINES[0][at]: 0.6, "X": 0.39}}) for at in range(5, 10)]
    assert all(decode(frame).status is Status.DOUBTFUL for frame in frames)
    together = decode(fused(frames))
    assert together.status is Status.READ
    assert together.lines == LINES


def test_what_every_view_leans_to_grows_surer_but_not_as_fast_as_with_independent_ones() -> None:
    frame = picture(LINES, {(0, 5): {"R": 0.7, "K": 0.3}})
    odds = [float(np.subtract(*fused([frame] * n)[0, 5, [28, 21]])) for n in (1, 4, 9)]
    single = np.log(0.7 / 0.3)
    assert odds == pytest.approx([single, 2 * single, 3 * single], rel=0.01)


def test_a_frame_that_is_sure_and_wrong_is_outvoted() -> None:
    clear, glare = picture(LINES), picture(LINES, {(1, 0): {"8": 1.0}})
    assert decode(fused([clear, glare, clear, clear])).lines == LINES


def test_what_is_fused_are_probabilities() -> None:
    together = fused([picture(LINES, clear=0.4), picture(LINES, clear=0.9)])
    assert together.dtype == np.float32
    assert np.exp(together).sum(axis=2) == pytest.approx(np.ones((2, 44)), abs=1e-4)


def test_frames_of_different_documents_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        fused([np.zeros((2, 44, 37), np.float32), np.zeros((2, 36, 37), np.float32)])
    with pytest.raises(ValueError, match="at least"):
        fused([])


def test_an_error_that_every_frame_of_a_document_lying_still_makes_never_grows_surer() -> None:
    frame = picture(LINES, {(1, 3): {"8": 0.8, LINES[1][3]: 0.2}})
    alone = decode(frame)
    still = together(*((frame, 0.3 * number) for number in range(10)))
    assert still.frames == 10
    assert np.exp(still.log_p) == pytest.approx(np.exp(frame), abs=0.005)
    assert decode(still.log_p).status is alone.status is Status.DOUBTFUL


def test_a_document_that_is_moved_tells_more_with_each_view() -> None:
    frame = picture(LINES, {(0, 5): {LINES[0][5]: 0.7, "K": 0.3}})
    still = together((frame, 0.0), (frame, 0.0)).log_p[0, 5].max()
    views = together((frame, 0.0), (frame, 40.0)).log_p[0, 5].max()
    assert np.exp(still) == pytest.approx(0.7, abs=0.01)
    assert np.exp(views) > 0.75


def test_a_reflection_that_wanders_over_a_document_lying_still_costs_nothing() -> None:
    anything = {"<": 1 / 37}
    spots = ((1, range(4)), (1, range(13, 20)), (0, range(5, 12)))
    frames = [picture(LINES, {(line, at): anything for at in spot}) for line, spot in spots]
    assert all(decode(frame).status is not Status.READ for frame in frames)
    read = decode(together(*((frame, 0.0) for frame in frames)).log_p)
    assert read.status is Status.READ
    assert read.lines == LINES


def test_frames_of_one_view_do_not_outweigh_another_view() -> None:
    wrong = picture(LINES, {(0, 5): {"K": 0.7, LINES[0][5]: 0.3}})
    right = picture(LINES, {(0, 5): {LINES[0][5]: 0.9, "K": 0.1}})
    many = together((wrong, 0.0), (wrong, 0.2), (wrong, 0.4), (wrong, 0.1), (right, 50.0))
    assert decode(many.log_p).lines == LINES


def test_another_document_of_the_same_state_starts_anew() -> None:
    other = write(
        compose(
            Format.TD3,
            number="C7730915",
            surname="SANDBERG",
            given_names="IVO",
            birth_date="1961-12-27",
            sex="M",
            expiry_date="2029-03-02",
        )
    )
    assert not is_same_document(picture(LINES), picture(other))
    both = together((picture(LINES), 0.0), (picture(other), 0.0))
    assert both.frames == 1
    assert decode(both.log_p).lines == other


def test_a_bad_frame_of_the_same_document_is_known_for_one() -> None:
    blurred = {
        (line, at): {"X": 0.5, letter: 0.3}
        for line, text in enumerate(LINES)
        for at, letter in enumerate(text)
        if at % 4 == 0 and letter != "<"
    }
    assert is_same_document(picture(LINES), picture(LINES, blurred, clear=0.6))


def test_a_view_is_of_frames_of_one_shape() -> None:
    with pytest.raises(ValueError, match="at least"):
        pooled([])
