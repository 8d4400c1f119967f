"""From the list settings to what is demanded of each list."""

from datetime import timedelta

from firmware.settings import ListSettings
from scanner.watchlist.lists import ListPolicy


def policies(settings: ListSettings) -> tuple[ListPolicy, ...]:
    """One policy for each list to ask."""
    return tuple(
        ListPolicy(rule.name, timedelta(hours=rule.max_age_hours), rule.required)
        for rule in settings.use
    )
