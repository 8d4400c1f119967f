"""What the page says and shows of what a camera sees."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event

import cv2
import httpx
import numpy as np
import pytest

from firmware.kiosk.live import MOST_VIEWERS
from firmware.kiosk.stage import StagedStream
from scanner.sources.camera import Camera
from tests.desk.desk_fixture import CLEAN, LISTED, typed
from tests.desk.kiosk_page import KioskDesk, kiosk_desk, until


class Watched:
    """A desk under a camera; nothing reads its pictures."""

    def __init__(self, page: KioskDesk, camera: Camera, stream: StagedStream) -> None:
        self.page = page
        self.camera = camera
        self.stream = stream


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    stream = StagedStream()
    camera, stop = Camera("camera", stream), Event()
    with kiosk_desk(tmp_path, None, (camera,)) as page:
        feeding = threading.Thread(target=_feed, args=(camera, page, stop))
        feeding.start()
        until(lambda: camera.state == "empty")
        yield Watched(page, camera, stream)
        stop.set()
        feeding.join(10)


def _feed(camera: Camera, page: KioskDesk, stop: Event) -> None:
    for capture in camera.captures(stop):
        page.whole.desk.offer(capture, stop)


def _a_paper() -> np.ndarray:
    paper = np.full((600, 900), 210, np.uint8)
    for row in range(40, 560, 40):
        cv2.putText(paper, "A PAPER WITH LINES OF TEXT", (30, row), 0, 1.5, 40, 3)
    return paper


def test_a_document_that_comes_is_asked_to_lie_still_and_the_last_verdict_goes(
    watched: Watched,
) -> None:
    page = watched.page
    page.put(typed(CLEAN))
    states = [page.state()["state"]]
    page.display.listen(lambda: states.append(page.kiosk.state()["state"]))
    watched.stream.lay(_a_paper())
    page.until(lambda state: state["state"] == "fault")
    seen = list(dict.fromkeys(states))
    assert seen == ["no_record", "hold_still", "fault"]


def test_what_is_taken_away_before_it_lay_still_leaves_the_last_verdict(watched: Watched) -> None:
    page = watched.page
    shown = page.put(typed(LISTED))
    watched.stream.lay(_a_paper())
    page.until(lambda state: state["state"] == "hold_still")
    watched.stream.lay(None)
    assert page.until(lambda state: state["capture"] is not None)["capture"] == shown["capture"]


def test_the_live_picture_is_what_the_camera_sees_for_as_long_as_it_may_be_seen(
    watched: Watched,
) -> None:
    page = watched.page
    watched.stream.lay(_a_paper())
    with page.browser.stream("GET", "/kiosk/live") as response:
        assert response.headers["content-type"].startswith("multipart/x-mixed-replace")
        assert response.headers["cache-control"] == "no-store"
        parts = _pictures(response)
        picture = next(parts)
        assert picture.shape[1] == 640
        until(lambda: next(parts)[200:300].mean() > 120)
        page.post("blank", on=True)
        assert len(list(parts)) < 20
    assert page.browser.get("/kiosk/live").status_code == 403


def test_no_more_look_at_the_live_picture_than_may(watched: Watched) -> None:
    page = watched.page
    stream = partial(page.browser.stream, "GET", "/kiosk/live")
    with stream() as one, stream() as other:
        assert MOST_VIEWERS == 2
        looking = [viewer.iter_raw() for viewer in (one, other)]
        assert all(next(pictures) for pictures in looking)
        assert page.browser.get("/kiosk/live").status_code == 503


def test_a_desk_without_a_camera_has_no_live_picture(tmp_path: Path) -> None:
    with kiosk_desk(tmp_path) as page:
        assert "live" not in page.state()["may"]
        assert page.browser.get("/kiosk/live").status_code == 404


def _pictures(response: httpx.Response) -> Iterator[np.ndarray]:
    """The pictures of a multipart stream, one by one."""
    received = b""
    for chunk in response.iter_raw():
        received += chunk
        while True:
            begin, end = received.find(b"\xff\xd8"), received.find(b"\xff\xd9")
            if begin < 0 or end < begin:
                break
            jpeg, received = received[begin : end + 2], received[end + 2 :]
            yield cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
