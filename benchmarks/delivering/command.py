"""The command behind `benchmarks/delivery.py`."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.delivering.sizes import QUICK, Json, Sizes
from benchmarks.delivering.telling import markdown
from benchmarks.written import write

STAGES = ("outbox", "latency", "receivers", "fleet")
_BUILD = Path("build")


def main(given: Sequence[str] | None = None) -> int:
    arguments = _arguments(given)
    sizes = _sizes(arguments)
    unknown = set(arguments.only) - set(STAGES)
    if unknown:
        print(f"no stage {min(unknown)!r}; there is {', '.join(STAGES)}", file=sys.stderr)
        return 2
    results: Json = {}
    not_done: dict[str, str] = {}
    _BUILD.mkdir(exist_ok=True)
    for stage in STAGES:
        if stage not in arguments.only:
            not_done[stage] = "not asked for (--only)"
            continue
        try:
            results[stage] = _measured(stage, sizes)
        except KeyboardInterrupt:
            return 130
        except Exception as error:
            traceback.print_exc()
            not_done[stage] = f"{type(error).__name__}: {error}".splitlines()[0]
    print(markdown(results, not_done))
    if arguments.json:
        write(arguments.json, results, not_done, sizes=asdict(sizes))
    return 0 if set(results) == set(arguments.only) else 1


def _measured(stage: str, sizes: Sizes) -> Json:
    measure: Callable[[Sizes, Path], Json] = import_module(f"benchmarks.delivering.{stage}").measure
    began = perf_counter()
    load = os.getloadavg()[0]
    print(f"{stage} ...", file=sys.stderr, flush=True)
    with TemporaryDirectory(dir=_BUILD, prefix="delivery-") as work:
        result = measure(sizes, Path(work).resolve())
    print(f"{stage}: {perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return {**result, "load_before": round(load, 1)}


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure delivery, through a real Mosquitto.")
    parser.add_argument(
        "--only",
        type=lambda names: names.split(","),
        default=STAGES,
        help=f"of {','.join(STAGES)}",
    )
    parser.add_argument("--json", type=Path, help="write every measurement here")
    parser.add_argument("--quick", action="store_true", help="very little of everything")
    for field in fields(Sizes):
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, type=int, help=f"({field.default})")
    return parser.parse_args(given)


def _sizes(arguments: argparse.Namespace) -> Sizes:
    base = asdict(QUICK if arguments.quick else Sizes())
    said = {name: getattr(arguments, name) for name in base}
    return Sizes(**{name: base[name] if given is None else given for name, given in said.items()})
