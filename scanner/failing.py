"""Where an error arose, for a log that must not say what it says: that could quote a document."""

import traceback


def where(error: BaseException) -> str:
    """The file and line that raised `error`, as `path:line`."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
