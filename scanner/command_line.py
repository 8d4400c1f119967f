"""How a command of ours ends: every error becomes one line on stderr and an exit code.

0 is done, 2 is wrong usage or configuration, 1 is anything else. A traceback is a bug of ours, and
even then its text stays out of sight: it could quote a document.
"""

import getpass
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper

import typer

from scanner.failing import Told
from scanner.hash_chain import Head, head_of

_EXTRAS = {
    "central": (
        *("sqlalchemy", "alembic", "psycopg", "starlette", "uvicorn", "sse_starlette", "fastapi"),
        *("jinja2", "python_multipart", "pwdlib", "prometheus_client", "nats", "yaml"),
    ),
    "demo": ("amqtt",),
    "passporteye": ("passporteye", "pytesseract", "skimage"),
    "device,central": ("paho",),
    "device": ("serial", "gpiozero", "lgpio", "argon2", "tomlkit"),
}
"""Which extra of ours brings a package, by the name that it is imported by."""


class Refusal(Told):
    """Wrong usage or configuration. The message is one line."""

    exit_code = 2


class Failure(Told):
    """Anything else that went wrong. The message is one line."""


def run_command(app: Callable[..., object], program: str) -> int:
    """Runs the Typer app of `program` and gives its exit code."""
    _say_any_character()
    try:
        code = app(standalone_mode=False)
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _failed(program, "interrupted", 1)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be told to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except typer.TyperException as usage:
        told = usage.format_message().rstrip(".")
        return _failed(program, f"{told}; see {program} --help", 2)
    except ModuleNotFoundError as missing:
        return _failed(
            program,
            f"the Python package {missing.name} is not installed; install borderpost with "
            f"{_extra_of(missing.name)}",
            1,
        )
    except Told as error:
        return _failed(program, str(error), error.exit_code)
    except OSError as error:
        where = error.filename or "standard input or output"
        return _failed(program, f"{where}: {error.strerror or type(error).__name__}", 1)
    except Exception as bug:
        return _failed(program, f"an error of our own ({type(bug).__name__}); please report it", 1)
    return code if isinstance(code, int) else 0


def noted_head(text: str | None) -> Head | None:
    """A chain's head as somebody noted it, if any. Raises Refusal."""
    if text is None:
        return None
    try:
        return head_of(text)
    except ValueError as malformed:
        raise Refusal(str(malformed)) from None


def asked_secret(what: str) -> str:
    """A secret, typed twice, or the first line of standard input where that is no terminal.
    Raises Failure."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(f"{what}: ")
    if getpass.getpass("Once more: ") != first:
        raise Failure("the two are not the same")
    return first


def _say_any_character() -> None:
    """What was typed and what a file is called may hold characters that the terminal has not."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _extra_of(package: str | None) -> str:
    for extra, brings in _EXTRAS.items():
        if package and package.split(".")[0] in brings:
            return f"its extra: pip install 'borderpost[{extra}]'"
    return "all that it depends on"


def _failed(program: str, message: str, code: int) -> int:
    for line in message.splitlines():
        print(f"{program}: {line}", file=sys.stderr)
    return code
