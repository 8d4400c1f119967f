"""What the desk says, in the officer's language.

The English sentence is the key, and gettext catalogues (`locale/<language>/LC_MESSAGES/kiosk.po`)
have its translations; Babel reads them as they are, so nothing is built when one is changed. A
sentence without a translation is said in English rather than not at all, and so is everything where
a catalogue cannot be read. The names of States come from CLDR, which Babel brings along, as far as
it has them.

What is printed stays as it is printed: names, numbers, dates and digits. Where the language is
written from right to left such a value is kept apart from the text around it, or a date would be
shown backwards.
"""

import gettext
import logging
from collections.abc import Mapping
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Final

from babel import Locale
from babel.core import get_global
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from scanner.mrz.states import CODES
from scanner.said import Value, counted, retold, said
from scanner.watchlist.age import span

log = logging.getLogger(__name__)

ENGLISH: Final = "en"
LANGUAGES: Final = (ENGLISH, "fr", "es", "ar")
PAGE: Final = "firmware/kiosk/page/"
"""Where the page's own text is: what a catalogue says was found there is sent to the browser."""

_CATALOGUES = Path(__file__).parent / "locale"
_FIRST_STRONG, _ISOLATE_ENDS = "\u2068", "\u2069"
_OTHER_CODES = {"D": "DE", "EUE": "EU", "RKS": "XK", "XKX": "XK", "UNO": "UN"}
"""Codes of Doc 9303 that CLDR has under others."""


def catalogue_path(language: str) -> Path:
    """Where a language's translations are."""
    return _CATALOGUES / language / "LC_MESSAGES" / "kiosk.po"


def read_catalogue(language: str) -> Catalog:
    """A language's translations. Raises OSError, and PoFileError or ValueError for what is none."""
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


class Words:
    """One language. For any thread."""

    def __init__(self, language: str) -> None:
        """Raises KeyError for a language that there is not."""
        if language not in LANGUAGES:
            raise KeyError(language)
        self.language = language
        self._locale = Locale.parse(language)
        self.direction = "rtl" if self._locale.character_order == "right-to-left" else "ltr"
        self._translations, self._page = _translations(language)

    @staticmethod
    @cache
    def of(language: str) -> "Words":
        """The language of that name, read once. Raises KeyError."""
        return Words(language)

    def told(self, text: str) -> str:
        """`Said` in this language; any other text as it is."""
        return retold(text, self)

    def state(self, code: str) -> str | None:
        """The name of a State, organisation or nationality, or None where none has this code."""
        name = CODES.get(code)
        if name is None or self.language == ENGLISH:
            return name
        territory = territory_of(code)
        return str(self._locale.territories[territory]) if territory else self.template(name)

    def span(self, seconds: float) -> str:
        """A length of time."""
        return self.told(span(seconds))

    def age(self, birth_date: str | None, today: date) -> str | None:
        """How old somebody is who was born on a date that may lack its day or its month."""
        if not birth_date:
            return None
        most = _months(birth_date, today, month=1, day=1)
        least = max(0, _months(birth_date, today, month=12, day=31))
        if most < 0:
            return None
        if most < _MONTHS_UNTIL_YEARS and least == most:
            return self.told(counted("{count} month", "{count} months", most))
        years = counted("{count} year", "{count} years", most // 12)
        if least // 12 == most // 12:
            return self.told(years)
        return self.told(said("{least} or {years}", least=least // 12, years=years))

    def catalogue(self) -> Mapping[str, str]:
        """The page's own text, by its English."""
        return self._page

    def template(self, template: str) -> str:
        return _in_place(self._translations.gettext(template), template)

    def counted(self, one: str, many: str, count: int) -> str:
        return _in_place(self._translations.ngettext(one, many, count), many)

    def quoted(self, value: Value) -> str:
        if self.direction == "ltr" or isinstance(value, int):
            return str(value)
        return f"{_FIRST_STRONG}{value}{_ISOLATE_ENDS}"


_MONTHS_UNTIL_YEARS = 24


def territory_of(code: str) -> str | None:
    """CLDR's code of a State, or None where CLDR has none for this code."""
    if code in _OTHER_CODES:
        return _OTHER_CODES[code]
    known = get_global("territory_aliases").get(code, ())
    return known[0] if len(known) == 1 and known[0] in Locale(ENGLISH).territories else None


def places(template: str) -> frozenset[str]:
    """The names of the values that a template has places for. Raises ValueError for braces that
    are none."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def _in_place(translated: str, template: str) -> str:
    """A translation, unless it asks for a value that there is not: then the English."""
    return translated if _asks_no_more(translated, template) else template


@cache
def _asks_no_more(translated: str, template: str) -> bool:
    try:
        return places(translated) <= places(template)
    except ValueError:
        return False


def _translations(language: str) -> tuple[gettext.NullTranslations, Mapping[str, str]]:
    """A language's translations, and those of the page's own text alone."""
    if language == ENGLISH:
        return gettext.NullTranslations(), MappingProxyType({})
    try:
        catalogue = read_catalogue(language)
    except (OSError, ValueError, PoFileError) as error:
        log.error("kiosk: %s cannot be read (%s); install anew", catalogue_path(language), error)
        return gettext.NullTranslations(), MappingProxyType({})
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    page = {
        str(message.id): str(message.string)
        for message in catalogue
        if message.id
        and message.string
        and any(path.startswith(PAGE) for path, _ in message.locations)
    }
    return gettext.GNUTranslations(compiled), MappingProxyType(page)


def _months(birth_date: str, today: date, month: int, day: int) -> int:
    """Whole months from a birth to today; `month` and `day` stand in where the date lacks them."""
    parts = [int(part) for part in birth_date.split("-")]
    of_year, of_month, of_day = (*parts, *(month, day)[len(parts) - 1 :])
    return (today.year - of_year) * 12 + today.month - of_month - (today.day < of_day)
