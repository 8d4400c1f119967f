"""Kills the nodes of a NATS cluster under load, one after another and then all at once, and counts
what is lost.

    python tests/delivery/nats_torture.py --rounds 10

Devices commit alerts all the while; each knows the MQTT ports of all three nodes and begins at
another one. A round is every node killed (SIGKILL) and started again in turn, then all three as
near to at once as may be. At the end every alert must be at central once and shown once, and
no sequence may have a gap. Exit code 1 where that is not so.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.delivery.both_ends import Desk, HeadOffice, wait_for
from tests.delivery.nats_cluster import NatsCluster, Node
from tests.delivery.nats_site import NatsOffice, desk_at

_DRAINED_WITHIN_S = 180.0


@dataclass(frozen=True)
class Counted:
    """What a torture came to."""

    committed: int
    lost: int
    twice: int
    shown_twice: int
    missing: int
    drained_s: float

    @property
    def is_well(self) -> bool:
        return self.committed > 0 and not (
            self.lost or self.twice or self.shown_twice or self.missing
        )

    def __str__(self) -> str:
        return (
            f"{self.committed} alerts committed: {self.lost} lost, {self.twice} twice at central, "
            f"{self.shown_twice} shown twice, {self.missing} gaps; "
            f"drained {self.drained_s:.1f} s after the last kill"
        )


@contextmanager
def load(desks: Sequence[Desk], per_s: float) -> Iterator[list[str]]:
    """Every desk commits alerts at a rate; gives the ids of all, and ends with the block."""
    ids: list[str] = []
    over = threading.Event()

    def commit(desk: Desk) -> None:
        pace = random.Random(desk.name)  # noqa: S311 - no secret
        while not over.wait(pace.expovariate(per_s)):
            ids.append(desk.raise_alert(f"X{pace.randrange(10**8):08d}"))

    threads = [threading.Thread(target=commit, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    try:
        yield ids
    finally:
        over.set()
        for thread in threads:
            thread.join()


def kill_in_turn(cluster: NatsCluster, nodes: Sequence[Node], pause_s: float = 0.0) -> None:
    """Each of these nodes, and the next when the cluster is whole again and a pause is over."""
    for node in nodes:
        node.kill()
        time.sleep(1.0)
        node.start()
        cluster.wait_until_whole()
        time.sleep(pause_s)


def kill_all(cluster: NatsCluster) -> None:
    cluster.kill()
    cluster.start()


def settle(office: HeadOffice, desks: Sequence[Desk], ids: Sequence[str]) -> Counted:
    """Waits until the devices have told everything, and compares."""
    began = time.monotonic()
    wait_for(lambda: not any(desk.outbox.queued() for desk in desks), _DRAINED_WITHIN_S)
    drained_s = time.monotonic() - began
    wait_for(lambda: len({row.id for row in office.shown}) >= len(ids), _DRAINED_WITHIN_S)
    held = Counter(office.alert_ids())
    return Counted(
        committed=len(ids),
        lost=len(set(ids) - set(held)),
        twice=held.total() - len(held),
        shown_twice=len(office.shown) - len({row.id for row in office.shown}),
        missing=sum(len(office.device(desk.name)["missing"]) for desk in desks),
        drained_s=drained_s,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--devices", type=int, default=6)
    parser.add_argument("--per-second", type=float, default=8.0, help="alerts of each device")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds after a node is back")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(NatsCluster())
        account = cluster.account()
        office = NatsOffice(folder, cluster, account, f"sqlite:///{folder}/central.db")
        stack.callback(office.store.close)
        names = [f"desk-{i}" for i in range(arguments.devices)]
        desks = [desk_at(cluster, office, account, name, i) for i, name in enumerate(names)]
        for _ in range(2):
            stack.enter_context(office.receiving())
        for desk in desks:
            stack.enter_context(desk.running())
        began = time.monotonic()
        with load(desks, arguments.per_second) as ids:
            for number in range(arguments.rounds):
                kill_in_turn(cluster, cluster.nodes, arguments.pause)
                kill_all(cluster)
                print(f"round {number + 1}: {len(ids)} alerts so far", flush=True)
        counted = settle(office, desks, ids)
    print(f"{6 * arguments.rounds} nodes killed in {time.monotonic() - began:.0f} s; {counted}")
    return 0 if counted.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
