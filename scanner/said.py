"""Sentences that can be said again in another language.

A reason for an officer is made where it is known, deep in a program that speaks English, and shown
at a desk that may speak another language. `Said` is the English sentence, an ordinary `str` to
everybody, that remembers its template and the values in it. Whoever shows it may translate the
template and put the values in anew (`retold`); whoever does not know of this loses nothing.

    said("{count} of the numbers could not be asked.", count=3)
    counted("{count} character is uncertain.", "{count} characters are uncertain.", 2)
    sentence(said("the name is left out"))  -> "The name is left out."

The template is the key of the translation, so it stands as a literal in the call: that is how
catalogues are extracted from the source. A value may itself be `Said`, and is then translated too;
any other stands as it is in every language: names, numbers, dates, what is printed.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol, Self

Value = str | int
"""What stands in a template: `Said`, a text, a number. Anything else comes in as its `str`, so that
a path or an exception may be given, and an exception's `Said` is kept."""


class Language(Protocol):
    """What a translation of `Said` needs to know."""

    def template(self, template: str) -> str:
        """The template in this language; the English one where there is none."""
        ...

    def counted(self, one: str, many: str, count: int) -> str:
        """The template of the plural form that `count` takes in this language."""
        ...

    def quoted(self, value: Value) -> str:
        """A value that is said as it is in every language."""
        ...


class Said(str):
    """An English sentence or part of one, with what it was made of. Equal to its text."""

    template: str
    values: Mapping[str, Value]
    many: str | None
    """The template for a `count` other than one, where the sentence counts something."""
    full: bool
    """Whether it is written as a sentence of its own: a capital first and a full stop last."""

    def __new__(
        cls,
        template: str,
        values: Mapping[str, Value],
        many: str | None = None,
        full: bool = False,
    ) -> Self:
        chosen = template if many is None or values["count"] == 1 else many
        text = chosen.format_map(values) if values else chosen
        made = super().__new__(cls, _full(text) if full else text)
        made.template, made.values, made.many, made.full = template, values, many, full
        return made

    def __str__(self) -> Self:
        # So that the text of an exception made with it is still the same object.
        return self

    def __getnewargs__(self) -> tuple[str, Mapping[str, Value], str | None, bool]:  # type: ignore[override]  # str's own gives the text alone, from which this cannot be made again
        return self.template, self.values, self.many, self.full


def said(template: str, **values: object) -> Said:
    """A sentence, or a part of one, with `values` in the places that the template names."""
    return Said(template, _kept(values))


def counted(one: str, many: str, count: int, **values: object) -> Said:
    """A sentence about a number of things: `one` where `count` is 1, `many` otherwise."""
    return Said(one, _kept({"count": count, **values}), many)


def _kept(values: Mapping[str, object]) -> dict[str, Value]:
    return {
        name: value if isinstance(value, str | int) else str(value)
        for name, value in values.items()
    }


def sentence(message: str) -> str:
    """A message as a sentence of its own; nothing remains nothing."""
    if not message:
        return ""
    if isinstance(message, Said):
        return Said(message.template, message.values, message.many, full=True)
    return _full(message)


def joined(messages: Iterable[str]) -> str:
    """Messages in one line, `first; second; third`; empty ones are left out."""
    line = ""
    for message in filter(None, messages):
        line = said("{first}; {then}", first=line, then=message) if line else message
    return line


def listed(things: Iterable[str]) -> str:
    """Things in one line, `one, another, a third`."""
    line = ""
    for thing in things:
        line = said("{first}, {then}", first=line, then=thing) if line else thing
    return line


def shown(name: str) -> str:
    """A file's name, whatever is in it, as one line that any terminal can show."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


def retold(text: str, language: Language) -> str:
    """`text` in another language, if it is `Said`; any other text stays as it is."""
    if not isinstance(text, Said):
        return text
    values = {name: _value(value, language) for name, value in text.values.items()}
    template = _template(text, language)
    told = template.format_map(values) if values else template
    return _full(told) if text.full else told


def _template(text: Said, language: Language) -> str:
    if text.many is None:
        return language.template(text.template)
    return language.counted(text.template, text.many, int(text.values["count"]))


def _value(value: Value, language: Language) -> str:
    return retold(value, language) if isinstance(value, Said) else language.quoted(value)


def _full(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
