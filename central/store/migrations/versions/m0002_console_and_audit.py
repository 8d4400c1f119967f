"""The console's tables and the audit trail; more about alerts, and about what is missing."""

import sqlalchemy as sa
from alembic import op

from central.store import audit_triggers, changes

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n"),
    )
    op.create_index("audit_by_subject", "audit", ["subject"], unique=False)
    op.create_index("audit_by_time", "audit", ["at"], unique=False)
    op.create_table(
        "changes",
        sa.Column(
            "n",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("n"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "label"),
    )
    op.create_table(
        "republishing",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_by_user", "sessions", ["user"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("tokens_by_hash", "tokens", ["hash"], unique=True)
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.add_column("alerts", sa.Column("surname", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("given_names", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("site", sa.Text(), server_default="", nullable=False))
    op.add_column("alerts", sa.Column("answer", sa.Text(), nullable=True))
    op.add_column("alerts", sa.Column("answered_at", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("escalated_at", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("republished_at", sa.BigInteger(), nullable=True))
    op.add_column("answers", sa.Column("republished_at", sa.BigInteger(), nullable=True))
    op.add_column("answers", sa.Column("counter", sa.BigInteger(), nullable=True))
    op.create_index("alerts_by_device", "alerts", ["device", "received_at"], unique=False)
    op.create_index(
        "alerts_by_given_names",
        "alerts",
        ["given_names"],
        unique=False,
        postgresql_ops={"given_names": "text_pattern_ops"},
    )
    op.create_index(
        "alerts_by_number",
        "alerts",
        ["number"],
        unique=False,
        postgresql_ops={"number": "text_pattern_ops"},
    )
    op.create_index("alerts_by_site", "alerts", ["site", "received_at"], unique=False)
    op.create_index(
        "alerts_by_surname",
        "alerts",
        ["surname"],
        unique=False,
        postgresql_ops={"surname": "text_pattern_ops"},
    )
    op.create_index("alerts_open", "alerts", ["answered_at", "answer_until"], unique=False)
    op.create_index(
        "alerts_unshown",
        "alerts",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("shown_at IS NULL"),
        postgresql_where=sa.text("shown_at IS NULL"),
    )
    for table, column in (("alerts", "received_at"), ("answers", "at")):
        op.create_index(
            f"{table}_to_republish",
            table,
            [column],
            unique=False,
            sqlite_where=sa.text("republished_at IS NULL"),
            postgresql_where=sa.text("republished_at IS NULL"),
        )
    op.add_column("answers", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.add_column("devices", sa.Column("keys_at", sa.BigInteger(), nullable=True))
    op.add_column("gaps", sa.Column("reported_at", sa.BigInteger(), nullable=True))
    op.add_column("sequences", sa.Column("high_id", sa.Text(), nullable=True))
    op.add_column("sequences", sa.Column("heard_at", sa.BigInteger(), nullable=True))
    op.add_column("sequences", sa.Column("last_n", sa.BigInteger(), nullable=True))
    _fill_in()
    audit_triggers.install(op.get_bind())
    changes.install(op.get_bind())


def _fill_in() -> None:
    """What is new about an alert or a sequence and is known already."""
    alerts = sa.table(
        "alerts",
        *map(sa.column, ("id", "device", "surname", "given_names", "site")),
        *map(sa.column, ("answer", "answered_at")),
        sa.column("data", sa.JSON()),
    )
    answers = sa.table("answers", *map(sa.column, ("id", "alert", "device", "outcome", "at")))
    document, place = alerts.c.data["document"], alerts.c.data["place"]
    latest = (
        sa.select(answers.c.outcome)
        .where(answers.c.alert == alerts.c.id, answers.c.device == alerts.c.device)
        .order_by(answers.c.at.desc(), answers.c.id.desc())
        .limit(1)
    )
    op.execute(
        alerts.update().values(
            surname=document["surname"].as_string(),
            given_names=document["given_names"].as_string(),
            site=place["site"].as_string(),
            answer=latest.scalar_subquery(),
            answered_at=latest.with_only_columns(answers.c.at).scalar_subquery(),
        )
    )
    messages = sa.table("messages", *map(sa.column, ("id", "device", "epoch", "n")))
    sequences = sa.table("sequences", *map(sa.column, ("device", "epoch", "high", "high_id")))
    at_high = sa.select(sa.func.min(messages.c.id)).where(
        messages.c.device == sequences.c.device,
        messages.c.epoch == sequences.c.epoch,
        messages.c.n == sequences.c.high,
    )
    op.execute(sequences.update().values(high_id=at_high.scalar_subquery()))
