"""Several frames of one document, taken together."""

import numpy as np
import pytest

from scanner.mrz.document import Format
from scanner.mrz.reading import Status
from scanner.mrz.write import compose, write
from scanner.vision.decode import decode
from scanner.vision.fuse import fused
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


def test_one_frame_stays_as_it_is() -> None:
    frame = picture(LINES)
    assert fused([frame]) is frame


def test_frames_that_doubt_different_places_are_sure_together() -> None:
    frames = [picture(LINES, {(0, at): {LINES[0][at]: 0.6, "X": 0.39}}) for at in range(5, 10)]
    assert all(decode(frame).status is Status.DOUBTFUL for frame in frames)
    together = decode(fused(frames))
    assert together.status is Status.READ
    assert together.lines == LINES


def test_what_every_frame_leans_to_grows_surer_but_not_as_fast_as_with_independent_ones() -> None:
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
