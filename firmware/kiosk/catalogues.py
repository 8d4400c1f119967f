"""`make words`: brings the catalogues of translations up to date with the source.

Babel takes every template out of `said("…")` and `counted("…", "…", n)` in the programs of the desk
and out of `t("…")` in the page; the names of States that CLDR has not come from their table. They
go into `kiosk.pot`, and from there into each language's catalogue: a sentence that is new stands
there empty, one that is gone goes, and none is translated by guessing. What is missing is said, and
then the exit code is 1.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from firmware.kiosk.words import (
    ENGLISH,
    LANGUAGES,
    catalogue_path,
    places,
    read_catalogue,
    territory_of,
)
from scanner.mrz.states import CODES

ROOT: Final = Path(__file__).parents[2]
TEMPLATE: Final = Path(__file__).parent / "locale" / "kiosk.pot"
_STATES = "scanner/mrz/states.py"
_SOURCES = ("scanner", "firmware")
_METHODS = [("**.py", "python"), ("**.js", "javascript")]
_KEYWORDS = {"said": None, "counted": (1, 2), "t": None}
_HEADER = """\
# What the desk says to the officer. Brought up to date by `make words`.
#"""


def extracted() -> Catalog:
    """Every sentence of the desk, with the files that it is in."""
    catalogue = _titled(Catalog())
    for path, message in _found():
        catalogue.add(message, locations=[(path, 1)])
    for code, name in CODES.items():
        if territory_of(code) is None:
            catalogue.add(name, locations=[(_STATES, 1)])
    return catalogue


def faults_of(catalogue: Catalog, template: Catalog) -> Iterator[str]:
    """What a language's catalogue lacks, or has wrong, of what there is to say."""
    for message in template:
        if message.id:
            translated = catalogue.get(message.id)
            yield from _faults(message, translated)


def update(language: str, template: Catalog) -> list[str]:
    """Brings one language up to date, and gives what it still lacks."""
    try:
        catalogue = read_catalogue(language)
    except FileNotFoundError:
        catalogue = Catalog(locale=language)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    _write(catalogue_path(language), _titled(catalogue))
    return list(faults_of(catalogue, template))


def main() -> int:
    """Writes every catalogue, and says what is missing."""
    template = extracted()
    _write(TEMPLATE, template)
    lacking = 0
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        faults = update(language, template)
        lacking += len(faults)
        print(f"{language}: {len(template) - len(faults)} of {len(template)} sentences")
        for fault in faults:
            print(f"  {fault}")
    return 1 if lacking else 0


def _found() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for source in _SOURCES:
        for path, _, message, _, _ in extract_from_dir(ROOT / source, _METHODS, keywords=_KEYWORDS):
            yield f"{source}/{path}", message


def _faults(message: Message, translated: Message | None) -> Iterator[str]:
    told = _forms(translated.string) if translated else ()
    if not all(told) or not told:
        yield f"not translated: {_forms(message.id)[0]}"
        return
    allowed = frozenset[str]().union(*map(places, _forms(message.id)))
    for form in told:
        try:
            asked = places(form)
        except ValueError:
            yield f"braces that do not match: {form}"
            continue
        if asked != allowed and not (
            isinstance(message.id, tuple) and allowed - asked == {"count"}
        ):
            yield f"other places than {sorted(allowed)}: {form}"


def _forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    if text is None:
        return ()
    return (text,) if isinstance(text, str) else tuple(text)


def _titled(catalogue: Catalog) -> Catalog:
    catalogue.project, catalogue.version = "Borderpost", "1"
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = (
        "Borderpost"
    )
    catalogue.header_comment, catalogue.fuzzy = _HEADER, False
    return catalogue


def _write(path: Path, catalogue: Catalog) -> None:
    """Writes a catalogue, unless nothing but its date has changed."""
    written = BytesIO()
    write_po(written, catalogue, width=100, sort_output=True, include_lineno=False)
    if not path.exists() or _undated(path.read_bytes()) != _undated(written.getvalue()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written.getvalue())


def _undated(content: bytes) -> list[bytes]:
    return [line for line in content.splitlines() if not line.startswith(b'"POT-Creation-Date')]


if __name__ == "__main__":
    sys.exit(main())
