"""Brings a store to the present schema, once, whoever opens it first.

The schema's version stands in the store. Opening a store of the present version costs one look.
Otherwise whoever comes first makes the missing steps in one transaction while all others wait: a
store is never seen between two versions, and a step that fails leaves it as it was. A store of a
version that we do not know was made by a later release; it is refused rather than damaged.
"""

import logging
from pathlib import Path

import sqlalchemy as sa

from central.store.database import StoreFault, lock

VERSION = "0004"
"""The latest step in `central/store/migrations/versions`."""
_FIRST = "0001"
_VERSIONS = sa.table("alembic_version", sa.column("version_num"))


def is_present(db: sa.Connection) -> bool:
    """Whether the store has the present schema."""
    return _version(db) == VERSION


def upgrade(tx: sa.Connection) -> None:
    """Makes the steps that are missing. Raises StoreFault for a store of a later release."""
    lock(tx, "schema")
    if is_present(tx):
        return
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command  # noqa: PLC0415  slow to load, and seldom needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = tx
    if _version(tx) is None and sa.inspect(tx).has_table("messages"):
        command.stamp(config, _FIRST)  # made before versions were kept
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise StoreFault(
            f"the store has schema {_version(tx)} of a later release; this one knows up to "
            f"{VERSION}: install the later release here"
        ) from None


def _version(db: sa.Connection) -> str | None:
    if not sa.inspect(db).has_table("alembic_version"):
        return None
    return db.scalar(sa.select(_VERSIONS.c.version_num))
