"""A whole site as a technician sets it up by command: broker, worker, enrolment by token, TLS."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.enrolment.authority import Authority
from tests.delivery.broker import free_port, listens
from tests.delivery.site_broker import SiteBroker
from tests.desk.desk_fixture import LISTED
from tests.journeys.whole_site import DEVICE, WholeSite, wait_for


class CertifiedSite(WholeSite):
    """Its broker takes certificates alone, and the desk encrypts what it says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, free_port())
        self.authority = Authority(folder / "central-keys")
        self.broker = SiteBroker(self.authority, folder / "broker")
        self.service_port = free_port()
        self.central("enrol", "worker", "receiver-1", str(folder / "worker"))
        self._rewrite()
        self.central("enrol", "revoke", DEVICE)

    def _rewrite(self) -> None:
        worker, port = self.folder / "worker", self.broker.port
        self.central_toml.write_text(
            f'[broker]\nhost = "localhost"\nport = {port}\nca = "{worker}/ca.crt"\n'
            f'certificate = "{worker}/tls.crt"\nprivate_key = "{worker}/tls.key"\n'
            f'[store]\nurl = "sqlite:///{self.folder}/central.db"\n'
            f'[keys]\nfolder = "{self.folder}/central-keys"\n'
            f'[enrolment]\nport = {self.service_port}\nnames = ["localhost"]\n'
            f'brokers = ["{self.folder}/broker"]\n'
        )
        before, _, _ = self.device_toml.read_text().partition("[broker]")
        self.device_toml.write_text(
            f'{before}[broker]\nhost = "localhost"\nport = {port}\n'
            f'[identity]\nfolder = "{self.folder}/identity"\nencrypt = true\n'
        )

    def enrol_the_desk(self) -> None:
        """With a token, at the service, as the device's own command does it."""
        service = subprocess.Popen(self._central_line("enrol", "serve"), stderr=subprocess.DEVNULL)
        self._processes.append(service)
        wait_for(lambda: listens(self.service_port))
        url = f"https://localhost:{self.service_port}"
        done = subprocess.run(
            [sys.executable, "-m", "firmware.cli", "enrol", url, "--config", str(self.device_toml)],
            input=self.central("enrol", "token", DEVICE),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert self.stop(service) == 0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CertifiedSite]:
    with CertifiedSite(tmp_path) as one, one.broker:
        yield one


def test_enrolled_by_token_it_alerts_is_answered_and_once_revoked_is_heard_no_more(
    site: CertifiedSite,
) -> None:
    site.enrol_the_desk()
    site.start_headquarters()
    site.start_desk()
    site.scan(LISTED)
    wait_for(lambda: site.outcomes() == ["HIT"])
    wait_for(lambda: site.waiting() == 0)
    (alert,) = site.alerts()
    site.central("alerts", "answer", alert["id"], "--confirmed", "--instruction", "Hold him.")
    wait_for(lambda: "Answered by central" in site.desk_log() or _held(site))
    (device,) = [line for line in site.central("enrol", "list").splitlines() if DEVICE in line][:1]
    assert "device, enrolled until" in device

    site.central("enrol", "revoke", DEVICE)
    seen = len(site.outcomes())
    site.scan(LISTED)
    wait_for(lambda: len(site.outcomes()) > seen)
    site.broker.stop()
    site.broker.start()
    site.broker.wait_for_log("certificate verify failed")
    assert site.waiting() == 1
    assert len(site.alerts()) == 1


def _held(site: CertifiedSite) -> bool:
    """Whether the desk holds central's answer."""
    return '"held_at": "' in site.central("alerts", "--json")
