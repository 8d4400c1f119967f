"""A technician's settings file: every mistake at once, with its line; and none of ours in the
example that we ship."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from firmware.settings import Settings, load
from scanner.toml_errors import SettingsError

EXAMPLE = Path(__file__).parents[2] / "config" / "borderpost.toml"

GOOD = """
[device]
name = "utopia-north-1"
site = "Utopia North"

[[sources]]
kind = "folder"
name = "replay"
path = "pages"

[lists]
[[lists.use]]
name = "sltd"
"""


def _problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "borderpost.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load(file)
    return [str(problem) for problem in error.value.problems]


def test_the_example_that_we_ship_is_in_order() -> None:
    assert load(EXAMPLE).device.name == "utopia-north-1"


def test_every_error_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    problems = _problems(
        tmp_path,
        """[device]
name = "Utopia North"
sight = "Utopia North"

[[sources]]
kind = "serail"
name = "scanner"

[lists]
[[lists.use]]
name = "sltd"
max_age_hours = -1

[broker]
port = 188300
protocol = "3.1"
""",
    )
    assert [line.split(":")[0] for line in problems] == [
        "line 1",
        "line 2",
        "line 3",
        "line 6",
        "line 12",
        "line 15",
        "line 16",
    ]
    told = "\n".join(problems)
    assert "device.site: is missing" in told
    assert "device.sight: is not a setting; did you mean site?" in told
    assert "did you mean serial?" in told
    assert "did you mean 3.1.1?" in told


def test_a_key_in_the_second_source_is_told_with_the_line_of_the_second_source(
    tmp_path: Path,
) -> None:
    more = '\n[[sources]]\nkind = "serial"\nname = "s"\nport = "/dev/x"\nbuad = 9600\n'
    (problem,) = _problems(tmp_path, GOOD + more)
    line = (GOOD + more).splitlines().index("buad = 9600") + 1
    assert problem.startswith(f"line {line}: sources[2].buad")
    assert "did you mean baud?" in problem


def test_an_unknown_family_of_scanners_is_told_with_what_was_perhaps_meant(tmp_path: Path) -> None:
    more = '\n[[sources]]\nkind = "serial"\nname = "s"\nport = "/dev/x"\nfamily = "honeywel"\n'
    (problem,) = _problems(tmp_path, GOOD + more)
    assert "did you mean honeywell?" in problem


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('engine = "pasporteye"', "reader.engine: the reader is one of "),
        ('engine = "pasporteye"', "did you mean passporteye?"),
        ('second_opinion = "Passporteye"', "did you mean passporteye?"),
        ('second_opinion = "nnoe"', "did you mean none?"),
        ('secondopinion = "none"', "did you mean second_opinion?"),
        (
            'engine = "passporteye"\nsecond_opinion = "passporteye"',
            "passporteye cannot be its own second opinion",
        ),
    ],
)
def test_a_reader_that_is_none_is_told_with_what_was_perhaps_meant(
    tmp_path: Path, setting: str, told: str
) -> None:
    (problem,) = _problems(tmp_path, GOOD + f"\n[reader]\n{setting}\n")
    assert told in problem
    assert problem.startswith("line ")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('others = ["broker-2"]', "must be a host and a port"),
        ('others = ["broker-2:port"]', "must be a host and a port"),
        ('others = ["broker-2:99999"]', "must be a host and a port"),
        ('host = "a"\nothers = ["b:8883", "b:8883"]', "a broker stands twice"),
        ('host = "a"\nothers = ["a:8883"]', "a broker stands twice"),
        ('ca = "ca.crt"\ncertificate = "tls.crt"', "certificate and private_key belong together"),
        ('certificate = "tls.crt"\nprivate_key = "tls.key"', "certificate needs ca"),
        ('tls = false\nca = "ca.crt"', "ca is for TLS, which tls = false leaves out"),
        ("keepalive_seconds = 10", "less than or equal to 9"),
    ],
)
def test_brokers_that_cannot_be_spoken_to_as_described_are_refused(
    tmp_path: Path, setting: str, told: str
) -> None:
    (problem,) = _problems(tmp_path, GOOD + f"\n[broker]\n{setting}\n")
    assert told in problem


def test_several_brokers_are_taken_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "borderpost.toml"
    file.write_text(GOOD + '\n[broker]\nothers = ["b.example:8883", "[fd00::2]:1883"]\n')
    assert load(file).broker.others == ("b.example:8883", "[fd00::2]:1883")


def test_two_lamps_on_one_pin_are_refused(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, GOOD + "\n[panel]\nlamp_go = 22\n")
    assert "lamp_go and lamp_attend are both on pin 22" in problem


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("height = 1081", "multiple of 2"),
        ('command = "rpicam-vid \'"', "cannot be read as a command line"),
        ('command = " "', "must name a program"),
    ],
)
def test_what_the_pi_s_camera_cannot_be_started_with_is_refused(
    tmp_path: Path, setting: str, told: str
) -> None:
    source = f'\n[[sources]]\nkind = "rpicam"\nname = "camera"\n{setting}\n'
    (problem,) = _problems(tmp_path, GOOD + source)
    assert told in problem


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    more = '\n[[sources]]\nkind = "folder"\nname = "replay"\npath = "other"\n'
    (problem,) = _problems(tmp_path, GOOD + more)
    assert "replay stands twice" in problem


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[device\n", "line 1: is not TOML"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"", "device: is missing"),
    ],
)
def test_a_file_that_is_no_settings_file_gets_clear_lines(
    tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=re.escape(told)):
        load(file)


def test_a_file_that_is_not_there_gets_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file") as error:
        load(tmp_path / "none.toml")
    assert len(error.value.problems) == 1


def _leaves(model: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, field in model.model_fields.items():
        inner = _models(field.annotation)
        if inner:
            for one in inner:
                found |= _leaves(one, f"{prefix}{key}.")
        else:
            found.add(f"{prefix}{key}")
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _dotted(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        merged: dict[str, Any] = {}
        for one in value:
            merged |= _dotted(one, prefix)
        return merged
    if not isinstance(value, dict):
        return {prefix.rstrip("."): value}
    merged = {}
    for key, inner in value.items():
        merged |= _dotted(inner, f"{prefix}{key}.")
    return merged


def _example_with_every_key() -> str:
    """The example with its commented-out settings in force."""
    setting = re.compile(r"^# (\[\[\w+\]\]|[a-z_]+ = \S.*)$")
    return "\n".join(
        found[1] if (found := setting.match(line)) else line
        for line in EXAMPLE.read_text().splitlines()
    )


def test_the_example_documents_every_setting_and_no_other() -> None:
    shown = _dotted(tomllib.loads(_example_with_every_key()))
    assert set(shown) == _leaves(Settings)


def test_the_example_with_every_setting_in_force_is_in_order(tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    file.write_text(_example_with_every_key())
    load(file)


def test_the_defaults_that_the_example_shows_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    file.write_text(_example_with_every_key())
    shown, given = load(file), load(EXAMPLE)
    meant_as_examples = {
        "panel": {"buzzer", "trigger", "foot_switch", "privacy"},
        "broker": {"others", "ca", "certificate", "private_key", "username", "password_file"},
        "identity": {"service"},
    }
    for section in ("reader", "clock", "panel", "broker", "alerts", "journal", "identity", "log"):
        except_for = meant_as_examples.get(section, set())
        default = getattr(given, section).model_dump(exclude=except_for)
        assert getattr(shown, section).model_dump(exclude=except_for) == default
    assert shown.lists == given.lists
    assert shown.device == given.device
