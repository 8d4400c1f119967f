"""`borderpost run`: the desk itself."""

from firmware.box import CannotStart
from firmware.daemon import run_until_told
from firmware.logs import log_at
from firmware.options import DEFAULT_CONFIG, Config
from firmware.settings import load
from firmware.supervisor import GaveUp
from scanner.command_line import Failure


def run(config: Config = DEFAULT_CONFIG) -> None:
    """Runs the desk until SIGTERM."""
    settings = load(config)
    log_at(settings.log.level)
    try:
        run_until_told(settings)
    except (CannotStart, GaveUp) as failure:
        raise Failure(str(failure)) from None
