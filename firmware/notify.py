"""Telling systemd how the daemon is: sd_notify(3), a datagram to the socket it names.

Without systemd (no NOTIFY_SOCKET in the environment) every call does nothing.
"""

import os
import socket


def notify(state: str) -> None:
    """Sends `state`, such as `READY=1`. A socket that is gone is not an error: nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.connect(address)
            sender.sendall(state.encode())
        except OSError:
            return


def watchdog_interval_s() -> float | None:
    """How often systemd wants to hear `WATCHDOG=1`: half of what it allows, or None for never."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    if not allowed.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(
        os.getpid()
    ):
        return None
    return int(allowed) / 1_000_000 / 2
