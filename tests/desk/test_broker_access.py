"""From the settings to the brokers: TLS unless it is left out by name, and one clear line where the
device cannot get at them."""

from pathlib import Path

import pytest

from central.enrolment.authority import Authority
from firmware.delivery.broker_access import link_of
from firmware.delivery.link import Address
from firmware.identity.identity import Identity
from firmware.settings import BrokerSettings
from scanner.alert import KeyFault


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    Authority(tmp_path / "keys").enrol("desk-1", tmp_path / "desk-1")
    return Identity(tmp_path / "desk-1")


def test_tls_is_by_the_certificate_of_enrolment_unless_it_is_left_out_by_name(
    identity: Identity,
) -> None:
    assert link_of("desk-1", BrokerSettings(), identity).tls == identity.tls
    assert link_of("desk-1", BrokerSettings(tls=False), identity).tls is None


def test_a_device_without_a_certificate_does_not_fall_back_to_a_plain_connection(
    identity: Identity,
) -> None:
    (identity.folder / "tls.crt").unlink()
    bare = Identity(identity.folder)
    with pytest.raises(KeyFault, match="there is no certificate for the broker; enrol the device"):
        link_of("desk-1", BrokerSettings(), bare)
    assert link_of("desk-1", BrokerSettings(tls=False), bare).tls is None
    root = identity.folder / "ca.crt"
    tls = link_of("desk-1", BrokerSettings(ca=root), bare).tls
    assert tls is not None
    assert tls().check_hostname


def test_the_brokers_are_those_of_the_settings_in_their_order(identity: Identity) -> None:
    settings = BrokerSettings(host="a.example", others=("b.example:1883", "[fd00::2]:8883"))
    link = link_of("desk-1", settings, identity)
    assert link.addresses == (
        Address("a.example", 8883),
        Address("b.example", 1883),
        Address("fd00::2", 8883),
    )
    assert link.client_id == "desk-1"


def test_a_password_file_that_is_no_text_is_said_in_one_line(
    tmp_path: Path, identity: Identity
) -> None:
    (tmp_path / "password").write_bytes(b"\xff\xfe\x00")
    settings = BrokerSettings(password_file=tmp_path / "password")
    with pytest.raises(KeyFault, match="this is no text; put the broker's password there"):
        link_of("desk-1", settings, identity)


def test_a_sealed_password_comes_before_the_one_in_the_clear(
    tmp_path: Path, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = BrokerSettings(password_file=tmp_path / "password")
    clear, sealed = "in the clear\n", "sealed\n"
    (tmp_path / "password").write_text(clear)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "opened"))
    assert link_of("desk-1", settings, identity).password == clear.strip()
    (tmp_path / "opened").mkdir()
    (tmp_path / "opened" / "borderpost_broker.password").write_text(sealed)
    (tmp_path / "password").unlink()
    assert link_of("desk-1", settings, identity).password == sealed.strip()
