"""Data flows one way: who may import whom."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("scanner", "firmware", "central")
FORBIDDEN = {
    "scanner/mrz": (
        "firmware",
        "central",
        "scanner.vision",
        "scanner.sources",
        "scanner.watchlist",
    ),
    "scanner/vision": ("firmware", "central", "scanner.sources", "scanner.watchlist"),
    "scanner/sources": ("firmware", "central", "scanner.vision", "scanner.watchlist"),
    "scanner/watchlist": ("firmware", "central", "scanner.vision", "scanner.sources"),
    "scanner": ("firmware", "central"),
    "firmware": ("central",),
    "central": ("firmware",),
}
STAND_ON_TOP = {f"scanner.{path.stem}" for path in (ROOT / "scanner").glob("*.py")} | {
    "scanner.alert"
}
BELOW = ("scanner/mrz", "scanner/vision", "scanner/sources", "scanner/watchlist")


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports out in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in OURS}


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_nothing_imports_against_the_stream(folder: str) -> None:
    against = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in sorted(_imports(path))
        if any(_within(name, package) for package in FORBIDDEN[folder])
    ]
    assert against == []


@pytest.mark.parametrize("folder", BELOW)
def test_the_parts_of_the_scanner_know_nothing_of_what_stands_on_top_of_them(folder: str) -> None:
    # Tools without knowledge of documents; anyone may use them.
    tools = tuple(
        f"scanner.{tool}"
        for tool in (
            "backoff",
            "command_line",
            "credentials",
            "durable",
            "failing",
            "said",
            "spelling",
            "toml_errors",
        )
    )
    above = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in sorted(_imports(path))
        if any(_within(name, top) for top in STAND_ON_TOP - {"scanner.__init__"})
        and not any(_within(name, tool) for tool in tools)
    ]
    assert above == []


def test_no_module_shadows_one_of_the_standard_library() -> None:
    shadows = [
        str(path.relative_to(ROOT))
        for package in OURS
        for path in (ROOT / package).rglob("*.py")
        if path.stem in sys.stdlib_module_names and path.stem != "__init__"
    ]
    assert shadows == []


def test_every_package_is_named_in_the_build() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    declared = set(build["packages"])
    there = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for package in OURS
        for path in (ROOT / package).rglob("__init__.py")
    }
    data = set(build["package-data"])
    assert declared == there | data
