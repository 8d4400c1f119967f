"""Who may sign in at the desk, where somebody has to."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, fail, of_message, ok, skipped, warn
from firmware.officers.officers import Officers, OfficersUnusable
from firmware.officers.roles import Role
from scanner.said import said

_ADD = said("add one: `borderpost officers add NAME`")


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings.officers
    if settings.sign_in == "off":
        yield skipped(said("nobody has to sign in, as configured"))
        return
    try:
        officers = Officers(settings.file).every()
    except OfficersUnusable as unusable:
        yield of_message(State.FAIL, str(unusable), said("ask as the desk's user, or as root"))
        return
    lacking = "pin" if settings.sign_in == "pin" else "badge"
    means = said("pin") if lacking == "pin" else said("badge")
    can = [one for one in officers if getattr(one, lacking) is not None]
    if not can:
        yield fail(
            said("{file}: nobody in it can sign in by {means}", file=settings.file, means=means),
            _ADD,
        )
    elif all(one.role is not Role.SUPERVISOR for one in can):
        yield warn(
            said(
                "{file}: {count} can sign in by {means}, none of them a supervisor",
                file=settings.file,
                count=len(can),
                means=means,
            ),
            said("add one: `borderpost officers add NAME` --role supervisor"),
        )
    else:
        yield ok(
            said(
                "{file}: {count} can sign in by {means}",
                file=settings.file,
                count=len(can),
                means=means,
            )
        )
