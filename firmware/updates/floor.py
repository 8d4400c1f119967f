"""The highest version of each role's metadata that this device has believed, kept apart.

The metadata itself can be lost: a power cut before it reached the card, a card that forgets.
Whoever then answers with an older repository would be believed again, for it is signed by the right
keys. So what was believed is written down first, in a file of its own, twice; and nothing older is
ever believed again. A floor that is higher than the metadata at hand only means that the newer one
must come.

A floor holds for the keys that it was reached under. Whoever stole a key could sign a version so
high that no true one ever reaches it; once the key is replaced, that no longer counts
(specification §5.3.11). The root's own floor always holds: its versions are counted one by one.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scanner.durable import clear_left, replace_durably

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reached:
    """A version, and the keys that it was believed by, as one word."""

    version: int
    keys: str


class Floor:
    """The floor in the files `path` and its twin."""

    def __init__(self, path: Path) -> None:
        self._paths = (path, path.with_name(f"{path.stem}.twin{path.suffix}"))
        self._reached: dict[str, Reached] = {}
        for each in self._paths:
            for role, reached in _read(each).items():
                self._reached[role] = _higher(self._reached.get(role), reached)

    def clear_left(self) -> None:
        """Removes what raising it left that was cut short. Raises OSError."""
        for path in self._paths:
            clear_left(path.parent, path.name)

    def versions(self) -> dict[str, int]:
        """Every role's floor, whatever keys it was reached under."""
        return {role: reached.version for role, reached in self._reached.items()}

    def under(self, role: str, keys: str) -> int:
        """The lowest version of a role that may be believed by these keys; 0 where it was never
        seen under them."""
        reached = self._reached.get(role)
        return reached.version if reached is not None and reached.keys == keys else 0

    def raise_to(self, believed: Mapping[str, Reached]) -> None:
        """Nothing below these is believed from now on, also after a power cut. Raises OSError, and
        then some of it may have been raised already."""
        after = dict(self._reached)
        for role, reached in believed.items():
            before = after.get(role)
            same = before is not None and before.keys == reached.keys
            after[role] = _higher(before, reached) if same else reached
        if after == self._reached and all(path.exists() for path in self._paths):
            return
        said = {role: [one.version, one.keys] for role, one in sorted(after.items())}
        for path in self._paths:
            replace_durably(path, json.dumps(said).encode() + b"\n")
        self._reached = after


def _higher(before: Reached | None, now: Reached) -> Reached:
    return before if before is not None and before.version > now.version else now


def _read(path: Path) -> dict[str, Reached]:
    try:
        said = json.loads(path.read_bytes())
        return {role: Reached(int(version), str(keys)) for role, (version, keys) in said.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError):
        log.warning("updates: %s cannot be read; its twin is taken", path)
        return {}
