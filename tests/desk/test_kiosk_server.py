"""The desk's page on the wire: what it is sent, what it may ask, and what it cannot do."""

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from firmware.delivery.outbox import OutboxFault
from firmware.kiosk.pages import MOST
from firmware.kiosk.server import CannotListen, Kiosk
from firmware.officers.officers import Officers
from firmware.officers.roles import Role
from firmware.settings import KioskSettings, OfficerSettings
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.sources.capture import Capture, Fault, Health
from tests.desk.desk_fixture import CLEAN, LISTED, typed
from tests.desk.kiosk_page import Json, KioskDesk, events, kiosk_desk, until

_BOX = ((10.0, 10.0), (310.0, 10.0), (310.0, 50.0), (10.0, 50.0))


@pytest.fixture
def page(tmp_path: Path) -> Iterator[KioskDesk]:
    with kiosk_desk(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KioskDesk]:
    """One desk for all the tests that change nothing."""
    with kiosk_desk(tmp_path_factory.mktemp("calm")) as one:
        yield one


def _pictured(lines: tuple[str, ...], uncertain: tuple[Uncertain, ...] = ()) -> Capture:
    """A document as a camera's reader gives it."""
    status = Status.DOUBTFUL if uncertain else Status.READ
    reading = Reading(status, lines, "litert", uncertain=uncertain, box=_BOX)
    return Capture("camera", frames=(np.full((80, 320), 200, np.uint8),), text=reading)


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# What is sent.


def test_a_page_is_sent_the_whole_state_at_once_then_each_change_and_a_beat_in_between(
    page: KioskDesk,
) -> None:
    with page.browser.stream("GET", "/kiosk/events") as response:
        stream = events(response)
        name, state = next(stream)
        assert (name, state["state"]) == ("state", "ready")
        beats = [beat for name, beat in (next(stream), next(stream)) if name == "beat"]
        assert beats
        assert beats[-1]["n"] >= state["n"]
        page.whole.desk.offer(typed(LISTED), threading.Event())
        told = [state["state"] for name, state in _until_refer(stream) if name == "state"]
    assert "no_record" not in told
    assert told[-1] == "refer"


