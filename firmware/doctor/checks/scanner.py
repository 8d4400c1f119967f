"""Serial scanners: there, opened, and answering where their family answers at all."""

from collections.abc import Iterator

from firmware.doctor.checks.sources import as_the_desk_says, naming_those_here
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, fail, of_message, ok, skipped
from firmware.settings import SerialSource
from scanner.said import said
from scanner.sources.families import family_named
from scanner.sources.serial_port import LOST, why_lost
from scanner.sources.serial_probe import Answer, probe


def check(context: Context) -> Iterator[Finding]:
    scanners = [one for one in context.settings.sources if isinstance(one, SerialSource)]
    if not scanners:
        yield skipped(said("no serial scanner is configured"))
    for scanner in scanners:
        if context.desk is not None:
            yield as_the_desk_says(context.desk, scanner.name)
        else:
            yield _opened(context, scanner)


def _opened(context: Context, scanner: SerialSource) -> Finding:
    family = family_named(scanner.family)
    baud = scanner.baud or family.baud
    opened = said(
        "{name}: {port} opened at {baud} baud", name=scanner.name, port=scanner.port, baud=baud
    )
    try:
        answer = probe(scanner.port, family, baud)
    except LOST as error:
        why = f"{scanner.name}: {why_lost(scanner.port, error)}".removesuffix("; trying again")
        return of_message(
            State.FAIL,
            naming_those_here(context, why, "dev/serial/by-id/*"),
            said("look at its cable"),
        )
    if answer is Answer.CONFIRMED:
        return ok(said("{opened}; it answers as {title} does", opened=opened, title=family.title))
    if answer is Answer.SILENT:
        return fail(
            said("{opened}; it does not answer as {title} does", opened=opened, title=family.title),
            said("look at its cable and power, and at baud and family under [[sources]]"),
        )
    return ok(
        said(
            "{opened}; readers of the family {name} answer no command, so whether it "
            "reads shows with a document alone",
            opened=opened,
            name=family.name,
        )
    )
