"""The reader of pictures: opened, and asked to read a specimen whose lines are known."""

from collections.abc import Iterator

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, State, fail, of_message, ok, skipped
from firmware.settings import Reader
from scanner.said import said
from scanner.sources.picture import decode
from scanner.vision.engine import open_reader
from scanner.vision.reader import ReaderUnavailable

SPECIMEN = SPECIMENS[0]
_INSTALL = said("install borderpost anew: its networks or libraries are not as they were made")


def check(context: Context) -> Iterator[Finding]:
    settings = context.configured
    if settings is not None and all(one.kind == "serial" for one in settings.sources):
        yield skipped(said("no source gives pictures"))
        return
    asked = settings.reader if settings is not None else Reader()
    name = asked.engine
    try:
        reader = open_reader(name, asked.second_opinion)
        picture = decode((SPECIMENS_FOLDER / SPECIMEN.file).read_bytes())
    except ReaderUnavailable as unavailable:
        yield of_message(State.FAIL, str(unavailable), _INSTALL)
        return
    reading = reader.read([picture.frame])
    if reading.lines == SPECIMEN.lines:
        yield ok(
            said("{name}: it reads the specimen {file} as printed", name=name, file=SPECIMEN.file)
        )
    else:
        yield fail(
            said("{name}: it does not read the specimen {file}", name=name, file=SPECIMEN.file),
            _INSTALL,
        )
