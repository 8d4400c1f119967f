"""Headquarters and devices at a NATS cluster."""

import json
from dataclasses import replace
from pathlib import Path

from central.receiving.inflow import Source
from central.receiving.nats_inflow import nats_sources
from central.settings import load
from firmware.delivery.link import Address
from tests.delivery.both_ends import Desk, HeadOffice
from tests.delivery.nats_cluster import PASSWORD, NatsCluster


class NatsOffice(HeadOffice):
    """Headquarters that listens at a cluster, in one of its accounts."""

    def __init__(self, folder: Path, cluster: NatsCluster, account: str, url: str) -> None:
        super().__init__(folder, 1, "3.1.1", url)
        password = folder / "password"
        password.write_text(PASSWORD)
        with self.config.open("a") as config:
            config.write(
                f"[nats]\nservers = {json.dumps([node.url for node in cluster.nodes])}\n"
                f'username = "{account}"\npassword_file = "{password}"\n'
            )

    def sources(self) -> list[Source]:
        return nats_sources(load(self.config).nats, PASSWORD)


def desk_at(
    cluster: NatsCluster, office: HeadOffice, account: str, name: str, first: int = 0
) -> Desk:
    """A device that speaks to one node first, and knows the others."""
    keys = office.enrol(name)
    ports = [node.mqtt for node in cluster.nodes]
    ports = ports[first % len(ports) :] + ports[: first % len(ports)]
    one = Desk(office.folder / name, name, keys, ports[0], "3.1.1")
    one.link = replace(
        one.link,
        others=tuple(Address("127.0.0.1", port) for port in ports[1:]),
        keepalive_s=5,
        username=account,
        password=PASSWORD,
    )
    return one
