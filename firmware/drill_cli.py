"""`borderpost drills`: the results of drills that trainees chose to keep at this desk."""

import json
from typing import Any

from pydantic import ValidationError

from firmware.drill.telling import Kept
from firmware.options import DEFAULT_CONFIG, AsJson, Config
from firmware.settings import load
from scanner.command_line import Failure


def drills(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Lists the kept results of drills, oldest first."""
    data = load(config).device.data
    try:
        for kept in Kept(data).all():
            print(json.dumps(kept) if as_json else "\n".join(_lines(kept)))
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from None
    except ValidationError:
        raise Failure(f"{data}: a file among the drills' results is none; remove it") from None


def _lines(kept: dict[str, Any]) -> list[str]:
    right = sum(step["right"] for step in kept["steps"])
    who = kept["officer"] or "somebody"
    head = f"{kept['began_at']}  {who}  {right} of {len(kept['steps'])} right"
    return [head, *(f"  {_line(step)}" for step in kept["steps"])]


def _line(step: dict[str, Any]) -> str:
    took = "" if step["took_ms"] is None else f" after {step['took_ms'] / 1000:.1f} s"
    done = (step["act"] or "nothing").replace("_", " ")
    return f"{'right' if step['right'] else 'WRONG'}  {step['exercise']}: {done}{took}"
