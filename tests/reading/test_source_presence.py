"""One document under the camera is captured exactly once, and the next one is not missed."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import pytest

from scanner.sources.capture import Frame
from scanner.sources.presence import Presence, Seen, State
from tests.reading.desk_scenes import Desk, document, joined

FPS = 15
FIRST, SECOND = document(1), document(2)
CARD = document(3, 30, 46)


def sharpness(frame: Frame) -> float:
    return float(cv2.Laplacian(frame, cv2.CV_64F).var())


def watch(frames: Iterable[Frame], presence: Presence | None = None) -> list[Seen]:
    presence = presence or Presence()
    return [
        presence.see(frame, number / FPS, lambda frame=frame: sharpness(frame))  # type: ignore[misc]
        for number, frame in enumerate(frames)
    ]


def captures(seen: list[Seen]) -> int:
    return sum(one.captured for one in seen)


def test_an_empty_desk_gives_nothing() -> None:
    seen = watch(Desk().empty(300))
    assert captures(seen) == 0
    assert seen[-1].state is State.EMPTY


@pytest.mark.parametrize("page", [FIRST, CARD], ids=["passport", "card"])
@pytest.mark.parametrize("grey", [35, 90, 200])
def test_a_document_laid_down_by_a_hand_gives_one_capture(page: Frame, grey: int) -> None:
    desk = Desk(grey)
    seen = watch(joined(desk.empty(20), desk.brought(page), desk.lying(page, 150)))
    assert captures(seen) == 1
    assert seen[-1].state is State.HOLDING


def test_it_is_captured_within_half_a_second_of_lying_still() -> None:
    desk = Desk()
    seen = watch(joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 30)))
    when = next(number for number, one in enumerate(seen) if one.captured)
    assert (when - 20 - 18) / FPS < 0.6


def test_a_camera_of_another_shape_learns_the_desk_anew() -> None:
    desk, presence = Desk(), Presence()
    watch(joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 20)), presence)
    scenes = joined(desk.empty(20), desk.brought(SECOND), desk.lying(SECOND, 60))
    taller = (np.asarray(cv2.copyMakeBorder(one, 15, 15, 0, 0, 2), np.uint8) for one in scenes)
    assert captures(watch(taller, presence)) == 1


def test_the_same_document_laid_down_again_is_captured_again() -> None:
    desk = Desk()
    once = (desk.brought(FIRST), desk.lying(FIRST, 20), desk.taken(FIRST), desk.empty(15))
    again = (desk.brought(FIRST), desk.lying(FIRST, 20), desk.taken(FIRST), desk.empty(15))
    seen = watch(joined(desk.empty(20), *once, *again))
    assert captures(seen) == 2
    assert seen[-1].state is State.EMPTY


def test_another_document_laid_over_the_first_is_captured() -> None:
    desk = Desk()
    seen = watch(
        joined(
            desk.empty(20),
            desk.brought(FIRST),
            desk.lying(FIRST, 20),
            desk.brought(SECOND, under=FIRST),
            desk.lying(SECOND, 40),
        )
    )
    assert captures(seen) == 2


def test_a_document_exchanged_in_one_movement_is_captured() -> None:
    desk = Desk()
    seen = watch(
        joined(
            desk.empty(20),
            desk.brought(FIRST),
            desk.lying(FIRST, 20),
            desk.taken(FIRST),
            desk.brought(SECOND),
            desk.lying(SECOND, 40),
        )
    )
    assert captures(seen) == 2


def test_taking_away_the_upper_of_two_does_not_capture_the_lower_again() -> None:
    desk = Desk()
    uncovered = (
        desk.scene(SECOND, (20, 40 + 12 * step), under=FIRST, hand=(40, 80)) for step in range(10)
    )
    seen = watch(
        joined(
            desk.empty(20),
            desk.brought(FIRST),
            desk.lying(FIRST, 20),
            desk.brought(SECOND, under=FIRST),
            desk.lying(SECOND, 20),
            uncovered,
            desk.lying(FIRST, 30),
        )
    )
    assert captures(seen) == 2


def test_a_hand_that_passes_over_a_captured_document_gives_nothing_new() -> None:
    desk = Desk()
    passing = (desk.scene(FIRST, hand=(30, 10 + 8 * step)) for step in range(18))
    seen = watch(
        joined(
            desk.empty(20),
            desk.brought(FIRST),
            desk.lying(FIRST, 20),
            passing,
            desk.lying(FIRST, 40),
        )
    )
    assert captures(seen) == 1


def test_a_hand_that_never_rests_gives_nothing() -> None:
    desk = Desk()
    waving = (desk.scene(hand=(40, 60 + 20 * (step % 3))) for step in range(100))
    assert captures(watch(joined(desk.empty(20), waving))) == 0


def test_a_lamp_that_drifts_or_is_switched_gives_nothing() -> None:
    desk = Desk()
    drift = (desk.scene(lamp=1.0 - 0.004 * step) for step in range(100))
    switched = (desk.scene(lamp=1.3) for _ in range(40))
    assert captures(watch(joined(desk.empty(20), drift, switched))) == 0


def test_a_lamp_that_is_switched_over_a_document_does_not_capture_it_again() -> None:
    desk = Desk()
    brighter = (desk.scene(FIRST, lamp=1.2) for _ in range(40))
    dimmer = (desk.scene(FIRST, lamp=0.7) for _ in range(40))
    seen = watch(
        joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 20), brighter, dimmer)
    )
    assert captures(seen) == 1


def test_a_shadow_that_grows_over_the_desk_is_learned() -> None:
    desk = Desk()
    shadow = np.linspace(0, 0.4, 160)[None, :]
    growing = (
        (desk.scene() * (1 - shadow * min(1.0, step / 600))).astype(np.uint8) for step in range(700)
    )
    assert captures(watch(joined(desk.empty(20), growing))) == 0


def test_the_capture_waits_for_the_picture_to_become_sharp() -> None:
    desk = Desk(noise=1.0)
    focusing = (desk.scene(FIRST, blur=max(0.01, 4 - 0.5 * step)) for step in range(8))
    frames = list(joined(desk.empty(20), desk.brought(FIRST), focusing, desk.lying(FIRST, 30)))
    seen = watch(frames)
    when = next(number for number, one in enumerate(seen) if one.captured)
    kept = [number for number in range(when + 1) if seen[number].keep]
    best = max(kept, key=lambda number: sharpness(frames[number]))
    assert captures(seen) == 1
    assert sharpness(frames[best]) > 0.9 * sharpness(frames[-1])


def test_a_document_that_never_becomes_sharp_is_captured_all_the_same() -> None:
    desk = Desk()
    blurred = (desk.scene(FIRST, blur=3.0) for _ in range(60))
    assert captures(watch(joined(desk.empty(20), blurred))) == 1


def test_a_document_there_from_the_beginning_is_not_taken_for_the_desk_for_ever() -> None:
    desk = Desk()
    seen = watch(
        joined(
            desk.lying(FIRST, 20),
            desk.taken(FIRST),
            desk.empty(30),
            desk.brought(SECOND),
            desk.lying(SECOND, 30),
            desk.taken(SECOND),
            desk.empty(30),
        )
    )
    assert captures(seen) == 1
    assert seen[-1].state is State.EMPTY


def test_any_frames_at_all_are_watched_without_failing() -> None:
    random = np.random.default_rng(5)
    frames = [
        *(np.zeros((90, 160), np.uint8) for _ in range(20)),
        *(np.full((90, 160), 255, np.uint8) for _ in range(20)),
        *(random.integers(0, 255, (90, 160), np.uint8) for _ in range(120)),
    ]
    assert len(watch(frames)) == 160


def lying_since_captured(frames: Iterable[Frame], desk: Desk, at: int = 0) -> list[Seen]:
    """What is seen of `frames` that come after FIRST was captured, so many frames later."""
    presence = Presence()
    before = list(joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 15)))
    assert captures(watch(before, presence)) == 1
    return [
        presence.see(frame, (len(before) + at + number) / FPS, lambda: 1.0)
        for number, frame in enumerate(frames)
    ]


def test_a_document_that_is_left_alone_lasts() -> None:
    desk = Desk()
    assert all(one.lasts for one in lying_since_captured(desk.lying(FIRST, 100), desk))


def test_a_document_lasts_while_a_reflection_wanders_over_a_corner_of_it() -> None:
    desk = Desk()

    def shone() -> Iterator[Frame]:
        for number in range(30):
            shot = desk.scene(FIRST)
            cv2.circle(shot, (60 + number, 30), 5, (255.0,), -1)
            yield shot

    seen = lying_since_captured(joined(shone(), desk.lying(FIRST, 5)), desk)
    assert any(one.state is State.MOVING for one in seen)
    assert all(one.lasts for one in seen)
    assert captures(seen) == 0


@pytest.mark.parametrize("on_top", [True, False], ids=["laid on top", "taken away first"])
def test_a_document_no_longer_lasts_once_another_may_lie_there(on_top: bool) -> None:
    desk = Desk()
    bringing = desk.brought(SECOND, under=FIRST if on_top else None)
    frames = joined(() if on_top else desk.taken(FIRST), bringing)
    seen = lying_since_captured(frames, desk)
    gone = next(number for number, one in enumerate(seen) if not one.lasts)
    assert gone < 12
    assert not any(one.lasts for one in seen[gone:] if not one.captured)


def test_a_document_no_longer_lasts_after_a_hand_was_over_it_though_it_is_held_for_the_same() -> (
    None
):
    desk = Desk()
    hand = (desk.scene(FIRST, hand=(30 + row, 78)) for row in (30, 20, 10, 0, 10, 20, 30))
    seen = lying_since_captured(joined(hand, desk.lying(FIRST, 20)), desk)
    assert captures(seen) == 0
    assert seen[-1].state is State.HOLDING
    assert not seen[-1].lasts


def test_a_document_no_longer_lasts_after_a_gap_in_which_it_may_have_been_exchanged() -> None:
    desk = Desk()
    seen = lying_since_captured(desk.lying(FIRST, 5), desk, at=FPS)
    assert seen[-1].state is State.HOLDING
    assert not any(one.lasts for one in seen)
