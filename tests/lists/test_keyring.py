"""Where lists' keys come from, what is refused as a key, and how well a key is kept."""

import os
import stat
from pathlib import Path

import pytest

from scanner import credentials
from scanner.watchlist.key_keeping import Grade, Machine, how_well_kept
from scanner.watchlist.keyring import (
    KeyFolders,
    KeyMissing,
    KeyUnusable,
    device_folders,
    read_keys,
    user_folder,
    with_new_key,
    write_keys,
)
from scanner.watchlist.listkey import ListKey
from tests import sealing

OLD, NEW, OTHER = (ListKey(bytes([n]) * 32) for n in (1, 2, 3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the key of the list sltd."""
    write_keys(tmp_path / "keys" / "sltd.key", [OLD])
    return tmp_path / "keys"


def missing(folders: KeyFolders, key: ListKey = OLD, name: str = "sltd") -> str:
    with pytest.raises(KeyMissing) as why:
        folders.key(name, key.id)
    told = str(why.value)
    assert "\n" not in told
    assert key.id in told
    assert f"bring {name}.key from headquarters" in told
    assert not any(one.secret.hex() in told for one in (OLD, NEW, OTHER))
    return told


def test_a_key_file_is_one_line_of_64_hexadecimal_digits_for_its_owner_alone(folder: Path) -> None:
    path = folder / "sltd.key"
    assert path.read_text() == OLD.secret.hex() + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert read_keys(path) == (OLD,)


def test_the_first_folder_that_has_the_key_gives_it(tmp_path: Path, folder: Path) -> None:
    write_keys(tmp_path / "first" / "sltd.key", [NEW])
    folders = KeyFolders([tmp_path / "none", tmp_path / "first", folder])
    assert folders.key("sltd", NEW.id) == NEW
    assert folders.key("sltd", OLD.id) == OLD
    assert folders.found("sltd", OLD.id).path == folder / "sltd.key"


def test_while_a_key_is_changed_both_are_live_and_the_manifest_says_which(folder: Path) -> None:
    new = with_new_key(folder / "sltd.key")
    folders = KeyFolders([folder])
    assert read_keys(folder / "sltd.key") == (new, OLD)
    assert folders.key("sltd", OLD.id) == OLD
    assert folders.key("sltd", new.id) == new
    assert folders.found("sltd", new.id).live == 2


def test_at_the_next_change_the_oldest_key_goes(folder: Path) -> None:
    first = with_new_key(folder / "sltd.key")
    second = with_new_key(folder / "sltd.key")
    assert read_keys(folder / "sltd.key") == (second, first)
    missing(KeyFolders([folder]))


def test_a_first_key_is_made_where_there_was_none(tmp_path: Path) -> None:
    new = with_new_key(tmp_path / "made" / "here" / "sltd.key")
    assert read_keys(tmp_path / "made" / "here" / "sltd.key") == (new,)
    assert new != with_new_key(tmp_path / "other.key")


def test_a_changed_key_file_counts_at_the_next_asking(folder: Path) -> None:
    folders = KeyFolders([folder])
    missing(folders, NEW)
    write_keys(folder / "sltd.key", [NEW, OLD])
    assert folders.key("sltd", NEW.id) == NEW


def test_a_key_that_is_nowhere_is_said_with_where_it_was_sought(tmp_path: Path) -> None:
    told = missing(KeyFolders([tmp_path / "one", tmp_path / "two"]))
    assert f"sought in {tmp_path}/one, {tmp_path}/two" in told
    assert "no folder of keys" in missing(KeyFolders([]))


def test_another_key_than_the_manifest_names_is_told_from_none(folder: Path) -> None:
    assert f"{folder}/sltd.key holds another key" in missing(KeyFolders([folder]), OTHER)


def test_each_list_has_a_key_of_its_own(folder: Path) -> None:
    missing(KeyFolders([folder]), name="national")


@pytest.mark.parametrize(
    "place", ["lists", "lists/sltd", "lists/sub/deeper"], ids=["top", "list", "below"]
)
def test_a_key_that_lies_with_the_lists_is_refused(tmp_path: Path, place: str) -> None:
    write_keys(tmp_path / place / "sltd.key", [OLD])
    folders = KeyFolders([tmp_path / place], apart_from=tmp_path / "lists")
    assert "lies with the lists and is not used; move it away" in missing(folders)


def test_a_link_does_not_hide_that_a_key_lies_with_the_lists(tmp_path: Path, folder: Path) -> None:
    lists = tmp_path / "lists"
    write_keys(lists / "sltd.key", [OLD])
    (tmp_path / "link").symlink_to(lists)
    assert "lies with the lists" in missing(KeyFolders([tmp_path / "link"], apart_from=lists))
    assert "lies with the lists" in missing(KeyFolders([lists], apart_from=tmp_path / "link"))
    (lists / "sltd.key").unlink()
    (lists / "sltd.key").symlink_to(folder / "sltd.key")
    assert KeyFolders([lists], apart_from=lists).key("sltd", OLD.id) == OLD


def test_a_refused_key_does_not_hide_a_good_one(tmp_path: Path, folder: Path) -> None:
    lists = tmp_path / "lists"
    write_keys(lists / "sltd.key", [OLD])
    found = KeyFolders([lists, folder], apart_from=lists).found("sltd", OLD.id)
    assert found.path == folder / "sltd.key"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        OLD.secret,
        OLD.secret.hex()[:-2].encode(),
        (OLD.secret.hex() + "00").encode(),
        OLD.secret.hex()[:-1].encode() + b"g\n",
        ("\n".join(key.secret.hex() for key in (OLD, NEW, OTHER))).encode(),
        "\u0660".encode() * 64,
        b"\xff" * 64,
        OLD.secret.hex().encode() + b" " * 5000,
    ],
)
def test_a_file_that_is_no_key_file_is_one_line_that_does_not_quote_it(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "sltd.key"
    path.write_bytes(content)
    with pytest.raises(KeyUnusable) as why:
        read_keys(path)
    told = str(why.value)
    assert told.startswith(f"{path}: a key")
    assert "\n" not in told
    assert told in missing(KeyFolders([tmp_path]))


def test_windows_line_ends_and_capital_digits_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "sltd.key"
    text = f"{NEW.secret.hex().upper()}\r\n{OLD.secret.hex()}\r\n"
    path.write_bytes(text.encode())
    assert read_keys(path) == (NEW, OLD)


def test_a_folder_a_pipe_or_a_circle_of_links_in_a_key_files_place_is_said(tmp_path: Path) -> None:
    folders = KeyFolders([tmp_path], apart_from=tmp_path / "lists")
    path = tmp_path / "sltd.key"
    path.mkdir()
    assert f"{path}: Is a directory" in missing(folders)
    path.rmdir()
    os.mkfifo(path)
    assert f"{path}: a key file has one key" in missing(folders)
    path.unlink()
    path.symlink_to(path)
    assert f"{path}: Too many levels of symbolic links" in missing(folders)


def test_a_key_file_that_may_not_be_read_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert f"{folder}/sltd.key: Permission denied" in missing(KeyFolders([folder]))


def test_credentials_come_first_then_what_is_configured_then_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x.service")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert device_folders(Path("/etc/keys")) == (
        Path("/run/credentials/x.service"),
        Path("/etc/borderpost/credentials"),
        Path("/etc/keys"),
        tmp_path / "borderpost" / "list-keys",
    )


def test_outside_the_service_the_desks_own_credentials_are_sought(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert device_folders()[0] == Path("/run/credentials/borderpost.service")
    assert device_folders()[-1] == user_folder()


def test_whoever_can_open_what_is_sealed_has_the_key_while_no_desk_runs(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealing.put_first(tmp_path / "programs", monkeypatch)
    monkeypatch.setattr(credentials, "SEALED", tmp_path / "sealed")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folders = KeyFolders(device_folders())
    assert f"{tmp_path}/sealed" in missing(folders)
    credentials.seal("sltd.key", (folder / "sltd.key").read_bytes())
    assert folders.key("sltd", OLD.id) == OLD
    place = folders.found("sltd", OLD.id).path
    (tmp_path / "lists").mkdir()
    kept = how_well_kept(place, tmp_path / "lists", Card("", "mmcblk0"))
    assert (kept.grade, "no TPM" in kept.said) == (Grade.POOR, True)
    place.rename(place.with_name("other.key"))
    assert "it is another machine's" in missing(folders, name="other")


@pytest.mark.parametrize("data", ["", "not/absolute"])
def test_the_users_own_folder_is_below_their_home(
    monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", data)
    monkeypatch.setenv("HOME", "/home/u")
    assert user_folder() == Path("/home/u/.local/share/borderpost/list-keys")


class Card(Machine):
    """A machine on which keys and lists lie as a test says."""

    def __init__(self, key: str, lists: str, *, memory: bool = False, tpm: bool = False) -> None:
        super().__init__()
        self._of = {"sltd.key": frozenset({key} - {""}), "lists": frozenset({lists} - {""})}
        self._memory, self._tpm = memory, tpm

    def disks_of(self, path: Path) -> frozenset[str]:
        return self._of[path.name]

    def in_memory(self, path: Path) -> bool:
        return self._memory

    def has_tpm(self) -> bool:
        return self._tpm


@pytest.fixture
def apart(tmp_path: Path) -> tuple[Path, Path]:
    """A key and a folder of lists on file systems of their own."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has no second file system to put a key on")
    (tmp_path / "lists").mkdir()
    place = memory / f"borderpost-test-{os.getpid()}" / "sltd.key"
    write_keys(place, [OLD])
    return place, tmp_path / "lists"


@pytest.fixture(autouse=True)
def _leave_nothing_in_memory() -> object:
    yield
    place = Path(f"/dev/shm/borderpost-test-{os.getpid()}")
    if place.exists():
        (place / "sltd.key").unlink(missing_ok=True)
        place.rmdir()


def test_a_key_on_the_lists_own_file_system_is_poorly_kept(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "lists").mkdir()
    kept = how_well_kept(folder / "sltd.key", tmp_path / "lists")
    assert kept.grade is Grade.POOR
    assert "same disk or card as the list" in kept.said


def test_another_partition_of_the_same_card_is_no_better(apart: tuple[Path, Path]) -> None:
    kept = how_well_kept(*apart, Card("mmcblk0", "mmcblk0"))
    assert (kept.grade, "same disk or card" in kept.said) == (Grade.POOR, True)


def test_a_key_on_another_disk_is_fairly_kept(apart: tuple[Path, Path]) -> None:
    kept = how_well_kept(*apart, Card("sda", "mmcblk0"))
    assert (kept.grade, "on another disk, sda" in kept.said) == (Grade.FAIR, True)
    kept = how_well_kept(*apart, Card("", "mmcblk0"))
    assert (kept.grade, "on another file system" in kept.said) == (Grade.FAIR, True)


def test_a_key_in_memory_alone_is_well_kept(apart: tuple[Path, Path]) -> None:
    kept = how_well_kept(*apart)
    assert (kept.grade, "in memory alone" in kept.said) == (Grade.GOOD, True)


@pytest.mark.parametrize(
    ("tpm", "grade", "said"),
    [(True, Grade.FAIR, "cannot be told from here"), (False, Grade.POOR, "has no TPM")],
)
def test_of_a_credential_only_what_can_be_known_is_said(
    apart: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tpm: bool, grade: Grade, said: str
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(apart[0].parent))
    kept = how_well_kept(*apart, Card("", "mmcblk0", memory=True, tpm=tpm))
    assert (kept.grade, said in kept.said) == (grade, True)


@pytest.mark.parametrize(
    ("mode", "wide"), [(0o600, False), (0o400, False), (0o640, False), (0o660, True), (0o644, True)]
)
def test_a_key_that_others_may_read_is_used_and_said_to_be_poorly_kept(
    apart: tuple[Path, Path], mode: int, wide: bool
) -> None:
    apart[0].chmod(mode)
    kept = how_well_kept(*apart)
    assert (kept.grade is Grade.POOR, "others of this machine" in kept.said) == (wide, wide)
    assert KeyFolders([apart[0].parent]).key("sltd", OLD.id) == OLD


@pytest.mark.parametrize("copy", ["sltd.key", "sltd/sltd.key.bak", "sltd-old.key"])
def test_a_copy_of_the_key_beside_the_list_is_found(apart: tuple[Path, Path], copy: str) -> None:
    key, lists = apart
    (lists / "sltd").mkdir()
    (lists / copy).write_text("x")
    kept = how_well_kept(key, lists)
    assert kept.grade is Grade.POOR
    assert f"a key file lies with the lists, {lists / copy}: remove it" in kept.said


def test_what_cannot_be_told_is_said_to_be_unknown(tmp_path: Path) -> None:
    kept = how_well_kept(tmp_path / "gone.key", tmp_path)
    assert (kept.grade, "cannot be told" in kept.said) == (Grade.FAIR, True)


def _kernel(root: Path, device: int, *, of: str) -> Machine:
    """A machine whose kernel says that a file system is this device of a card or a mapper."""
    block = root / "sys" / "dev" / "block"
    block.mkdir(parents=True)
    card = root / "sys" / "devices" / "mmc" / "mmcblk0"
    (card / "mmcblk0p2").mkdir(parents=True)
    (card / "mmcblk0p2" / "partition").write_text("2")
    mapped = root / "sys" / "devices" / "virtual" / "dm-0"
    (mapped / "slaves").mkdir(parents=True)
    (mapped / "slaves" / "mmcblk0p2").symlink_to(card / "mmcblk0p2")
    target = {"card": card, "partition": card / "mmcblk0p2", "mapper": mapped}[of]
    (block / f"{os.major(device)}:{os.minor(device)}").symlink_to(target)
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "mountinfo").write_text(
        f"24 1 0:99 / /a rw - ext4 /dev/x rw\n\nodd\n"
        f"25 1 {os.major(device)}:{os.minor(device)} / /b rw shared:1 - tmpfs none rw\n"
    )
    return Machine(root)


@pytest.mark.parametrize("of", ["card", "partition", "mapper"])
def test_the_disk_below_partitions_and_mappers_is_found(tmp_path: Path, of: str) -> None:
    machine = _kernel(tmp_path, tmp_path.stat().st_dev, of=of)
    assert machine.disks_of(tmp_path) == {"mmcblk0"}
    assert machine.in_memory(tmp_path)
    assert not machine.has_tpm()
    (tmp_path / "sys" / "class" / "tpm" / "tpm0").mkdir(parents=True)
    assert machine.has_tpm()


def test_a_disk_that_the_kernel_does_not_name_is_unknown(tmp_path: Path) -> None:
    assert Machine(tmp_path).disks_of(tmp_path) == frozenset()
