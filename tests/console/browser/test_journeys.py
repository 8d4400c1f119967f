"""An operator's three journeys, everything real: a device's uplink, Mosquitto, a receiver."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.console.browser.at_the_console import People, Room, now, row, sounds, wait_for
from tests.delivery.both_ends import Desk, HeadOffice, alert
from tests.delivery.broker import Broker

INSTRUCTION = "Keep the document and ask the traveller to wait for a colleague."


class Border:
    """A desk, headquarters and its console, all running, and the broker between them."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.office = HeadOffice(folder, broker.port, "5")
        keys = self.office.enrol("desk-1")
        self.desk = Desk(folder / "desk-1", "desk-1", keys, broker.port, "5")
        self.room = Room(self.office.store)


@pytest.fixture
def border(tmp_path: Path) -> Iterator[Border]:
    with Broker(tmp_path) as broker:
        broker.start()
        one = Border(tmp_path, broker)
        with ExitStack() as running:
            running.callback(one.office.store.close)
            running.enter_context(one.room.open())
            running.enter_context(one.office.receiving())
            yield one


def test_a_hit_arrives_is_confirmed_and_the_answer_reaches_the_desk(
    people: People, border: Border
) -> None:
    page = people.sign_in(border.room, "olga")
    with border.desk.running():
        border.desk.outbox.put_alert(alert(answer_until=now() + timedelta(minutes=5)), now())
        expect(row(page, "L898902C3")).to_be_visible()
        expect(page.locator("#detail")).to_contain_text("Utopia North · lane 1")
        page.keyboard.press("c")
        page.keyboard.type("The issuing State confirms the record.")
        page.keyboard.press("Control+Enter")
        expect(page.locator("dialog .big-number")).to_have_text("L898902C3")
        page.keyboard.press("Enter")
        told = wait_for(lambda: border.desk.answered)[0]
        assert (told.outcome, told.instruction) == ("confirmed", INSTRUCTION)
        expect(page.locator("#detail .clock")).to_contain_text("the desk has it")
        expect(page.locator("#detail .course")).to_contain_text("Confirmed, by olga")
    assert sounds(page) == 1


def test_a_deadline_passes_and_a_supervisor_takes_note(people: People, border: Border) -> None:
    operator = people.sit_down(border.room, "olga")
    supervisor = people.sit_down(border.room, "selma")
    with border.desk.running():
        border.desk.outbox.put_alert(alert(answer_until=now() + timedelta(seconds=3)), now())
        expect(operator.locator(".group-open")).to_contain_text("L898902C3")
        expect(operator.locator(".group-overdue")).to_contain_text("L898902C3")
        for page in (operator, supervisor):
            expect(page.locator("#detail")).to_contain_text("Nobody answered in time")
        assert operator.get_by_role("button", name="Take note").count() == 0
        supervisor.keyboard.press("e")
        expect(operator.locator("#detail")).to_contain_text("The supervisor took note")
        expect(operator.locator("#detail .notice")).to_have_count(0)

        operator.keyboard.press("n")
        operator.keyboard.type("The record is about another document.")
        operator.keyboard.press("Control+Enter")
        operator.keyboard.press("Enter")
        assert wait_for(lambda: border.desk.answered)[0].outcome == "not_confirmed"
        expect(operator.locator(".group-overdue")).to_have_count(0)
    supervisor.keyboard.press("5")
    trail = supervisor.locator("#audit tbody")
    expect(trail).to_contain_text("escalated")
    expect(trail).to_contain_text("selma")
    expect(trail).to_contain_text("olga")


def test_a_device_goes_blind_and_sees_again(people: People, border: Border) -> None:
    page = people.sit_down(border.room, "tom")
    card = page.locator(".device", has_text="desk-1")
    killed = border.desk.process()
    expect(card).to_contain_text("connected")
    killed.kill()
    killed.wait(10)
    expect(card).to_contain_text("Blind: offline for", timeout=20_000)
    expect(page.locator("#nav a", has_text="Devices")).to_contain_text("1")
    with border.desk.running():
        expect(card).not_to_contain_text("offline")
