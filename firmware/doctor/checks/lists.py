"""The lists: there, whole, not too old."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, warn
from firmware.lists.status import Standing, standings
from scanner.said import Said, said
from scanner.watchlist.age import span
from scanner.watchlist.contract import ListHealth, ListState

_UPDATE = "borderpost list update"
FIXES = {
    ListHealth.MISSING: said(
        "bring it here: `{command}`, or copy it from headquarters", command=_UPDATE
    ),
    ListHealth.DAMAGED: said(
        "`borderpost list verify` says where; `{command}` fetches it anew", command=_UPDATE
    ),
    ListHealth.LOCKED: said("bring the list's key from headquarters (docs/operations.md)"),
    ListHealth.OVER_AGE: said(
        "`{command}` fetches the one published; ask headquarters if it is as old", command=_UPDATE
    ),
    ListHealth.OK: said("`{command}` fetches it anew", command=_UPDATE),
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
        why = state.reason or state.health.value.replace("_", " ")
        what, semicolon, _ = why.rpartition("; ")
        line = f"{state.name}: {what if semicolon else why}"
        if state.required:
            return fail(said("{line}; nothing is shown as clear without it", line=line), fix)
        return warn(line, fix)
    line = said(
        "{name}: version {version}, {age}", name=state.name, version=state.version, age=_age(state)
    )
    if allowed_s:
        line = said("{line} ({limit} allowed)", line=line, limit=span(allowed_s))
    return (
        warn(said("{line}; {reason}", line=line, reason=state.reason), fix)
        if state.reason
        else ok(line)
    )


def _age(state: ListState) -> Said:
    age = span(state.age_s or 0.0)
    if state.age_is_lower_bound:
        return said("at least {span} old", span=age)
    return said("{span} old", span=age)
