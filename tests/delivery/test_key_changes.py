"""The authority's own key and the one that devices encrypt to change under way, and nobody who
followed notices."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from central.brokers import files as broker_files
from central.enrolment.authority import Authority
from central.enrolment.certificates import Sort
from central.enrolment.enrolling import Enrolment, EnrolmentRefused
from firmware.identity.enrolling import renewal, take_renewal
from firmware.identity.identity import Identity
from scanner.alert import Event, Message, Refused, StatusData, new_id, seal, source_of, topic_of
from tests.delivery.site_broker import Client, SiteBroker
from tests.delivery.site_broker import Refused as NotConnected
from tests.delivery.test_enrolment import run


class Site:
    """An authority with devices that are enrolled by hand, and its broker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "keys")
        self.enrolment = Enrolment(
            self.authority,
            folder / "keys/authority",
            on_change=lambda: print(broker_files.refresh(self.authority, folder / "broker")),
        )
        self.identities = {name: self.enrol(name) for name in ("desk-1", "desk-2", "desk-3")}
        self.broker = SiteBroker(self.authority, folder / "broker")
        self.config = folder / "central.toml"
        self.config.write_text(
            f'[keys]\nfolder = "{folder}/keys"\n[store]\nurl = "sqlite:///{folder}/central.db"\n'
            f'[enrolment]\nbrokers = ["{folder}/broker"]\n'
        )

    def enrol(self, name: str) -> Identity:
        self.authority.enrol(name, self.folder / name)
        return Identity(self.folder / name, conceals=True)

    def keys(self, *arguments: str, code: int = 0) -> str:
        return run("central", "keys", *arguments, "--config", str(self.config), code=code)

    def renew(self, name: str) -> None:
        """The device renews, as it does by itself at two thirds of its certificate's time."""
        pending, message = renewal(self.identities[name], name)
        take_renewal(self.identities[name], pending, self.enrolment.renew(message))

    def restart_broker(self) -> None:
        """With a new certificate, as `broker config` gives it."""
        self.broker.stop()
        issue = broker_files.issue_server
        issue(self.authority, "localhost", ["localhost", "127.0.0.1"], self.broker.folder)
        self.broker.start()

    def connects(self, name: str) -> bool:
        try:
            with Client(self.broker.port, self.folder / name):
                return True
        except NotConnected:
            return False

    def says(self, name: str) -> bytes:
        """A signed message of a device, as the broker sees it."""
        identity = self.identities[name]
        said = StatusData(online=True, boot=1, connection=1, revision=1)
        event = Event(Message.STATUS, new_id(), source_of(name), datetime.now(UTC), said)
        return identity.conceal(seal(event, identity.signing))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path)
    with one.broker:
        yield one


def issuer_of(path: Path) -> x509.Name:
    return x509.load_pem_x509_certificate(path.read_bytes()).issuer


def make_old(site: Site, *names: str) -> None:
    """These have their certificates from some days before whatever comes now."""
    for name in names:
        path = site.folder / "keys/authority/device" / f"{name}.json"
        text = path.read_text()
        until = site.authority.certificates.issued(Sort.DEVICE)[name]
        path.write_text(text.replace(str(until), str(until - 3 * 86400)))


def an_hour_ago(path: Path) -> None:
    """The file was written then: certificates know whole seconds."""
    at = path.stat().st_mtime - 3600
    os.utime(path, (at, at))


def test_the_authoritys_key_changes_and_whoever_followed_stays_connected(site: Site) -> None:
    make_old(site, "desk-1", "desk-2", "desk-3")
    first = issuer_of(site.folder / "desk-1/tls.crt")
    assert "fingerprint" in site.keys("rotate", "--of", "authority")
    assert "already" in site.keys("rotate", "--of", "authority", code=1)
    site.restart_broker()
    assert site.connects("desk-2")
    site.renew("desk-1")
    site.renew("desk-3")
    assert issuer_of(site.folder / "desk-1/tls.crt") == first
    assert (site.folder / "desk-1/ca.crt").read_text().count("BEGIN CERTIFICATE") == 2
    told = site.keys("status", "--of", "authority")
    assert "desk-1: holds it" in told
    assert "desk-2: does not hold it" in told
    assert "1 devices do not hold" in site.keys("finish", "--of", "authority", code=1)

    site.keys("finish", "--of", "authority", "--without-waiting")
    site.restart_broker()
    assert issuer_of(site.broker.folder / "tls.crt") != first
    assert site.connects("desk-1")
    assert not site.connects("desk-2")
    site.identities["desk-4"] = site.enrol("desk-4")
    assert site.connects("desk-4")
    site.enrolment.withdraw("desk-3")
    site.restart_broker()
    assert not site.connects("desk-3")

    an_hour_ago(site.folder / "keys/authority/before/root.crt")
    make_old(site, "desk-1")
    assert "desk-1, desk-2" in site.keys("forget", "--of", "authority", code=1)
    site.renew("desk-1")
    site.keys("forget", "--of", "authority", "--without-waiting")
    site.restart_broker()
    assert site.connects("desk-1")
    site.renew("desk-1")
    assert (site.folder / "desk-1/ca.crt").read_text().count("BEGIN CERTIFICATE") == 1
    assert site.connects("desk-1")
    with pytest.raises(EnrolmentRefused, match="does not count here"):
        site.renew("desk-2")


def test_a_change_of_the_authority_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    certificates = Authority(tmp_path / "keys").certificates
    certificates.make("Utopia Border", ["border.example"])
    certificates.announce()
    following = certificates.roots.following()
    assert following is not None
    folder = tmp_path / "keys/authority"
    (folder / "root.key").write_bytes((folder / "next/root.key").read_bytes())
    assert certificates.finish() == following.fingerprint
    assert certificates.roots.present().fingerprint == following.fingerprint
    names = following.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    assert [str(one.value) for one in names.permitted_subtrees or ()] == ["border.example"]


def test_the_key_that_devices_encrypt_to_changes_with_their_next_renewal(site: Site) -> None:
    make_old(site, "desk-1", "desk-2", "desk-3")
    topic, group = topic_of(Message.STATUS, "desk-1"), site.authority.group("central")
    site.keys("rotate", "--of", "encryption")
    before = site.says("desk-1")
    assert site.authority.unseal(topic, before).source == source_of("desk-1")
    assert "still kept" in site.keys("rotate", "--of", "encryption", code=1)
    assert "desk-1, desk-2, desk-3" in site.keys("forget", "--of", "encryption", code=1)
    for name in site.identities:
        site.renew(name)
    an_hour_ago(site.folder / "keys/central.enc.jwk")
    site.keys("forget", "--of", "encryption")
    assert site.authority.unseal(topic, site.says("desk-1")).source == source_of("desk-1")
    with pytest.raises(Refused):
        site.authority.unseal(topic, before)
    assert site.authority.group("central") == group
