"""The configuration: there, and in order."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok
from scanner.said import said


def check(context: Context) -> Iterator[Finding]:
    file = context.config
    if context.configured is not None:
        yield ok(said("{file}: in order", file=file))
    elif context.problems:
        problem, *more = context.problems
        line = said("{file}: {problem}", file=file, problem=problem)
        if more:
            line = said(
                "{file}: {problem} (and {count} more)", file=file, problem=problem, count=len(more)
            )
        yield fail(
            line,
            said(
                "mend it until `borderpost config check {file}` has nothing more to say", file=file
            ),
        )
    else:
        yield fail(
            said("{file} is not there", file=file),
            said("run `sudo borderpost setup`, or name another with --config"),
        )
