"""How the desk itself is, as the page always shows it: lists, link, sources, clock, faults."""

from firmware.delivery.link import LinkState
from firmware.kiosk.display import Seen, Upkeep
from firmware.kiosk.written import Json, Speech, moment
from scanner.alert import Updating
from scanner.said import Said, said, sentence
from scanner.watchlist.contract import ListHealth, ListState

_HEALTH: dict[ListHealth, Said] = {
    ListHealth.OVER_AGE: said("too old"),
    ListHealth.MISSING: said("missing"),
    ListHealth.DAMAGED: said("damaged"),
    ListHealth.LOCKED: said("locked"),
}


def lists(upkeep: Upkeep | None, speech: Speech) -> list[Json]:
    """Each list: its version, how old it is, whether that will do, and how far an update is."""
    if upkeep is None:
        return []
    return [_list(one, upkeep.updating, speech) for one in upkeep.lists]


def _list(state: ListState, updating: Updating | None, speech: Speech) -> Json:
    ok = state.health is ListHealth.OK
    fetched = updating if updating is not None and updating.list == state.name else None
    return {
        "name": state.name,
        "version": state.version,
        "as_of": moment(state.as_of) if state.as_of else None,
        "age_s": None if state.age_s is None else round(state.age_s),
        "age_words": None if state.age_s is None else speech.span(state.age_s),
        "age_is_lower_bound": state.age_is_lower_bound,
        "health": state.health.value,
        "required": state.required,
        "word": "" if ok else speech.told(_HEALTH.get(state.health, said("not usable"))),
        "reason": speech.told(state.reason) if state.reason else "",
        "updating": {"done": fetched.done, "total": fetched.total} if fetched else None,
    }


def link(state: LinkState | None, speech: Speech) -> Json:
    """Whether central can be reached, and what waits for it."""
    up = state is not None and state.connected
    return {
        "up": up,
        "since": moment(state.since) if state else None,
        "queued": state.queued if state else 0,
        "alerts": state.alerts if state else 0,
        "word": speech.told(said("connected") if up else said("not connected")),
    }


def sources(upkeep: Upkeep | None, speech: Speech) -> list[Json]:
    """Each camera, scanner and folder."""
    found = upkeep.sources.items() if upkeep else ()
    return [
        {"name": name, "ok": health.ok, "message": speech.told(health.message)}
        for name, health in found
    ]


def clock(upkeep: Upkeep | None, speech: Speech) -> Json:
    """Whether the ages can be relied on: a clock that has not been set is said at once, and is
    trusted for a while all the same."""
    if upkeep is None:
        return {"trusted": False, "word": ""}
    word = "" if upkeep.clock.synchronised else speech.told(said("The clock has not been set."))
    return {"trusted": upkeep.clock.trusted, "word": word}


def faults(seen: Seen, speech: Speech) -> list[str]:
    """What is at fault, the desk's and those of the last document."""
    of_desk = seen.upkeep.faults if seen.upkeep else ()
    of_document = seen.shown.faults if seen.shown else ()
    return list(dict.fromkeys(speech.told(sentence(line)) for line in (*of_document, *of_desk)))
