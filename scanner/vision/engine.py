"""Opens the reader behind which pictures become characters.

Readers are opened by name (`--reader`, or the configuration) and imported only then: PassportEye
alone takes seconds to import. There is no falling back from one to another.
"""

from scanner.vision.reader import Reader, ReaderUnavailable

__all__ = ["PLANNED", "READERS", "open_reader"]

READERS = ("passporteye",)
"""The names that `open_reader` takes today."""

PLANNED = ("litert",)
"""Names that are reserved for readers that are not there yet."""


def open_reader(name: str) -> Reader:
    """The reader of that name, ready to read. Raises ReaderUnavailable with one line."""
    if name == "passporteye":
        from scanner.vision.passporteye import PassportEye  # noqa: PLC0415 - slow, and optional

        return PassportEye()
    if name in PLANNED:
        raise ReaderUnavailable(
            f"reader {name!r} is not part of this version yet; use --reader passporteye"
        )
    raise ReaderUnavailable(f"no reader {name!r}; there is {', '.join(READERS)}")
