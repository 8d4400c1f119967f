"""`borderpost-central purge`: removes what is kept no longer by the policy in the configuration."""

from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from central.opening import DEFAULT_CONFIG, open_store
from central.settings import load


def purge(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go, and remove nothing.")
    ] = False,
    config: Annotated[
        Path, typer.Option("--config", help="The configuration file.")
    ] = DEFAULT_CONFIG,
) -> None:
    """Removes what is beyond the time that [retention] gives it. Receivers do so every hour."""
    from central import retention  # noqa: PLC0415  needs the extra `central`

    settings, now = load(config), datetime.now(UTC)
    with open_store(settings) as store:
        if dry_run:
            print(f"would purge {retention.due(store, settings.retention, now)}")
            return
        purged = retention.purge(
            store, settings.retention, now, actor=getuser(), role="command line"
        )
    print(f"purged {purged}")
