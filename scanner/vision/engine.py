"""Opens the reader behind which pictures become characters.

Readers are opened by name (`--reader`, or the configuration) and imported only then: PassportEye
alone takes seconds to import. `litert` and `tflite-runtime` are our own reader, named by what runs
its networks (docs/decisions/0002-interpreter.md). There is no falling back from one to another; a
second opinion is asked beside the chosen reader, never in its place.
"""

from scanner.spelling import nearest
from scanner.vision.reader import Reader, ReaderUnavailable
from scanner.vision.readers import INTERPRETERS, PASSPORTEYE, READERS


def open_reader(name: str, second_opinion: str = "none") -> Reader:
    """The reader of that name, ready to read; the other one is opened when it is first asked.
    Raises ReaderUnavailable with one line."""
    if second_opinion == "none":
        return _open(name)
    if second_opinion == name:
        raise ReaderUnavailable(f"{name} cannot be its own second opinion; choose another reader")
    from scanner.vision.second_opinion import SecondOpinion  # noqa: PLC0415 - most runs ask none

    return SecondOpinion(_open(name), lambda: _open(second_opinion))


def _open(name: str) -> Reader:
    if name in INTERPRETERS:
        from scanner.vision.litert import LitertReader  # noqa: PLC0415 - OpenCV takes a while

        return LitertReader(interpreter=name)
    if name == PASSPORTEYE:
        from scanner.vision.passporteye import PassportEye  # noqa: PLC0415 - slow, and optional

        return PassportEye()
    meant = nearest(name, READERS)
    raise ReaderUnavailable(
        f"no reader {name!r}; there is {', '.join(READERS)}"
        + (f"; did you mean {meant}?" if meant else "")
    )
