"""Many rows in one statement, whatever their number.

PostgreSQL is given all rows as one piece of JSON: the statement is the same for every number of
them, so it is taken apart and planned once. SQLite is in this process and is given row by row.

Each statement is made once for each database: making one takes SQLAlchemy several times as long as
running it, and what an alert costs is mostly that.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[Mapping[str, Any]]


def insert_rows(tx: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Adds rows that all have the same columns."""
    if not rows:
        return
    if tx.dialect.name == "postgresql":
        names = tuple(rows[0])
        tx.execute(_from_json(table, names), _packed(table, rows))
    else:
        tx.execute(_row(table), list(rows))


def insert_new_rows(tx: sa.Connection, table: sa.Table, rows: Rows) -> set[tuple[Any, ...]]:
    """Adds those rows whose key is not there yet, and gives the keys of those that it added."""
    if not rows:
        return set()
    if tx.dialect.name == "postgresql":
        names = tuple(rows[0])
        added = tx.execute(_new_from_json(table, names), _packed(table, rows))
    else:
        added = tx.execute(_new_row(table), list(rows))
    return {tuple(row) for row in added}


def put_rows(tx: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Adds rows, or puts each in the place of the one with its key."""
    if not rows:
        return
    names = tuple(rows[0])
    if tx.dialect.name == "postgresql":
        tx.execute(_put_from_json(table, names), _packed(table, rows))
    else:
        tx.execute(_put_row(table, names), list(rows))


def among(dialect: str, column: sa.Column[str], name: str) -> sa.ColumnElement[bool]:
    """That `column` holds one of the texts in the list that is given as `name` when the statement
    is run."""
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam(name, type_=postgresql.ARRAY(sa.Text)))
    given = sa.func.json_each(sa.bindparam(name, type_=sa.JSON)).table_valued("value")
    return column.in_(sa.select(given.c.value))


def _packed(table: sa.Table, rows: Rows) -> dict[str, Any]:
    blobs = [name for name in rows[0] if isinstance(table.c[name].type, sa.LargeBinary)]
    if blobs:
        rows = [{**row, **{name: b64encode(row[name]).decode() for name in blobs}} for row in rows]
    return {"all_rows": list(rows)}


@cache
def _row(table: sa.Table) -> sa.Insert:
    return table.insert()


@cache
def _from_json(table: sa.Table, names: tuple[str, ...]) -> postgresql.Insert:
    columns = [table.c[name] for name in names]
    blobs = {column.name for column in columns if isinstance(column.type, sa.LargeBinary)}
    named = [
        sa.column(column.name, sa.Text() if column.name in blobs else column.type)
        for column in columns
    ]
    all_rows = sa.bindparam("all_rows", type_=sa.JSON)
    given = (
        sa.func.json_to_recordset(all_rows)
        .table_valued(*named)
        .render_derived(name="given", with_types=True)
    )
    values = [
        sa.func.decode(given.c[name], "base64") if name in blobs else given.c[name]
        for name in names
    ]
    return postgresql.insert(table).from_select(list(names), sa.select(*values))


@cache
def _new_from_json(table: sa.Table, names: tuple[str, ...]) -> Any:
    adding = _from_json(table, names).on_conflict_do_nothing()
    return adding.returning(*table.primary_key.columns)


@cache
def _new_row(table: sa.Table) -> Any:
    return sqlite.insert(table).on_conflict_do_nothing().returning(*table.primary_key.columns)


@cache
def _put_row(table: sa.Table, names: tuple[str, ...]) -> Any:
    return _put(sqlite.insert(table), table, names)


@cache
def _put_from_json(table: sa.Table, names: tuple[str, ...]) -> Any:
    return _put(_from_json(table, names), table, names)


def _put(adding: Any, table: sa.Table, names: tuple[str, ...]) -> Any:
    keys = table.primary_key.columns
    values = {name: adding.excluded[name] for name in names if name not in keys}
    return adding.on_conflict_do_update(index_elements=list(keys), set_=values)
