"""What an error says of itself: one line for a person, or where it arose and no more."""

import traceback
from typing import ClassVar


class Told(Exception):
    """An error whose message is for a person as it stands, one line for each thing that is wrong. A
    command that it ends prints that, and has its exit code."""

    exit_code: ClassVar[int] = 1


def where(error: BaseException) -> str:
    """The file and line that raised `error`, as `path:line`: all that a log may say of a fault of
    our own, whose words could quote a document."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
