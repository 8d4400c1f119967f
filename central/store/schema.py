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
    text,
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
    Column("surname", Text, nullable=False, default="", server_default=""),
    Column("given_names", Text, nullable=False, default="", server_default=""),
    Column("site", Text, nullable=False, default="", server_default=""),
    Column("captured_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("answer_until", BigInteger),
    Column("late", Boolean, nullable=False),
    Column("shown_at", BigInteger),
    Column("answer", Text),
    Column("answered_at", BigInteger),
    Column("escalated_at", BigInteger),
    Column("seen_at", BigInteger),
    Column("republished_at", BigInteger),
    Column("data", JSON, nullable=False),
    Index("alerts_by_time", "received_at"),
    Index("alerts_by_document", "issuer", "number"),
    Index("alerts_open", "answered_at", "answer_until"),
    Index("alerts_by_number", "number", postgresql_ops={"number": "text_pattern_ops"}),
    Index("alerts_by_surname", "surname", postgresql_ops={"surname": "text_pattern_ops"}),
    Index(
        "alerts_by_given_names",
        "given_names",
        postgresql_ops={"given_names": "text_pattern_ops"},
    ),
    Index("alerts_by_site", "site", "received_at"),
    Index("alerts_by_device", "device", "received_at"),
    Index(
        "alerts_unshown",
        "received_at",
        sqlite_where=text("shown_at IS NULL"),
        postgresql_where=text("shown_at IS NULL"),
    ),
    Index(
        "alerts_to_republish",
        "received_at",
        sqlite_where=text("republished_at IS NULL"),
        postgresql_where=text("republished_at IS NULL"),
    ),
)
"""The alerts. `late` says that the time to answer had passed on arrival; `answer` and `answered_at`
are the outcome and the moment of the latest answer; `escalated_at` is when the time to answer ran
out without one, and `seen_at` when a supervisor took note of that; `republished_at` is when another
broker had it, where one is told."""

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

rollouts = Table(
    "rollouts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("list", Text, nullable=False),
    Column("ring", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("from_version", BigInteger),
    Column("version", BigInteger),
    Column("publication", BigInteger),
    Column("bytes", BigInteger, nullable=False),
    Column("took_ms", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("rollouts_by_device", "device", "list", "received_at"),
    Index("rollouts_by_time", "received_at"),
)
"""What became of each list's publications at each device."""

drills = Table(
    "drills",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("data", JSON, nullable=False),
    Index("drills_by_time", "began_at", "device"),
    Index("drills_received", "received_at"),
)
"""What devices said of drills: a row where one began, and one where it ended. Nothing else in the
store knows of drills, and nothing that shows what is real reads this."""

hints = Table(
    "hints",
    metadata,
    Column("ring", Text, primary_key=True),
    Column("counter", BigInteger, nullable=False),
)
"""The counter of the latest hint to each ring."""

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
    Column("keys_at", BigInteger),
)
"""Each device's latest status with what orders it, the counter of what central says to it, and
when it was last told central's new keys."""

sequences = Table(
    "sequences",
    metadata,
    Column("device", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("high", BigInteger, nullable=False),
    Column("high_id", Text),
    Column("heard_at", BigInteger),
    Column("last_n", BigInteger),
)
"""How far each sequence has come, with which message and when; `last_n` is how far the device says
that it has come, where it says that all of it was acknowledged."""

gaps = Table(
    "gaps",
    metadata,
    Column("device", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("noticed_at", BigInteger, nullable=False),
    Column("reported_at", BigInteger),
)
"""What is missing of each sequence, by ranges that do not overlap; `reported_at` is when that was
said, which it is once it lasts."""

answers = Table(
    "answers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("instruction", Text, nullable=False),
    Column("reason", Text, nullable=False, default="", server_default=""),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("by", Text),
    Column("sent", Integer, nullable=False, default=0),
    Column("send_at", BigInteger),
    Column("counter", BigInteger),
    Column("held_at", BigInteger),
    Column("republished_at", BigInteger),
    Index("answers_by_alert", "alert"),
    Index("answers_to_send", "send_at"),
    Index(
        "answers_to_republish",
        "at",
        sqlite_where=text("republished_at IS NULL"),
        postgresql_where=text("republished_at IS NULL"),
    ),
)
"""What central answered. `send_at` is when to send it next: null once the device holds it, it is
replaced by a newer answer to the same alert, or it holds no longer. `counter` is the one that it is
sent with the first time, null where its device was away then."""

changes = Table(
    "changes",
    metadata,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("device", Text, nullable=False),
    Column("alert", Text),
    sqlite_autoincrement=True,
)
"""What changed lately, as the triggers of `central/store/changes.py` note it: an alert of a device,
or, where `alert` is null, what is known of the device itself."""

audit = Table(
    "audit",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("audit_by_time", "at"),
    Index("audit_by_subject", "subject"),
)
"""Who did what at central: rows are only ever added, each bound by `hash` to the one before it."""

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", BigInteger),
)
"""Who may sign in to the console; `password` is a salted hash."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("sessions_by_user", "user"),
)
"""Who is signed in; `id` is the hash of what the browser holds."""

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),
    Column("revoked_at", BigInteger),
    Index("tokens_by_hash", "hash", unique=True),
)
"""What other systems read with: `hash` is of the token, `scopes` are words with spaces between."""

republishing = Table(
    "republishing",
    metadata,
    Column("prefix", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
)
"""From when on alerts and answers are republished, by the prefix of their topics: since it was
first switched on."""

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""What all receivers have counted together, for the metrics; it only grows."""
