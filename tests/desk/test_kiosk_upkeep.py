"""The page says how the desk itself is: how old each list is, how far an update has come, and that
the clock was not set."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware.kiosk import view_upkeep
from firmware.kiosk.display import Upkeep
from firmware.kiosk.words import Words
from scanner.alert import Updating
from scanner.watchlist.age import ClockReading
from tests.listing import built, lists_in

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SOURCE = """issuer,number,number_to,kind,status,recorded,reference
UTO,L898902C3,,passport,stolen,2026-01-05,R-1
"""


@pytest.mark.parametrize(
    ("synchronised", "unset_h", "trusted", "word", "bound", "health"),
    [
        (True, 0, True, "", False, "ok"),
        (False, 1, True, "The clock has not been set.", True, "ok"),
        (False, 25, False, "The clock has not been set.", True, "over_age"),
    ],
)
def test_a_clock_that_was_not_set_is_said_at_once_and_an_update_beside_its_list(
    tmp_path: Path,
    synchronised: bool,
    unset_h: int,
    trusted: bool,
    word: str,
    bound: bool,
    health: str,
) -> None:
    source = tmp_path / "sltd.csv"
    source.write_text(SOURCE)
    built(source, tmp_path / "lists", "sltd", as_of=NOW - timedelta(hours=3))
    clock = ClockReading(NOW, synchronised, unset_h * 3600.0, 24 * 3600.0)
    states = lists_in(tmp_path / "lists").states(clock)
    upkeep = Upkeep(states, clock, {}, (), Updating(list="sltd", done=512, total=2048))
    speech = Words.of("en")
    assert view_upkeep.clock(upkeep, speech) == {"trusted": trusted, "word": word}
    (told,) = view_upkeep.lists(upkeep, speech)
    assert (told["age_words"], told["age_is_lower_bound"]) == ("3 h", bound)
    assert told["health"] == health
    assert told["updating"] == {"done": 512, "total": 2048}
