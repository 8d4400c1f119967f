"""Every error of a settings file at once: where it stands, what is wrong, what was perhaps meant.

The box and headquarters each have a settings file of their own and may not import each other, so
what they share stands here; it knows neither's settings.

`tomllib` gives values without their places, so `_Places` walks the text once more and remembers the
line of each key and table. It needs no full TOML grammar: it runs only on text that `tomllib` has
already accepted, and a key that it cannot place falls back to its table's line.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from scanner.failing import Told
from scanner.spelling import nearest

_TABLE = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\"'.]+)\s*=")
_SUBJECT = re.compile(r"^(?:Input|String|Value|Tuple) should")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")

Loc = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Problem:
    """One thing wrong: `line` counts from 1, or is None where nothing in the file stands for it."""

    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key}: {self.message}" if self.key else f"{where}{self.message}"


class SettingsError(Told):
    """A settings file that cannot be used, with all its problems in the file's order."""

    exit_code = 2

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path = path
        self.problems = sorted(problems, key=lambda p: (p.line or 0, p.key))
        super().__init__("\n".join(f"{path}: {problem}" for problem in self.problems))


def check(path: Path, model: type[Model]) -> Model:
    """Reads `path` into `model`. Raises SettingsError with every problem found."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(
            path, [Problem(None, "", f"cannot be read: {error.strerror}; name another file")]
        ) from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            path, [Problem(None, "", f"is not UTF-8 text (byte {error.start}); save it as UTF-8")]
        ) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        message = f"is not TOML: {_AT_LINE.sub('', str(error)).strip()}"
        raise SettingsError(
            path, [Problem(int(found[1]) if found else None, "", message)]
        ) from None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        places = _Places(text)
        told = _without_echoes(error.errors(include_url=False))
        problems = [_problem(e, places, model) for e in told]
        raise SettingsError(path, problems) from None


def _without_echoes(errors: Sequence[Any]) -> list[Any]:
    """Without "too short" for an array whose members were all refused for reasons of their own."""
    places = [tuple(error["loc"]) for error in errors]
    return [
        error
        for error, loc in zip(errors, places, strict=True)
        if error["type"] != "too_short"
        or not any(other[: len(loc)] == loc and other != loc for other in places)
    ]


def _problem(error: Any, places: "_Places", model: type[BaseModel]) -> Problem:
    loc = places.actual(tuple(error["loc"]))
    kind, key = error["type"], _dotted(loc)
    if kind == "extra_forbidden":
        known = _keys_at(model, loc[:-1])
        return Problem(
            places.line(loc), key, f"is not a setting{_did_you_mean(str(loc[-1]), known)}"
        )
    if kind == "missing":
        return Problem(places.line(loc[:-1]), key, "is missing and has no default")
    if kind == "union_tag_not_found":
        return Problem(places.line(loc), f"{key}.kind", "is missing; it says what the source is")
    if kind == "union_tag_invalid":
        message = f"is not a kind of source; it is one of {error['ctx']['expected_tags']}"
        given = str(error["ctx"]["tag"])
        known = re.findall(r"'([^']+)'", str(error["ctx"]["expected_tags"]))
        place = (*loc, "kind")
        return Problem(places.line(place), f"{key}.kind", message + _did_you_mean(given, known))
    return Problem(places.line(loc), key, _message(error))


def _message(error: Any) -> str:
    message = _SUBJECT.sub("must", str(error["msg"]).removeprefix("Value error, "))
    if error["type"] == "too_short":
        message = "needs at least one entry"
    given = error.get("input")
    if isinstance(given, str | int | float):
        message += f"; given is {given!r}"
    if error["type"] == "literal_error" and isinstance(given, str):
        message += _did_you_mean(given, re.findall(r"'([^']+)'", str(error["ctx"]["expected"])))
    elif " is one of " in message and isinstance(given, str):
        known = message.split(" is one of ")[1].split(";")[0].split(", ")
        message += _did_you_mean(given, known)
    return message


def _did_you_mean(given: str, known: list[str]) -> str:
    near = nearest(given, known)
    return f"; did you mean {near}?" if near else ""


def _dotted(loc: Loc) -> str:
    return "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in loc).lstrip(".")


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _keys_at(model: type[BaseModel], loc: Loc) -> list[str]:
    models = [model]
    for part in loc:
        if isinstance(part, str):
            fields = [m.model_fields[part] for m in models if part in m.model_fields]
            models = [inner for f in fields for inner in _models_in(f.annotation)] or models
    return sorted({key for m in models for key in m.model_fields})


class _Places:
    """The line of each table and key of a TOML text, by path: `("sources", 0, "port")`."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Loc, int] = {}
        self._arrays: dict[str, int] = {}
        table: Loc = ()
        for number, row in enumerate(text.splitlines(), start=1):
            if found := _TABLE.match(row):
                table = self._open(found[2].strip(), double=found[1] == "[[")
                self._lines.setdefault(table, number)
            elif found := _KEY.match(row):
                key = tuple(part.strip("\"' ") for part in found[1].split("."))
                self._lines.setdefault((*table, *key), number)

    def _open(self, dotted: str, *, double: bool) -> Loc:
        parts = [part.strip().strip("\"'") for part in dotted.split(".")]
        path: list[str | int] = []
        for depth, part in enumerate(parts, start=1):
            path.append(part)
            name = ".".join(parts[:depth])
            if double and depth == len(parts):
                self._arrays[name] = self._arrays.get(name, -1) + 1
            if name in self._arrays:
                path.append(self._arrays[name])
        return tuple(path)

    def actual(self, loc: Loc) -> Loc:
        """`loc` without the tag that pydantic puts behind an index for a discriminated union."""
        kept: list[str | int] = []
        for index, part in enumerate(loc):
            after_index = index > 0 and isinstance(loc[index - 1], int)
            if after_index and index + 1 <= len(loc) - 1 and loc[0] == "sources":
                continue
            kept.append(part)
        return tuple(kept)

    def line(self, loc: Loc) -> int | None:
        """The line of `loc`, or of the nearest thing around it that has one."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self._lines:
                return self._lines[loc[:end]]
        return None
