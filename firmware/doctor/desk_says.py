"""What the running desk says of itself, in a file that other programs of the device can read.

`borderpost doctor` runs beside the desk, which holds camera, scanner, pins and the connection; so
the desk writes down every minute how they are. Under systemd the file lies in the service's runtime
folder, in memory; otherwise with the desk's data. A file whose process has ended, or that is older
than two rounds, says nothing any more.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from firmware.clock import boot_id
from firmware.doctor.finding import Finding
from firmware.doctor.kernel import Kernel
from firmware.settings import Settings
from scanner.durable import replace_durably
from scanner.said import Said

FILE = "health.json"
ROUND_S = 60.0
RUNTIME = "RUNTIME_DIRECTORY"
_SERVICE_FOLDER = Path("run/borderpost")
_STALE_AFTER_S = 2.5 * ROUND_S


def _as_said(value: object, validated: ValidatorFunctionWrapHandler) -> object:
    return value if isinstance(value, Said) else validated(value)


_Text = Annotated[str, WrapValidator(_as_said)]
"""A line; one that can be said in another language stays so, as long as it is not read back."""


class _Word(BaseModel):
    model_config = ConfigDict(frozen=True)


class SourceSays(_Word):
    """A source of documents; `message` is one line, also beside what is well."""

    name: str
    ok: bool
    message: _Text = ""


class DeskSays(_Word):
    """The desk's word, of the moment `at` (seconds since boot). `updates` are what keeps lists from
    being what is published, or None where nothing is fetched."""

    process: int
    boot: str
    at: float
    sources: tuple[SourceSays, ...] = ()
    connected: bool = False
    link: _Text = ""
    lamps: str = "none"
    identity: str | None = None
    updates: tuple[str, ...] | None = None

    @staticmethod
    def now(
        sources: Iterable[SourceSays],
        *,
        connected: bool,
        link: str,
        lamps: str,
        identity: str | None,
        updates: tuple[str, ...] | None,
    ) -> "DeskSays":
        """The word of this process, of this moment."""
        return DeskSays(
            process=os.getpid(),
            boot=boot_id(),
            at=_since_boot(),
            sources=tuple(sources),
            connected=connected,
            link=link,
            lamps=lamps,
            identity=identity,
            updates=updates,
        )

    def source(self, name: str) -> SourceSays | None:
        """What it says of the source of that name."""
        return next((one for one in self.sources if one.name == name), None)


class _File(_Word):
    desk: DeskSays
    findings: tuple[dict[str, str | None], ...] = ()


def file_of(settings: Settings) -> Path:
    """Where this process, which is the desk, writes."""
    given = os.environ.get(RUNTIME)
    return (Path(given.split(":")[0]) if given else settings.device.data) / FILE


def write_desk_says(path: Path, says: DeskSays, findings: tuple[Finding, ...]) -> None:
    """Writes it down, for everybody on the device to read. Raises OSError."""
    file = _File(desk=says, findings=tuple(one.as_object() for one in findings))
    replace_durably(path, file.model_dump_json().encode(), mode=0o644)


def read_desk_says(settings: Settings, kernel: Kernel) -> DeskSays | None:
    """What the running desk says, or None where none runs here."""
    for path in (kernel.root / _SERVICE_FOLDER / FILE, settings.device.data / FILE):
        try:
            says = _File.model_validate_json(path.read_bytes()).desk
        except (OSError, ValidationError):
            continue
        if _lives(says, kernel):
            return says
    return None


def _lives(says: DeskSays, kernel: Kernel) -> bool:
    fresh = says.boot == boot_id() and _since_boot() - says.at < _STALE_AFTER_S
    return fresh and (kernel.root / "proc" / str(says.process)).is_dir()


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