def _until_refer(stream: Iterator[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
    for name, state in stream:
        yield name, state
        if state.get("state") == "refer" and state["alert"] is not None:
            return


def test_a_hit_is_told_with_its_document_its_matches_and_what_central_has_of_it(
    page: KioskDesk,
) -> None:
    state = page.put(typed(LISTED))
    assert (state["state"], state["word"], state["certainty"]) == ("refer", "Refer", "exact")
    assert state["document"]["number"] == "L898902C3"
    assert state["document"]["issuer_name"] == "Utopia (specimens)"
    assert [match["status"] for match in state["matches"]] == ["stolen"]
    assert state["waiting"] is True
    assert state["alert"]["sent"] is False
    assert [one["number_end"] for one in state["pending"]] == ["02C3"]
    french = page.state("fr")
    assert french["lang"] == "fr"
    assert french["word"] != "Refer"
    assert french["document"]["number"] == "L898902C3"


def test_central_s_answer_stands_beside_its_document_and_in_its_referral(page: KioskDesk) -> None:
    alert = page.put(typed(LISTED))["alert"]["id"]
    page.answer(alert, "Hold the document.")
    state = page.until(lambda state: state["answer"] is not None)
    assert state["answer"]["instruction"] == "Hold the document."
    assert (state["waiting"], state["alert"]["sent"]) == (False, True)
    assert state["pending"][0]["answer"]["outcome"] == "confirmed"


def test_a_picture_that_could_not_be_taken_is_said_and_shows_no_document(page: KioskDesk) -> None:
    state = page.put(Capture("x.jpg", fault=Fault("not_a_picture", "x.jpg: this is no picture")))
    assert (state["state"], state["document"]) == ("fault", None)
    assert state["lines_told"] == ["x.jpg: this is no picture"]


def test_a_desk_without_any_source_that_works_is_not_ready(page: KioskDesk) -> None:
    page.sources = {"scanner": Health(False, "scanner: unplugged")}
    state = page.until(lambda state: state["state"] == "fault")
    assert state["sources"] == [{"name": "scanner", "ok": False, "message": "scanner: unplugged"}]


def test_the_lines_picture_is_served_while_its_document_is_on_the_page_and_never_kept(
    page: KioskDesk,
) -> None:
    url = page.put(_pictured(CLEAN))["picture"]
    answer = page.browser.get(url)
    assert answer.headers["cache-control"] == "no-store"
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (80, 44 * 20)
    page.put(typed(LISTED))
    assert page.browser.get(url).status_code == 404


# What may be asked.


def test_a_hit_goes_only_with_its_outcome_which_central_and_the_journal_are_told(
    page: KioskDesk,
) -> None:
    state = page.put(typed(LISTED))
    assert "next" not in state["may"]
    assert _code(page.post("next", capture=state["capture"])) == (409, "open")
    alert = state["alert"]["id"]
    assert page.post("referral", alert=alert, action="document_held").status_code == 200
    assert _code(page.post("referral", alert=alert, action="released")) == (409, "not_open")
    assert page.post("next", capture=state["capture"]).status_code == 200
    assert page.state()["state"] == "ready"
    kinds = [waiting.message for waiting in page.whole.outbox.waiting(9)]
    assert kinds == ["alert", "outcome"]
    acts = [one.outcome for one in page.whole.journal.entries(datetime(2020, 1, 1, tzinfo=UTC))]
    assert acts == ["HIT", "document_held"]


def test_an_open_hit_stands_beside_the_next_document_comes_back_and_outlasts_a_restart(
    tmp_path: Path,
) -> None:
    with kiosk_desk(tmp_path) as page:
        alert = page.put(_pictured(LISTED))["alert"]["id"]
        clear = page.put(typed(CLEAN))
        assert clear["state"] == "no_record"
        assert [(one["alert"], one["shown"]) for one in clear["pending"]] == [(alert, False)]
        page.post("look", alert=alert)
        again = page.state()
        assert (again["document"]["number"], again["state"]) == ("L898902C3", "refer")
        assert again["picture"] is not None
        page.answer(alert, "Hold it.")
    with kiosk_desk(tmp_path) as page:
        (one,) = page.state()["pending"]
        assert (one["alert"], one["open"]) == (alert, True)
        assert page.post("look", alert=alert).status_code == 200
        state = page.state()
        assert (state["document"]["number"], state["picture"]) == ("L898902C3", None)
        assert page.post("next", capture=state["capture"]).status_code == 200
        assert [one["open"] for one in page.state()["pending"]] == [True]


def test_an_answer_that_comes_after_the_outcome_is_told_until_it_is_seen(page: KioskDesk) -> None:
    alert = page.put(typed(LISTED))["alert"]["id"]
    assert _code(page.post("seen", alert=alert)) == (409, "not_open")
    page.post("referral", alert=alert, action="referred")
    (followed,) = page.state()["pending"]
    assert (followed["open"], followed["waiting"]) == (False, True)
    page.answer(alert, "Hold it.")
    assert page.state()["pending"][0]["answer"]["instruction"] == "Hold it."
    assert page.post("seen", alert=alert).status_code == 200
    assert page.state()["pending"] == []


def test_what_is_typed_is_checked_as_any_document_and_recorded_as_typed(page: KioskDesk) -> None:
    assert page.post("typed", lines=list(LISTED)).status_code == 200
    state = page.until(lambda state: state["state"] == "refer")
    assert (state["entered"], state["certainty"]) == ("typed", "exact")
    (entry,) = page.whole.journal.entries(datetime(2020, 1, 1, tzinfo=UTC))
    assert entry.reader == "typed"
    assert page.entered(state["alert"]["id"]) == "typed"


@pytest.mark.parametrize(("number", "outcome"), [("L898902-c3", "refer"), ("X12", "read_again")])
def test_a_number_alone_is_looked_up_and_is_never_enough(
    page: KioskDesk, number: str, outcome: str
) -> None:
    page.post("typed", number=number, issuer="uto", kind="passport")
    state = page.until(lambda state: state["entered"] == "number")
    assert state["state"] == outcome
    assert any("Only the number was typed" in line for line in state["lines_told"])
    assert ("No list has this number." in state["lines_told"]) == (outcome == "read_again")
    if outcome == "refer":
        assert page.entered(state["alert"]["id"]) == "number"


def test_a_doubtful_character_put_right_is_checked_again_at_once(page: KioskDesk) -> None:
    misread = (LISTED[0], f"L898902O{LISTED[1][8:]}")
    doubt = Uncertain(1, 7, (("O", 0.6), ("C", 0.4)))
    state = page.put(_pictured(misread, (doubt,)))
    assert state["mrz"][1]["doubtful"] == [{"position": 7, "candidates": [["O", 0.6], ["C", 0.4]]}]
    assert state["certainty"] != "exact"
    fields = {"capture": state["capture"], "line": 1, "position": 7, "character": "c"}
    assert page.post("correct", **fields).status_code == 200
    state = page.until(lambda state: state["entered"] == "corrected")
    assert (state["certainty"], state["mrz"][1]["text"]) == ("exact", LISTED[1])
    assert state["picture"] is not None
    assert _code(page.post("correct", **fields)) == (409, "stale")


def test_lines_are_held_against_their_check_digits_while_they_are_typed(calm: KioskDesk) -> None:
    told = calm.post("typed/check", lines=[LISTED[0][:20], "L898902C37"]).json()
    assert (told["format"], told["complete"]) == ("TD3", False)
    assert told["lines"][0]["problems"] == [
        {"position": 20, "message": "24 characters are missing."}
    ]
    assert told["lines"][1]["check_digits"] == [{"position": 9, "expected": "6", "got": "7"}]
    assert calm.state()["state"] == "ready"


def test_a_blank_page_tells_nothing_of_a_document_and_checking_goes_on(page: KioskDesk) -> None:
    shown = page.put(_pictured(LISTED))
    page.post("blank", on=True)
    page.whole.desk.offer(typed(LISTED), threading.Event())
    until(lambda: page.whole.outbox.queued() == 2)
    state = page.state()
    assert state["state"] == "blank"
    assert "L898902C3" not in json.dumps(state)
    assert page.browser.get(shown["picture"]).status_code == 404
    assert _code(page.post("referral", alert=shown["alert"]["id"], action="other")) == (
        403,
        "hidden",
    )
    page.post("blank", on=False)
    assert page.state()["state"] == "refer"


def test_a_locked_page_tells_nothing_and_takes_only_a_sign_in(tmp_path: Path) -> None:
    file = tmp_path / "officers.json"
    Officers(file).add("anna", Role.OFFICER, pin="428190")
    Officers(file).add("tom", Role.TECHNICIAN, pin="730255")
    with kiosk_desk(tmp_path, OfficerSettings(sign_in="pin", file=file)) as page:
        page.whole.desk.offer(typed(LISTED), threading.Event())
        until(lambda: page.whole.outbox.queued() == 1)
        locked = page.state()
        assert (locked["state"], locked["locked"], locked["pending"]) == ("locked", True, [])
        assert "L898902C3" not in json.dumps(locked)
        assert _code(page.post("typed", lines=list(CLEAN))) == (403, "hidden")
        assert _code(_sign_in(page, "anna", "111222")) == (403, "wrong")
        assert _sign_in(page, "tom", "730255").status_code == 200
        state = page.state()
        assert state["officer"] == {"name": "tom", "role": "technician"}
        alert = state["pending"][0]["alert"]
        assert _code(page.post("referral", alert=alert, action="other")) == (403, "forbidden")
        page.post("sign-out")
        _sign_in(page, "anna", "428190")
        assert page.post("referral", alert=alert, action="other").status_code == 200
        assert page.state()["officer"]["name"] == "anna"


def _sign_in(page: KioskDesk, name: str, pin: str) -> httpx.Response:
    return page.post("sign-in", name=name, secret=pin)


def test_a_document_leaves_the_page_when_its_time_is_over_and_a_hit_does_not(
    tmp_path: Path,
) -> None:
    with kiosk_desk(tmp_path, hold_seconds=0.05) as page:
        page.whole.desk.offer(typed(LISTED), threading.Event())
        page.until(lambda state: state["state"] == "refer")
        page.post("typed", lines=list(CLEAN))
        page.until(lambda state: state["state"] == "no_record")
        page.until(lambda state: state["state"] == "ready")
        page.post("typed", lines=list(LISTED))
        page.until(lambda state: state["state"] == "refer")
        looks = page.display.seen.n
        page.faults = ("the disk is nearly full",)
        state = page.until(lambda state: state["faults"] != [])
        assert state["n"] > looks
        assert state["state"] == "refer"


# What it cannot do.


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "borderpost.example:{port}"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"host": "127.0.0.1:{port}", "origin": "http://evil.example"}, 403),
        ({"host": "127.0.0.1:{port}", "origin": ""}, 403),
        ({"host": "127.0.0.1:{port}", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_what_another_site_sends_is_refused(
    calm: KioskDesk, headers: dict[str, str], status: int
) -> None:
    sent = {"origin": calm.address} | {
        name: value.format(port=calm.kiosk.port) for name, value in headers.items()
    }
    answer = httpx.post(f"{calm.address}/kiosk/blank", json={"on": True}, headers=sent)
    assert answer.status_code == status
    assert calm.state()["state"] == "ready"


@pytest.mark.parametrize(
    ("intent", "body", "told"),
    [
        ("blank", b"{", (400, "json")),
        ("blank", b"[" * 4000, (400, "json")),
        ("blank", b'{"on": NaN}', (400, "json")),
        ("blank", b'{"on": true, "more": 1}', (422, "field")),
        ("blank", b"[]", (422, "field")),
        ("blank", b" " * 5000, (413, "too_large")),
        ("typed", b'{"lines": []}', (422, "field")),
        ("typed", b'{"lines": ["A"], "number": "1"}', (422, "field")),
        ("typed", b'{"number": "1", "issuer": "UTO"}', (422, "field")),
        ("typed", b'{"number": "1", "issuer": "QQQ", "kind": "passport"}', (422, "field")),
        ("typed", b'{"number": "<-", "issuer": "UTO", "kind": "passport"}', (422, "field")),
        ("typed", b'{"number": "1", "issuer": "UTO", "kind": "ticket"}', (422, "field")),
        ("referral", b'{"alert": "x", "action": "shrug"}', (422, "field")),
        ("referral", b'{"alert": "x", "action": "other", "note": "a\\nb"}', (422, "field")),
        ("referral", b'{"alert": "x", "action": "other"}', (409, "not_open")),
        ("correct", b'{"capture":"x","line":1,"position":2,"character":"A"}', (409, "stale")),
        ("look", b'{"alert": "x"}', (409, "not_open")),
        ("drill", b'{"do": "next"}', (409, "not_running")),
    ],
)
def test_a_bad_request_is_refused_in_one_line_and_changes_nothing(
    calm: KioskDesk, intent: str, body: bytes, told: tuple[int, str]
) -> None:
    headers = {"content-type": "application/json"}
    answer = calm.browser.post(f"/kiosk/{intent}", content=body, headers=headers)
    assert _code(answer) == told
    assert len(answer.json()["error"]["message"].splitlines()) == 1
    assert calm.state()["n"] <= 2


def test_only_json_is_taken_and_only_where_something_is_asked(calm: KioskDesk) -> None:
    answer = calm.browser.post("/kiosk/blank", data={"on": "true"})
    assert _code(answer) == (415, "media_type")
    assert _code(calm.browser.get("/kiosk/blank")) == (405, "method")
    assert _code(calm.browser.post("/kiosk/state")) == (405, "method")
    for path in ("/static/../server.py", "/static/%2e%2e%2fserver.py", "/words/de.json", "/x"):
        assert _code(calm.browser.get(path)) == (404, "not_found")


def test_a_page_cannot_run_what_is_not_ours(calm: KioskDesk) -> None:
    answer = calm.browser.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert calm.browser.get("/kiosk/state").headers["cache-control"] == "no-store"


def test_two_pages_see_the_same_and_the_second_cannot_act_on_what_the_first_has_done(
    page: KioskDesk,
) -> None:
    with (
        page.browser.stream("GET", "/kiosk/events") as one,
        page.browser.stream("GET", "/kiosk/events") as other,
    ):
        streams = [events(one), events(other)]
        alert = page.put(typed(LISTED))["alert"]["id"]
        seen = [list(_until_refer(stream))[-1][1] for stream in streams]
        assert [state["alert"]["id"] for state in seen] == [alert, alert]
        answers = [page.post("referral", alert=alert, action="referred") for _ in range(2)]
        assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_no_more_pages_are_served_than_a_desk_can_have_and_one_that_closes_makes_room(
    page: KioskDesk,
) -> None:
    responses = [page.browser.stream("GET", "/kiosk/events") for _ in range(MOST)]
    for response in responses:
        response.__enter__()
    assert page.browser.get("/kiosk/events").status_code == 503
    for response in responses:
        response.__exit__(None, None, None)
    with contextlib.closing(until(lambda: _joined(page))) as response:
        assert next(events(response))[0] == "state"


def _joined(page: KioskDesk) -> httpx.Response | None:
    stream = page.browser.send(page.browser.build_request("GET", "/kiosk/events"), stream=True)
    if stream.status_code == 200:
        return stream
    stream.close()
    return None


def test_a_page_that_does_not_read_keeps_no_verdict_from_another_and_nothing_piles_up_for_it(
    page: KioskDesk,
) -> None:
    with socket.create_connection(("127.0.0.1", page.kiosk.port)) as slow:
        host = f"127.0.0.1:{page.kiosk.port}"
        slow.sendall(f"GET /kiosk/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        with page.browser.stream("GET", "/kiosk/events") as response:
            stream = events(response)
            next(stream)
            for _ in range(3000):
                page.display.blank()
            page.put(typed(LISTED))
            assert list(_until_refer(stream))


def test_a_port_in_use_is_one_clear_line(calm: KioskDesk) -> None:
    with pytest.raises(CannotListen) as fault:
        Kiosk(KioskSettings(port=calm.kiosk.port), calm.served)
    (line,) = str(fault.value).splitlines()
    assert f"127.0.0.1:{calm.kiosk.port}" in line
    assert "set another port in [kiosk]" in line


def test_the_server_ends_with_pages_open_and_comes_back_on_the_same_port(
    page: KioskDesk, caplog: pytest.LogCaptureFixture
) -> None:
    with page.browser.stream("GET", "/kiosk/events") as response:
        stream = events(response)
        next(stream)
        page.restart_server()
        rest = list(stream)
    assert all(name in ("beat", "state") for name, _ in rest)
    with page.browser.stream("GET", "/kiosk/events") as response:
        assert next(events(response))[0] == "state"
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_an_outcome_that_the_disk_refuses_leaves_the_referral_open(
    page: KioskDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = page.put(typed(LISTED))["alert"]["id"]

    def refuse(*_: object) -> str:
        raise OutboxFault("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(page.whole.outbox, "put", refuse)
        assert _code(page.post("referral", alert=alert, action="other")) == (503, "disk")
        assert page.state()["pending"][0]["open"] is True
    assert page.post("referral", alert=alert, action="other").status_code == 200


def test_an_event_that_follows_another_at_once_is_not_held_back(page: KioskDesk) -> None:
    listener = page.kiosk._listener
    assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
