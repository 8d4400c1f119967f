"""The device's configuration as set-up writes it: the answers and what was found, put into the file
that is there, whose comments and other settings stay as somebody wrote them.

The new file is held against the settings before it takes the place of the old: a configuration
that could not be used is never written.
"""

import tomllib
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT

from firmware.settings import Settings, load
from firmware.setup.answers import Answers
from firmware.setup.detect import Found, Machine
from scanner.command_line import Failure
from scanner.durable import replace_durably
from scanner.toml_errors import SettingsError

DEFAULT = Path("/usr/share/borderpost/borderpost.toml")
"""The file that a configuration begins as: every setting, with its meaning."""


def is_new(path: Path, default: Path = DEFAULT) -> bool:
    """Whether nobody has configured the device yet. Raises OSError."""
    if not path.exists():
        return True
    return default.exists() and path.read_bytes() == default.read_bytes()


def write(
    path: Path,
    answers: Answers,
    machine: Machine,
    lists: tuple[str, ...] = (),
    default: Path = DEFAULT,
) -> Settings:
    """Writes the configuration; `lists` are those that a device is to ask that was not configured
    before. Raises SettingsError, Failure, OSError, and then leaves what was there."""
    new = is_new(path, default)
    document = tomlkit.parse((default if new else path).read_text())
    _put_answers(document, answers)
    document["sources"] = _sources([] if new else document.get("sources", []), machine)
    if new and lists:
        document["lists"]["use"] = _tables({"name": name} for name in lists)
    _put_panel_and_page(document, machine)
    if path.exists() and document.unwrap() == tomllib.loads(path.read_text()):
        return load(path)
    content = tomlkit.dumps(document).encode()
    tried = path.with_name(f"{path.name}.tried")
    try:
        replace_durably(tried, content, mode=0o644)
        load(tried)
        replace_durably(path, content, mode=0o644)
    except SettingsError as error:
        raise SettingsError(path, error.problems) from None
    finally:
        tried.unlink(missing_ok=True)
    return load(path)


def _put_answers(document: Any, answers: Answers) -> None:
    _table(document, "device").update(
        {"name": answers.device, "site": answers.site, "lane": answers.lane}
    )
    broker = _table(document, "broker")
    if answers.broker is None:
        broker.update({"host": "localhost", "tls": False})
    else:
        if broker.get("host") == "localhost":
            broker.pop("tls", None)
        broker.update({"host": answers.broker[0], "port": answers.broker[1]})
    updates = _table(document, "updates")
    updates["ring"] = answers.ring
    _put_or_drop(updates, "url", answers.lists)
    _put_or_drop(_table(document, "identity"), "service", answers.enrolment)


def _sources(configured: list[Any], machine: Machine) -> AoT:
    """A source for each device that is here: as it is configured already, else a new one. What is
    configured and is no device, such as a folder, stays; a device that is not here goes. Raises
    Failure."""
    here = {_real(found.place or found.kind): found for found in machine.devices}
    kept = [one for one in configured if one["kind"] == "folder" or _place(one) in here]
    if not (kept or here):
        raise Failure(
            "no camera and no serial scanner is here; connect one, then run borderpost setup again"
        )
    names = {str(one["name"]) for one in kept}
    known = {_place(one) for one in kept}
    new = [_source(found, names) for place, found in here.items() if place not in known]
    return _tables([*(dict(one) for one in kept), *new])


def _source(found: Found, names: set[str]) -> dict[str, str]:
    """A source of a name that is free, which it then is not any more."""
    base = {"serial": "scanner", "rpicam": "pi-camera"}.get(found.kind, found.kind)
    numbered = (f"{base}-{number}" if number > 1 else base for number in count(1))
    name = next(one for one in numbered if one not in names)
    names.add(name)
    source = {"kind": found.kind, "name": name}
    if found.place is not None:
        source["port" if found.kind == "serial" else "device"] = found.place
    if found.family is not None:
        source["family"] = found.family
    return source


def _put_panel_and_page(document: Any, machine: Machine) -> None:
    panel = _table(document, "panel")
    if panel.get("pins") != "mock":
        panel["pins"] = "gpio" if machine.header else "none"
    if machine.screen:
        _table(document, "kiosk")["enabled"] = True


def _place(source: Any) -> str:
    """Which device a configured source is."""
    by_kind = {"serial": "port", "camera": "device"}
    return _real(str(source.get(by_kind.get(source["kind"], ""), source["kind"])))


def _real(place: str) -> str:
    """A device by whatever name it is called."""
    return str(Path(place).resolve()) if place.startswith("/") else place


def _tables(rows: Iterable[dict[str, Any]]) -> AoT:
    tables = tomlkit.aot()
    for row in rows:
        tables.append(tomlkit.item(row))
    return tables


def _table(document: Any, name: str) -> Any:
    if name not in document:
        document[name] = tomlkit.table()
    return document[name]


def _put_or_drop(table: Any, key: str, value: str | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
