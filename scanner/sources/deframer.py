"""Bytes from any family of serial MRZ readers -> the rows of one document after another.

One deframer for all: what differs between families is data (`families`). It does no input or
output and reads no clock; it is given bytes and the time at which they came, so the same bytes
give the same rows however they were split on the way. Families that frame their rows are read by
`frames`; all others here, where line ends and silence part the rows.
"""

from scanner.mrz.layouts import WIDTHS
from scanner.said import said
from scanner.sources.families import ETX, SOH, STX, Family
from scanner.sources.frames import FrameReader, Heard, blocks_of
from scanner.sources.rowreader import SHORTEST, Complaint, RawRow, RowReader, fitted
from scanner.sources.rows import Assembly

IDLE_S = 0.25
"""Silence after which a row without a line end counts as complete."""
ROW_TIMEOUT_S = 1.0
"""Silence after which a document's missing rows are no longer waited for."""


class Deframer:
    """Takes bytes as they come and gives documents and complaints in the order of the line.

    `feed` and `poll` take a time in seconds that never goes back. `poll` is due whenever nothing
    came for a while.
    """

    def __init__(
        self, family: Family, *, idle_s: float = IDLE_S, row_timeout_s: float = ROW_TIMEOUT_S
    ) -> None:
        self._idle_s = idle_s
        self._row_timeout_s = row_timeout_s
        self._last = float("-inf")
        self._reader: FrameReader | TextReader = (
            FrameReader(family, family.framing) if family.framing else TextReader(family)
        )

    def feed(self, data: bytes, now: float) -> list[Heard]:
        """What these bytes, and the silence before them, complete."""
        heard = self.poll(now)
        for byte in data:
            heard += self._reader.byte(byte)
        if data:
            self._last = now
        return heard

    def poll(self, now: float) -> list[Heard]:
        """What silence until now completes."""
        silence = now - self._last
        heard: list[Heard] = []
        if silence >= self._idle_s:
            heard += self._reader.idle()
        if silence >= self._row_timeout_s:
            heard += self._reader.timeout()
        return heard

    def cut(self) -> list[Heard]:
        """The line was cut: what came before is all there is of it."""
        return [*self._reader.idle(), *self._reader.timeout()]


class TextReader:
    """Bytes of a family that sends bare rows, or rows within answers that tell their length."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._row = RowReader(family.unknown)
        self._assembly = Assembly()
        self._reply = False
        self._answer: _Answer | None = None

    def byte(self, byte: int) -> list[Heard]:
        if self._answer is not None:
            return self._answer_byte(self._answer, byte)
        if byte in (STX, SOH):
            return self._begin_frame(byte)
        if byte == ETX:
            return self._end_frame()
        if byte == 0 and self._begins_answer():
            self._row.clear()
            self._answer = _Answer()
            return []
        ended = self._row.take(byte)
        if ended is not None:
            self._reply = False
        return self._ended(ended)

    def idle(self) -> list[Heard]:
        """A short silence: a row of full length without a line end is complete."""
        awaited = self._assembly.length
        length = len(self._row)
        if length == awaited or (not awaited and length in WIDTHS):
            return self._ended(self._row.end())
        return []

    def timeout(self) -> list[Heard]:
        """A long silence: nothing more of this document will come."""
        heard: list[Heard] = []
        if self._answer is not None:
            body, self._answer = bytes(self._answer.body), None
            message = said("an answer was cut short: what it holds is not sure")
            heard.append(Complaint(message, damage=True))
            heard += blocks_of(body, self._family, sure=False)
        heard += self._ended(self._row.end())
        self._reply = False
        return [*heard, *self._assembly.flush()]

    def _begin_frame(self, byte: int) -> list[Heard]:
        """What stands before the start of text is a header, not a row."""
        length = len(self._row)
        self._row.clear()
        self._reply = byte == SOH
        return (
            [Complaint(said("{count} characters before a header were dropped", count=length))]
            if length
            else []
        )

    def _end_frame(self) -> list[Heard]:
        """Ends a row, or the reader's reply to a command (SOH … ETX), which is no text."""
        if self._reply:
            self._row.clear()
        self._reply = False
        return self._ended(self._row.end())

    def _ended(self, raw: RawRow | Complaint | None) -> list[Heard]:
        if raw is None:
            return []
        row = fitted(raw, self._family.unknown) if isinstance(raw, RawRow) else raw
        return [row] if isinstance(row, Complaint) else list(self._assembly.add(row))

    def _begins_answer(self) -> bool:
        """A NUL is never text: after a command's letter it is the high byte of a length."""
        text = self._row.text
        return 0 < len(text) < SHORTEST and ord(text[-1]) in self._family.answers

    def _answer_byte(self, answer: "_Answer", byte: int) -> list[Heard]:
        if not answer.take(byte):
            return []
        self._answer = None
        if not answer.body:
            return [Complaint(said("the reader found no MRZ"))]
        rows = blocks_of(bytes(answer.body), self._family, sure=True)
        return [*self._assembly.flush(), *rows]


class _Answer:
    """What follows an answer's letter and its length's high byte: the low byte, then so many."""

    def __init__(self) -> None:
        self.body = bytearray()
        self._length: int | None = None

    def take(self, byte: int) -> bool:
        """Takes one byte; true when the answer is whole."""
        if self._length is None:
            self._length = byte
        else:
            self.body.append(byte)
        return len(self.body) == self._length
