"""What changed is noted by the database itself, whoever changes it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from central.store import changes
from central.store.changes import Change, Reader
from central.store.schema import alerts
from central.store.schema import changes as table
from central.store.store import Store
from scanner.alert import Action, Message, OutcomeData
from tests.console.sample_site import Site

pytestmark = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
NOW = datetime.now(UTC)


@pytest.fixture
def site(url: str) -> Iterator[Site]:
    store = Store(url)
    with store.changing() as tx:
        changes.install(tx)
        changes.install(tx)  # whoever comes second finds them there
    yield Site(store)
    store.close()


def read(site: Site, reader: Reader) -> list[Change]:
    with site.store.reading() as db:
        found = reader.read(db)
    reader.done()
    return found


def test_each_thing_that_happens_is_noted_once(site: Site) -> None:
    reader = Reader()
    site.status("north-1", NOW)
    assert read(site, reader) == []  # what was before is looked up, not told
    alert = site.hit(NOW)
    about = Change("north-1", alert)
    assert read(site, reader) == [about]
    site.answer(alert, NOW)
    assert read(site, reader) == [about]
    done = OutcomeData(alert=alert, action=Action.RELEASED, at=NOW)
    site.say("north-1", Message.OUTCOME, done, NOW)
    assert read(site, reader) == [about]
    site.status("north-1", NOW, boot=2)
    assert read(site, reader) == [Change("north-1", None)]
    assert read(site, reader) == []


def test_what_was_read_comes_again_until_it_is_done_with(site: Site) -> None:
    reader = Reader()
    read(site, reader)
    alert = site.hit(NOW)
    for _ in range(2):
        with site.store.reading() as db:
            assert Change("north-1", alert) in reader.read(db)
    reader.done()
    assert read(site, reader) == []


def test_a_change_that_is_rolled_back_is_never_told(site: Site) -> None:
    reader = Reader()
    alert = site.hit(NOW)
    read(site, reader)
    with pytest.raises(ZeroDivisionError), site.store.changing() as tx:
        tx.execute(alerts.update().values(seen_at=1))
        raise ZeroDivisionError
    assert read(site, reader) == []
    site.answer(alert, NOW)
    assert read(site, reader) == [Change("north-1", alert)]


def test_a_transaction_that_ends_after_a_later_one_is_not_overlooked(site: Site, url: str) -> None:
    if not url.startswith("postgresql"):
        pytest.skip("SQLite lets one transaction change at a time")
    first, second = site.hit(NOW), site.hit(NOW, number="OTHER")
    reader = Reader()
    read(site, reader)
    with site.store.changing() as slow:
        slow.execute(alerts.update().where(alerts.c.id == first).values(seen_at=1))
        with site.store.changing() as quick:
            quick.execute(alerts.update().where(alerts.c.id == second).values(seen_at=1))
        assert read(site, reader) == [Change("north-1", second)]
    assert read(site, reader) == [Change("north-1", first)]


def test_only_the_latest_notes_stay(site: Site) -> None:
    rows = [{"device": "north-1", "alert": None}] * 1000
    with site.store.changing() as tx:
        tx.execute(table.insert(), rows)
        far = changes.KEPT + 2_000
        tx.execute(table.insert().values(n=far - far % 1000, device="x", alert=None))
        kept = tx.scalar(sa.select(sa.func.count()).select_from(table))
    assert kept is not None
    assert kept < 100
