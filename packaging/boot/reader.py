"""Stands for a serial scanner at a device that has none: a pseudo-terminal under a name of udev's.

What is written to the pipe /run/reader comes out of it, a line as a scanner ends its lines.
"""

import grp
import os
import pty
import tty
from pathlib import Path

PORT, PIPE = Path("/dev/serial/by-id/usb-Reader-if00"), Path("/run/reader")


def main() -> None:
    scanner, port = pty.openpty()
    tty.setraw(port)
    terminal = Path(os.ttyname(port))
    os.chown(terminal, 0, grp.getgrnam("dialout").gr_gid)
    terminal.chmod(0o660)
    PORT.parent.mkdir(parents=True, exist_ok=True)
    PORT.symlink_to(terminal)
    os.mkfifo(PIPE, 0o600)
    while True:
        with PIPE.open("rb") as pipe:
            for line in pipe:
                os.write(scanner, line.rstrip(b"\n") + b"\r")


if __name__ == "__main__":
    main()
