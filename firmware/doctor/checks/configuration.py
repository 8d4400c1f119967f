"""The configuration: there, and in order."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok


def check(context: Context) -> Iterator[Finding]:
    file = context.config
    if context.configured is not None:
        yield ok(f"{file}: in order")
    elif context.problems:
        more = f" (and {len(context.problems) - 1} more)" if len(context.problems) > 1 else ""
        yield fail(
            f"{file}: {context.problems[0]}{more}",
            f"mend it until `borderpost config check {file}` has nothing more to say",
        )
    else:
        yield fail(
            f"{file} is not there",
            "copy config/borderpost.toml of the release there and fill it in, or name another "
            "with --config",
        )
