"""The highest version of each role's metadata that this device has believed, kept apart.

The metadata itself can be lost: a power cut before it reached the card, a card that forgets.
Whoever then answers with an older repository would be believed again, for it is signed by the right
keys. So what was believed is written down first, in a file of its own, twice; and nothing older is
ever believed again. A floor that is higher than the metadata at hand only means that the newer one
must come.
"""

import json
import logging
from pathlib import Path

from scanner.durable import replace_durably

log = logging.getLogger(__name__)


class Floor:
    """The floor in the files `path` and its twin."""

    def __init__(self, path: Path) -> None:
        self._paths = (path, path.with_name(f"{path.stem}.twin{path.suffix}"))
        self._versions: dict[str, int] = {}
        for each in self._paths:
            for role, version in _read(each).items():
                self._versions[role] = max(version, self._versions.get(role, 0))

    def __getitem__(self, role: str) -> int:
        """The lowest version that may be believed; 0 for a role that was never seen."""
        return self._versions.get(role, 0)

    def raise_to(self, versions: dict[str, int]) -> None:
        """Nothing below these is believed from now on, also after a power cut. Raises OSError, and
        then some of it may have been raised already."""
        raised = {
            role: max(version, self._versions.get(role, 0)) for role, version in versions.items()
        }
        after = {**self._versions, **raised}
        if after == self._versions and all(path.exists() for path in self._paths):
            return
        content = json.dumps(after, sort_keys=True).encode() + b"\n"
        for path in self._paths:
            replace_durably(path, content)
        self._versions = after


def _read(path: Path) -> dict[str, int]:
    try:
        said = json.loads(path.read_bytes())
        return {str(role): int(version) for role, version in said.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError):
        log.warning("updates: %s cannot be read; its twin is taken", path)
        return {}
