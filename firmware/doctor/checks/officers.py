"""Who may sign in at the desk, where somebody has to."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, fail, of_message, ok, skipped, warn
from firmware.officers import Officers, OfficersUnusable
from firmware.roles import Role

_ADD = "add one: `borderpost officers add NAME`"


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings.officers
    if settings.sign_in == "off":
        yield skipped("nobody has to sign in, as configured")
        return
    try:
        officers = Officers(settings.file).every()
    except OfficersUnusable as unusable:
        yield of_message(State.FAIL, str(unusable), "ask as the desk's user, or as root")
        return
    lacking = "pin" if settings.sign_in == "pin" else "badge"
    can = [one for one in officers if getattr(one, lacking) is not None]
    if not can:
        yield fail(f"{settings.file}: nobody in it can sign in by {lacking}", _ADD)
    elif all(one.role is not Role.SUPERVISOR for one in can):
        yield warn(
            f"{settings.file}: {len(can)} can sign in by {lacking}, none of them a supervisor",
            f"{_ADD} --role supervisor",
        )
    else:
        yield ok(f"{settings.file}: {len(can)} can sign in by {lacking}")
