"""What the authority remembers of its certificates, in small files that are replaced whole."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scanner.durable import replace_durably
from scanner.failing import Told


class AuthorityFault(Told):
    """The authority cannot do it; the message says why and what to do."""


@dataclass(frozen=True)
class Issued:
    """A certificate that was issued: its serial number in hexadecimal and its last moment."""

    serial: str
    until: float


@dataclass(frozen=True)
class Revoked:
    """A certificate that counts no longer."""

    serial: str
    until: float
    sort: str
    name: str
    at: float


def read_records(path: Path, form: type[Any]) -> list[Any]:
    """The records in `path`, none where there is no file. Raises AuthorityFault."""
    try:
        return [form(**fields) for fields in json.loads(path.read_text())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError):
        raise AuthorityFault(f"{path}: the authority's file is damaged") from None


def write_records(path: Path, every: Sequence[Issued | Revoked]) -> None:
    """Puts `every` into `path`, in the place of what is there. Raises OSError."""
    replace_durably(path, (json.dumps([asdict(one) for one in every]) + "\n").encode())
