"""What the device logs: its own modules at the level that was asked for, libraries never in more
detail than INFO.

A library in debug tells what passes through it: the web server's event stream the whole state of
the officer's page, with the document in it. What our own modules tell is our own affair, and a test
holds it.
"""

import logging

OURS = ("firmware", "scanner")


def log_at(level: str) -> None:
    """Logs to standard error, from `level` on: debug, info, warning or error."""
    chosen = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(
        level=max(chosen, logging.INFO), format="%(levelname)s %(name)s: %(message)s"
    )
    for package in OURS:
        logging.getLogger(package).setLevel(chosen)
