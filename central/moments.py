"""Moments as the store keeps them and as people and programs are told them."""

from datetime import UTC, datetime


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """The moment in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def iso(ms: int | None) -> str | None:
    """The moment as RFC 3339 writes it, to the second."""
    return None if ms is None else in_iso(from_ms(ms))


def in_iso(moment: datetime) -> str:
    """`moment` as RFC 3339 writes it, in UTC and to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_iso_ms(moment: datetime) -> str:
    """`moment` as RFC 3339 writes it, in UTC and to the millisecond."""
    whole = moment.astimezone(UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1000:03}Z"
