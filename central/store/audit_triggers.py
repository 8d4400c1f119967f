"""What keeps the audit trail from being changed: triggers, in the words of either database.

A row may be removed only up to where a purge that is itself in the trail says.
"""

import sqlalchemy as sa

_SQLITE = (
    """
    CREATE TRIGGER IF NOT EXISTS audit_keeps BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever added to'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE DELETE ON audit
    WHEN NOT EXISTS (
      SELECT 1 FROM audit
      WHERE action = 'audit purged' AND n > OLD.n
        AND json_extract(detail, '$.up_to') >= OLD.n
    )
    BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever added to'); END
    """,
)

_POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit trail is only ever added to'; END $$
    """,
    """
    CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (
        SELECT 1 FROM audit
        WHERE action = 'audit purged' AND n > OLD.n AND (detail ->> 'up_to')::bigint >= OLD.n
      ) THEN RAISE EXCEPTION 'the audit trail is only ever added to'; END IF;
      RETURN OLD;
    END $$
    """,
    "DROP TRIGGER IF EXISTS audit_keeps ON audit",
    "DROP TRIGGER IF EXISTS audit_stays ON audit",
    "DROP TRIGGER IF EXISTS audit_whole ON audit",
    """
    CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_refuse()
    """,
    """
    CREATE TRIGGER audit_stays BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_stays()
    """,
    """
    CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
    """,
)


def install(tx: sa.Connection) -> None:
    """Puts the triggers in place."""
    for statement in _POSTGRESQL if tx.dialect.name == "postgresql" else _SQLITE:
        tx.exec_driver_sql(statement)
