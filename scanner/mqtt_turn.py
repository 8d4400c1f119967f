"""One turn of an MQTT client that a thread of ours drives, for both ends.

paho-mqtt can leave the waiting to a foreign event loop. Here that loop is one step at a time: wait
for the network or for a `wake`, and let the client handle what there is. By `poll`, for a process
can have more files open than `select` takes.
"""

import select
import socket
from typing import Any

from scanner.waker import Waker


def send_at_once(_client: Any, _userdata: Any, sock: Any) -> None:
    """For a client's `on_socket_open`: each packet leaves when it is written. Otherwise the kernel
    holds a second small one back until the first is acknowledged (Nagle), which the other end
    delays by up to 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def turn(client: Any, waker: Waker, wait_s: float) -> bool:
    """Waits at most `wait_s` seconds and handles what there is; whether the client still has its
    connection. `client` is a paho.mqtt.client.Client; its callbacks are called in here."""
    sock: Any = client.socket()
    if sock is None:
        return False
    buffered = getattr(sock, "pending", None)
    if buffered is not None and buffered() > 0:
        wait_s = 0.0
    poll = select.poll()
    poll.register(waker.reader, select.POLLIN)
    poll.register(sock, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
    network, woken = sock.fileno(), waker.reader.fileno()
    events = dict(poll.poll(max(0.0, wait_s) * 1000))
    if woken in events:
        waker.clear()
    happened = events.get(network, 0)
    failed = 0
    if happened & ~select.POLLOUT or wait_s == 0.0:
        failed = client.loop_read()
    if happened & select.POLLOUT and not failed:
        failed = client.loop_write()
    return not (failed or client.loop_misc())
