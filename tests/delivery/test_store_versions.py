"""A store of any version is brought to the present one by whoever opens it first, or refused."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import central.store.migrations
from central.store import changes, upgrade
from central.store.audit_triggers import install
from central.store.database import open_engine
from central.store.schema import alerts, metadata, sequences
from central.store.store import Store, StoreFault
from scanner.alert import new_id
from tests.delivery.both_ends import HeadOffice, alert, over_both_databases
from tests.delivery.postgres import Cluster
from tests.delivery.stores import nothing_yet
from tests.delivery.test_central_commands import started


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that nobody has opened."""
    return nothing_yet(request, tmp_path)


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    one = open_engine(store_url)
    yield one
    one.dispose()


def migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(central.store.migrations.__file__).parent))
    return config


def made_by_the_first_release(engine: sa.Engine) -> str:
    """Lays the schema of the first release, which kept no version, with an alert in it."""
    config, alert_id = migrations(), new_id()
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")
        tx.exec_driver_sql("DROP TABLE alembic_version")
        old = sa.MetaData()
        old.reflect(tx)
        tx.execute(
            old.tables["alerts"].insert(),
            {
                "id": alert_id,
                "device": "desk-1",
                "outcome": "HIT",
                "issuer": "UTO",
                "number": "L898902C3",
                "kind": "passport",
                "captured_at": 1,
                "received_at": 2,
                "late": False,
                "data": alert().model_dump(mode="json"),
            },
        )
        for at, outcome in ((5, "need_more"), (7, "confirmed")):
            tx.execute(
                old.tables["answers"].insert(),
                {
                    "id": new_id(),
                    "alert": alert_id,
                    "device": "desk-1",
                    "outcome": outcome,
                    "instruction": "",
                    "at": at,
                    "until": 9,
                    "sent": 0,
                },
            )
        place = {"device": "desk-1", "epoch": new_id()}
        tx.execute(old.tables["sequences"].insert(), {**place, "high": 3})
        message = {"id": alert_id, "kind": "alert", "n": 3, "payload": b"signed"}
        times = {"said_at": 1, "received_at": 2}
        tx.execute(old.tables["messages"].insert(), {**place, **message, **times})
    return alert_id


def everything_in(engine: sa.Engine) -> dict[str, Any]:
    """What the database itself says that it holds: columns, indexes and triggers."""
    inspector = sa.inspect(engine)
    found: dict[str, Any] = {}
    for table in set(inspector.get_table_names()) - {"alembic_version"}:
        columns = {
            column["name"]: (str(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(table)
        }
        keys = inspector.get_pk_constraint(table)["constrained_columns"]
        found[table] = (columns, keys)
    with engine.connect() as db:
        said = (
            "SELECT indexname AS name, indexdef AS said FROM pg_indexes WHERE schemaname = 'public'"
            " UNION SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
            if engine.dialect.name == "postgresql"
            else "SELECT name, sql AS said FROM sqlite_master WHERE type IN ('index', 'trigger')"
        )
        rows = db.exec_driver_sql(said).all()
    found["indexes and triggers"] = {
        row.name: " ".join(row.said.split()) if row.said else None
        for row in rows
        if "alembic" not in row.name
    }
    return found


@over_both_databases
@pytest.mark.parametrize("began", ["empty", "first release"])
def test_a_store_that_was_brought_up_to_date_has_the_schema_that_stands_in_the_code(
    store_url: str, engine: sa.Engine, postgresql: Cluster, tmp_path: Path, began: str
) -> None:
    if began == "first release":
        made_by_the_first_release(engine)
    Store(store_url).close()
    sqlite = engine.dialect.name == "sqlite"
    wanted = open_engine(f"sqlite:///{tmp_path}/wanted.db" if sqlite else postgresql.database())
    with wanted.begin() as tx:
        metadata.create_all(tx)
        install(tx)
        changes.install(tx)
    assert everything_in(engine) == everything_in(wanted)
    wanted.dispose()


@over_both_databases
def test_a_store_of_the_first_release_keeps_what_it_holds(
    store_url: str, engine: sa.Engine
) -> None:
    alert_id = made_by_the_first_release(engine)
    store = Store(store_url)
    assert [row.id for row in store.all_alerts()] == [alert_id]
    with store.reading() as db:
        row = db.execute(sa.select(alerts)).one()
        high_id = db.scalar(sa.select(sequences.c.high_id))
    store.close()
    assert (row.surname, row.given_names, row.site) == ("ERIKSSON", "ANNA MARIA", "Utopia North")
    assert (row.answer, row.answered_at) == ("confirmed", 7)
    assert high_id == alert_id


@over_both_databases
def test_many_who_open_a_new_store_at_once_do_not_collide(store_url: str) -> None:
    failed: list[BaseException] = []
    together = threading.Barrier(6)

    def open_it() -> None:
        together.wait()
        try:
            Store(store_url).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@over_both_databases
def test_a_store_of_a_later_release_is_refused_and_left_as_it_is(
    store_url: str, engine: sa.Engine
) -> None:
    Store(store_url).close()
    with engine.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = everything_in(engine)
    with pytest.raises(StoreFault, match="has schema 9999 of a later release") as caught:
        Store(store_url)
    assert "\n" not in str(caught.value)
    assert everything_in(engine) == before


def test_a_command_refuses_a_store_of_a_later_release_in_one_line(office: HeadOffice) -> None:
    with office.store.changing() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    _, said = started("receive", "--config", str(office.config), code=1)
    assert len(said) == 1
    assert "install the later release" in said[0]


def test_the_version_in_the_code_is_that_of_the_last_step() -> None:
    assert ScriptDirectory.from_config(migrations()).get_heads() == [upgrade.VERSION]
