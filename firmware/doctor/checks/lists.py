"""The lists: there, whole, not too old."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, warn
from firmware.list_status import Standing, standings
from scanner.watchlist.age import span
from scanner.watchlist.contract import ListHealth

_UPDATE = "borderpost list update"
FIXES = {
    ListHealth.MISSING: f"bring it here: `{_UPDATE}`, or copy it from headquarters",
    ListHealth.DAMAGED: f"`borderpost list verify` says where; `{_UPDATE}` fetches it anew",
    ListHealth.LOCKED: "bring the list's key from headquarters (docs/operations.md)",
    ListHealth.OVER_AGE: f"`{_UPDATE}` fetches the one published; ask headquarters if it is as old",
    ListHealth.OK: f"`{_UPDATE}` fetches it anew",
}


def check(context: Context) -> Iterator[Finding]:
    allowed = {rule.name: rule.max_age_hours * 3600 for rule in context.settings.lists.use}
    chosen = context.chosen
    if chosen.folder is None:
        return
    for one in standings(context.lists, chosen.folder, chosen.keys, context.clock):
        yield _finding(one, allowed.get(one.state.name))


def _finding(one: Standing, allowed_s: float | None) -> Finding:
    state = one.state
    fix = FIXES[state.health]
    if state.health is not ListHealth.OK:
        said = state.reason or state.health.value.replace("_", " ")
        what, semicolon, _ = said.rpartition("; ")
        line = f"{state.name}: {what if semicolon else said}"
        if state.required:
            return fail(f"{line}; nothing is shown as clear without it", fix)
        return warn(line, fix)
    least = "at least " if state.age_is_lower_bound else ""
    age = f"{least}{span(state.age_s or 0.0)} old"
    limit = f" ({span(allowed_s)} allowed)" if allowed_s else ""
    line = f"{state.name}: version {state.version}, {age}{limit}"
    return warn(f"{line}; {state.reason}", fix) if state.reason else ok(line)
