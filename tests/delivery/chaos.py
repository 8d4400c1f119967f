"""Kills devices, receivers and the broker of a whole site, cuts its links, and counts what is lost.

    python tests/delivery/chaos.py --kills 1000

Devices commit alerts all the while and write down each one's id once it is committed. A shard is
some dozens of kills (SIGKILL, at any moment and at chosen points of the code) of devices, receivers
and a Mosquitto with its default persistence, which keeps nothing; meanwhile links are dropped,
delayed, half-closed and black-holed, and an operator answers now and then. Then all is brought up,
and when the devices have told everything, every id that was written down must be at central exactly
once and shown, no sequence may have a gap, and every answer must be held at its device. Shards take
turns: SQLite and PostgreSQL, MQTT 5 and 3.1.1.

What all shards came to is added up on disk, so a torture that was stopped goes on with the next
shard. Exit code 1 at the first loss; the site's files are then left for inspection. `--forgetful`
shows that a loss is found: its receivers acknowledge before they commit.
"""

import argparse
import os
import random
import shutil
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.delivery.both_ends import Protocol
from tests.delivery.chaos_blows import VICTIMS, Blows, Rhythm, Wrong
from tests.delivery.chaos_findings import Findings, drain, find
from tests.delivery.chaos_site import Plan, Site
from tests.delivery.chaos_sums import AGAIN, ANSWERED, COMMITTED, LOST, SHARDS, TWICE, Sums
from tests.delivery.postgres import Cluster

STATE = Path("build/torture/delivery")
PROTOCOLS: tuple[Protocol, ...] = ("5", "5", "3.1.1")


def main() -> int:
    arguments = _arguments()
    sums = Sums(arguments.state / "sums.json")
    start = time.monotonic()
    try:
        with ExitStack() as stack:
            _torture(arguments, sums, _stores(arguments.store, stack))
    except Wrong as wrong:
        print(f"{arguments.state / 'site'}: {wrong}", file=sys.stderr)
        return 1
    print(f"{sums.said()}\n{time.monotonic() - start:.0f} s here")
    return 0


def _torture(arguments: argparse.Namespace, sums: Sums, stores: list[Cluster | None]) -> None:
    """Shard after shard, until there are as many kills and alerts as are wanted. Raises Wrong."""
    while sums.kills < arguments.kills or sums.counts[COMMITTED] < 10 * arguments.kills:
        left = arguments.kills - sums.kills
        kills = min(arguments.shard, left if left > 0 else arguments.kills)
        number = sums.counts[SHARDS]
        cluster = stores[number % len(stores)]
        url = None if cluster is None else cluster.database()
        sums.add(_shard(arguments, number, kills, url))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="over all runs; 10 alerts for each")
    parser.add_argument("--shard", type=int, default=50, help="kills of one shard")
    parser.add_argument("--devices", type=int, default=6)
    parser.add_argument("--receivers", type=int, default=2)
    parser.add_argument("--per-second", type=float, default=4.0, help="alerts of each device")
    parser.add_argument("--every", type=float, default=1.0, help="mean seconds between two blows")
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=[*VICTIMS])
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to drain within")
    parser.add_argument("--store", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--state", type=Path, default=STATE, help="what it came to so far")
    parser.add_argument("--seed", default="borderpost")
    parser.add_argument("--forgetful", action="store_true", help="must find a loss")
    return parser.parse_args()


def _shard(arguments: argparse.Namespace, number: int, kills: int, url: str | None) -> Counter[str]:
    """One shard, with a store at `url` or a SQLite file of its own. Raises Wrong."""
    rng = random.Random(f"{arguments.seed} {number}")  # noqa: S311 - no secret
    folder = arguments.state.resolve() / "site"
    plan = Plan(
        devices=arguments.devices,
        receivers=arguments.receivers,
        alerts_per_s=arguments.per_second,
        protocol=PROTOCOLS[number % len(PROTOCOLS)],
        url=url,
        forgetful=arguments.forgetful,
    )
    with Site(folder, plan) as site:
        blows = Blows(site, rng, Rhythm(blow_s=arguments.every, victims=tuple(arguments.victims)))
        blows.strike(kills)
        blows.mend()
        site.quiet()
        mended = time.monotonic()
        still_open = drain(site, blows.answered, arguments.patience)
        findings = find(site, blows.answered, still_open)
    if findings.faults:
        raise Wrong("; ".join(findings.faults))
    shutil.rmtree(folder)
    print(
        f"shard {number + 1} ({plan.store}, MQTT {plan.protocol}): {blows.kills} kills, "
        f"{findings.committed} alerts, drained in {time.monotonic() - mended:.1f} s",
        file=sys.stderr,
        flush=True,
    )
    return blows.sums + _counted(findings)


def _counted(findings: Findings) -> Counter[str]:
    return Counter(
        {
            COMMITTED: findings.committed,
            LOST: len(findings.lost),
            TWICE: findings.twice,
            ANSWERED: findings.answered,
            AGAIN: findings.printed_again,
            SHARDS: 1,
        }
    )


def _stores(wanted: str, stack: ExitStack) -> list[Cluster | None]:
    """What shards keep their store in, in turn; None for a SQLite file."""
    stores: list[Cluster | None] = []
    if wanted != "postgresql":
        stores.append(None)
    if wanted != "sqlite":
        stores.append(stack.enter_context(Cluster(durable=True)))
    return stores


if __name__ == "__main__":
    sys.exit(main())
