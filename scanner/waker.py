"""Lets any thread end the waiting of a thread that waits for the network with `select`."""

import socket


class Waker:
    """`reader` becomes readable with `wake` and stays so until `clear`."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)

    def wake(self) -> None:
        """For any thread."""
        try:
            self._writer.send(b"\0")
        except OSError:  # as many bytes wait as fit, or there is nobody to wake any more
            return

    def clear(self) -> None:
        """For the thread that waits."""
        try:
            while self.reader.recv(4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Lets go of both ends."""
        self.reader.close()
        self._writer.close()
