"""The tables of central's store, for SQLite and PostgreSQL alike.

Times are milliseconds since 1970 in UTC: both databases keep them exactly and sort them. What a
device says is kept by its id and its device: a device that takes the id of another's message for
one of its own does not get the other's taken for a repetition.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("said_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("messages_by_place", "device", "epoch", "n"),
)
"""Every message with a place in its device's sequence, once, as it was signed."""

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("captured_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("answer_until", BigInteger),
    Column("late", Boolean, nullable=False),
    Column("shown_at", BigInteger),
    Column("data", JSON, nullable=False),
    Index("alerts_by_time", "received_at"),
    Index("alerts_by_document", "issuer", "number"),
)
"""The alerts; `late` says that the time to answer had passed on arrival."""

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert", Text, nullable=False),
    Column("device", Text, primary_key=True),
    Column("action", Text, nullable=False),
    Column("officer", Text),
    Column("at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Index("outcomes_by_alert", "alert"),
)
"""What officers did of referrals."""

stats = Table(
    "stats",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("data", JSON, nullable=False),
    Index("stats_by_time", "since"),
)
"""Hourly counts."""

devices = Table(
    "devices",
    metadata,
    Column("device", Text, primary_key=True),
    Column("counter", BigInteger, nullable=False, default=0),
    Column("boot", BigInteger, nullable=False, default=0),
    Column("connection", BigInteger, nullable=False, default=0),
    Column("ended", Integer, nullable=False, default=0),
    Column("revision", BigInteger, nullable=False, default=0),
    Column("online", Boolean),
    Column("status_at", BigInteger),
    Column("heard_at", BigInteger, nullable=False),
    Column("status", JSON),
)
"""Each device's latest status with what orders it, and the counter of what central says to it."""

sequences = Table(
    "sequences",
    metadata,
    Column("device", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("high", BigInteger, nullable=False),
)
"""How far each sequence has come."""

gaps = Table(
    "gaps",
    metadata,
    Column("device", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("noticed_at", BigInteger, nullable=False),
)
"""What is missing of each sequence, by ranges that do not overlap."""

answers = Table(
    "answers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("instruction", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("by", Text),
    Column("sent", Integer, nullable=False, default=0),
    Column("send_at", BigInteger),
    Column("held_at", BigInteger),
    Index("answers_by_alert", "alert"),
    Index("answers_to_send", "send_at"),
)
"""What central answered. `send_at` is when to send it next: null once the device holds it, it is
replaced by a newer answer to the same alert, or it holds no longer."""
