"""How old a list is, and how far the clock that says so can be trusted.

A device without a battery-backed clock wakes at some past time. Whoever reads the clock gives the
latest moment it can vouch for; while the clock is not synchronised that moment is only a lower
bound, and so is every age derived from it. After a configured grace a lower bound is no longer
enough to call a list fresh.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scanner.said import Said, counted, said

AHEAD_TOLERATED = timedelta(minutes=5)
"""A list may be this much younger than now (two clocks are never quite equal)."""


@dataclass(frozen=True)
class ClockReading:
    """The clock at one moment.

    `now` is the reference time, aware of its zone. `unsynchronised_s` is how long the clock has
    gone without being set, in seconds; `grace_s` is how long that is tolerated.
    """

    now: datetime
    synchronised: bool
    unsynchronised_s: float
    grace_s: float

    @property
    def trusted(self) -> bool:
        """Whether an age measured by this clock may still stand behind a CLEAR."""
        return self.synchronised or self.unsynchronised_s <= self.grace_s


@dataclass(frozen=True)
class Age:
    """A list's age in seconds, never negative. `fault` is one line where it cannot be relied on."""

    seconds: float
    is_lower_bound: bool
    fault: str = ""


def age_of(as_of: datetime, clock: ClockReading) -> Age:
    """The age of a list that was right at `as_of`, as far as this clock can tell."""
    age = clock.now - as_of
    if age < -AHEAD_TOLERATED:
        return Age(
            0.0,
            is_lower_bound=True,
            fault=said(
                "the clock is wrong: it stands {span} before the list's own date; set the clock",
                span=span(-age.total_seconds()),
            ),
        )
    seconds = max(0.0, age.total_seconds())
    if not clock.trusted:
        return Age(
            seconds,
            is_lower_bound=True,
            fault=said(
                "the clock has not been set for {span}, so the list's age is not known; connect "
                "the device or set the clock",
                span=span(clock.unsynchronised_s),
            ),
        )
    return Age(seconds, is_lower_bound=not clock.synchronised)


def span(seconds: float) -> Said:
    """A length of time for a person: `50 s`, `12 min`, `30 h`, `9 days`."""
    if seconds < 60:
        return counted("{count} s", "{count} s", round(seconds))
    if seconds < 3600:
        return counted("{count} min", "{count} min", round(seconds / 60))
    if seconds < 2 * 86400:
        return counted("{count} h", "{count} h", round(seconds / 3600))
    return counted("{count} day", "{count} days", round(seconds / 86400))
