"""Headquarters as one file, and back: nothing is missing, and nothing is written over."""

import shutil
import stat
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.cli import app
from central.store.store import Answer, Received, Store
from scanner.alert import AnswerOutcome, Event, Message, new_id, source_of
from scanner.command_line import run_command
from tests.delivery.both_ends import NOW, HeadOffice, alert, over_both_databases
from tests.delivery.postgres import Cluster

Run = Callable[..., str]


@pytest.fixture
def central(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command of headquarters, and gives what it prints."""

    def run(*arguments: object, code: int = 0) -> str:
        monkeypatch.setattr("sys.argv", ["borderpost-central", *map(str, arguments)])
        assert run_command(app, "borderpost-central") == code, capsys.readouterr().err
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


@pytest.fixture
def site(office: HeadOffice) -> HeadOffice:
    """Headquarters with two devices, an alert that is answered, a broker and a password."""
    folder = office.folder
    for name in ("desk-1", "desk-2"):
        office.enrol(name)
    event = Event(Message.ALERT, new_id(), source_of("desk-1"), NOW, alert(), new_id(), 1)
    office.store.commit([Received("desk-1", event, b"signed")], datetime.now(UTC))
    until = datetime.now(UTC) + timedelta(days=1)
    confirmed = Answer(event.id, AnswerOutcome.CONFIRMED, "Hold him.", until, "ada")
    office.store.answer(confirmed, datetime.now(UTC))
    (folder / "password").write_text("secret\n")
    (folder / "password").chmod(0o600)
    (folder / "mosquitto").mkdir()
    for name in ("mosquitto.conf", "acl", "tls.key"):
        (folder / "mosquitto" / name).write_text(name)
    (folder / "mosquitto" / "data").mkdir()
    (folder / "mosquitto" / "data" / "mosquitto.db").write_text("sessions")
    with office.config.open("a") as config:
        config.write(f'[enrolment]\nbrokers = ["{folder}/mosquitto"]\n')
    text = office.config.read_text()
    named = f'username = "central"\npassword_file = "{folder}/password"\n[store]'
    office.config.write_text(text.replace("[store]", named, 1))
    return office


def lose_everything(site: HeadOffice, cluster: Cluster | None) -> dict[str, bytes]:
    """Takes headquarters away, and gives what its files held."""
    site.store.close()
    kept = ("keys", "mosquitto", "password", "central.toml")
    held = {
        str(path.relative_to(site.folder)): path.read_bytes()
        for path in sorted(site.folder.rglob("*"))
        if path.is_file() and path.relative_to(site.folder).parts[0] in kept
    }
    for name in (*kept, "central.db", "central.db-wal", "central.db-shm"):
        path = site.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if cluster is not None:
        cluster.recreate(site.url)
    return held


@over_both_databases
def test_a_lost_headquarters_comes_back_from_one_file(
    site: HeadOffice, central: Run, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    postgresql = site.url.startswith("postgresql")
    (before,) = site.store.all_alerts()
    said = central("backup", tmp_path / "copy", "--config", site.config)
    assert "1 alerts, 2 devices" in said
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    checked = central("restore", tmp_path / "copy", "--check", "--config", site.config)
    assert "of 2 devices" in checked
    held = lose_everything(site, request.getfixturevalue("postgresql") if postgresql else None)

    said = central("restore", tmp_path / "copy", "--config", site.config)
    assert "(alerts: 1)" in said
    for name, content in held.items():
        known = name.endswith(("/lock", "/.lock")) or "/data/" in name
        assert known or (site.folder / name).read_bytes() == content, name
    assert not (site.folder / "mosquitto/data").exists()
    assert stat.S_IMODE((site.folder / "keys/central.jwk").stat().st_mode) == 0o600
    store = Store(site.url)
    (after,) = store.all_alerts()
    (answer,) = store.answers_to(after.id)
    store.close()
    assert after == before
    assert (answer["outcome"], answer["by"]) == ("confirmed", "ada")
    assert "restored from a backup" in central("audit", "list", "--config", site.config)
    assert "holds" in central("audit", "verify", "--config", site.config)


def test_nothing_is_written_over_and_a_part_can_come_back_alone(
    site: HeadOffice, central: Run, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    central("backup", copy, "--config", site.config)
    assert "is there already" in central("backup", copy, "--config", site.config, code=1)
    assert "is there already" in central("restore", copy, "--config", site.config, code=1)
    shutil.move(site.folder / "keys", tmp_path / "aside")
    refused = central("restore", copy, "--config", site.config, code=1)
    assert "is there already" in refused
    assert not (site.folder / "keys").exists()
    central("restore", copy, "--only", "keys", "--config", site.config)
    assert (site.folder / "keys/authority/root.key").exists()
    store = central("restore", copy, "--only", "store", "--config", site.config, code=1)
    assert "there is a store already" in store
    assert "--only is one of" in central("restore", copy, "--only", "x", code=2)


def test_a_folder_keeps_the_newest_and_another_machine_may_keep_all_elsewhere(
    site: HeadOffice, central: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in ("20260101T000000Z", "20260102T000000Z"):
        (folder / f"central-{day}.backup").touch()
    (folder / "somebody's own").touch()
    said = central("backup", folder, "--keep", "2", "--config", site.config)
    assert "central-20260101T000000Z.backup: removed" in said
    copy = max(folder.glob("central-*"))
    assert len(list(folder.iterdir())) == 3
    new = tmp_path / "new"
    new.mkdir()
    config = new / "central.toml"
    config.write_text(
        f'[store]\nurl = "sqlite:///{new}/here.db"\n[keys]\nfolder = "{new}/own-keys"\n'
    )
    said = central("restore", copy, "--config", config)
    assert "files/broker.password_file: this machine's configuration names no place" in said
    assert (new / "own-keys/devices/desk-2.pub.jwk").exists()
    assert central("alerts", "--config", config).count("\n") == 1


def damaged(copy: Path, how: str) -> Path:
    """A backup that is not what it was."""
    other = copy.with_name(how)
    content = copy.read_bytes()
    if how == "cut":
        other.write_bytes(content[: len(content) // 2])
    elif how == "foreign":
        other.write_bytes(b"no backup at all")
    elif how == "bit":
        place = len(content) // 3
        flipped = bytes([content[place] ^ 1])
        other.write_bytes(content[:place] + flipped + content[place + 1 :])
    else:
        with tarfile.open(copy) as old, tarfile.open(other, "w:gz") as new:
            for member in old:
                if how == "unfinished" and member.name == "contents.json":
                    continue
                if how == "other key" and member.name == "keys/central.jwk":
                    member.size -= 1
                if how == "escaping" and member.name == "keys/central.jwk":
                    member.name = "keys/../../outside"
                new.addfile(member, old.extractfile(member))
    return other


def test_a_backup_that_is_not_what_was_made_brings_nothing_back(
    site: HeadOffice, central: Run, tmp_path: Path
) -> None:
    central("backup", tmp_path / "copy", "--config", site.config)
    config = tmp_path / "nowhere" / "central.toml"
    for how in ("cut", "bit", "foreign", "unfinished", "other key", "escaping"):
        other = damaged(tmp_path / "copy", how)
        for more in ((), ("--check",)):
            said = central("restore", other, *more, "--config", config, code=1)
            assert said.count("\n") == 1, how
    assert not config.parent.exists()
    assert not (tmp_path / "outside").exists()
