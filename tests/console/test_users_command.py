"""`borderpost-central users` and `serve`, as whoever keeps headquarters meets them."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.delivery.both_ends import wait_for
from tests.delivery.broker import free_port
from tests.in_process import borderpost_central

PASSWORD = "a lantern over the pass"  # noqa: S105
PROGRAM = [sys.executable, "-m", "central.cli"]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with a store and a console of its own."""
    path = tmp_path / "central.toml"
    path.write_text(
        f'[store]\nurl = "sqlite:///{tmp_path}/central.db"\n[console]\nport = {free_port()}\n'
    )
    return path


@pytest.fixture
def run(config: Path) -> Run:
    """Runs a command; what it is given on standard input is the password."""

    def command(
        *arguments: str, typed: str = "", code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        done = borderpost_central(*arguments, "--config", config, stdin=typed)
        assert done.returncode == code, done.stderr
        assert len(done.stderr.splitlines()) == (code != 0)
        return done

    return command


def test_users_are_added_listed_changed_and_disabled_and_each_act_is_audited(run: Run) -> None:
    run("users", "add", "olga", "--role", "operator", typed=f"{PASSWORD}\n")
    run("users", "add", "ada", "--role", "auditor", typed=PASSWORD)
    run("users", "role", "olga", "supervisor")
    run("users", "password", "olga", typed="another lantern, another pass\n")
    run("users", "disable", "ada")
    listed = run("users", "list").stdout.splitlines()
    assert [line.split("  ")[:2] for line in listed] == [["ada", "auditor"], ["olga", "supervisor"]]
    assert listed[0].endswith("disabled")
    run("users", "enable", "ada")
    told = json.loads(run("users", "list", "--json").stdout)
    assert [(user["name"], user["disabled"], user["locked"]) for user in told] == [
        ("ada", False, False),
        ("olga", False, False),
    ]
    trail = run("audit", "list").stdout
    assert [line.split("  ")[4] for line in trail.splitlines()] == [
        "added a user",
        "added a user",
        "changed a role",
        "changed a password",
        "disabled a user",
        "enabled a user",
    ]
    assert PASSWORD not in trail


def test_what_cannot_be_is_refused_in_one_line(run: Run) -> None:
    run("users", "add", "olga", "--role", "operator", typed=PASSWORD)
    omar = ("add", "omar", "--role", "operator")
    for arguments, typed, said in (
        (("add", "olga", "--role", "operator"), PASSWORD, "there is a user olga already"),
        (("add", "Olga P", "--role", "operator"), PASSWORD, "a name is 1 to 32 small letters"),
        (omar, "short", "a password has 12 to 200 characters"),
        (omar, "", "a password has 12 to 200 characters"),
        (omar, "omar omar lantern", "a password is not the name and not a few characters"),
        (("password", "nobody"), PASSWORD, "there is no user nobody; `users list` names them"),
    ):
        assert said in run("users", *arguments, typed=typed, code=1).stderr
    assert len(run("users", "list").stdout.splitlines()) == 1


def test_a_password_is_never_an_argument_and_a_role_is_one_of_four(run: Run) -> None:
    run("users", "add", "olga", PASSWORD, "--role", "operator", code=2)
    refused = run("users", "add", "olga", "--role", "king", typed=PASSWORD, code=2)
    assert "auditor" in refused.stderr


def typed_at_a_terminal(config: Path, *lines: str) -> tuple[int, str]:
    """`users add olga` at a terminal, where each prompt is answered by the next line."""
    pid, terminal = pty.fork()
    if pid == 0:
        rest = ["users", "add", "olga", "--role", "operator", "--config", str(config)]
        os.execv(sys.executable, [*PROGRAM, *rest])  # noqa: S606
    shown = b""
    for line in lines:
        while not shown.rstrip().endswith(b":"):
            shown += os.read(terminal, 4096)
        time.sleep(0.05)  # until the prompt has turned echoing off
        os.write(terminal, f"{line}\n".encode())
        shown += b"\n"
    try:
        while more := os.read(terminal, 4096):
            shown += more
    except OSError:  # the terminal is closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(config: Path) -> None:
    code, shown = typed_at_a_terminal(config, PASSWORD, "something else")
    assert (code, "the two are not the same" in shown) == (1, True)
    code, shown = typed_at_a_terminal(config, PASSWORD, PASSWORD)
    assert (code, "olga may sign in as operator" in shown) == (0, True)
    assert PASSWORD not in shown


def test_serve_lets_in_whom_the_command_added_and_stops_when_told_to(
    run: Run, config: Path
) -> None:
    run("users", "add", "olga", "--role", "operator", typed=PASSWORD)
    served = subprocess.Popen(
        [*PROGRAM, "serve", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert served.stdout
    assert served.stderr
    url = served.stdout.readline().split()[-1].rstrip("/")
    with httpx.Client(base_url=url, headers={"origin": url}, timeout=20) as browser:

        def welcome() -> int:
            try:
                form = {"name": "olga", "password": PASSWORD}
                return browser.post("/sign-in", data=form).status_code
            except httpx.TransportError:
                return 0

        assert wait_for(welcome) == 303
        with browser.stream("GET", "/console/events") as stream:
            next(stream.iter_lines())
            served.send_signal(signal.SIGTERM)
            served.wait(20)
    assert served.returncode == 0
    told = served.stderr.read()
    assert "Traceback" not in told
    assert PASSWORD not in told
