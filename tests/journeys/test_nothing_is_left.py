"""A document that hit nothing leaves nothing behind, whichever way it came and whatever failed: in
no file of the device, no log however talkative, no temporary folder."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from firmware.officers.officers import Officers
from firmware.officers.roles import Role
from tests.delivery.broker import free_port
from tests.desk.desk_fixture import CLEAN, LISTED
from tests.desk.traces import forms, traces
from tests.journeys.whole_site import WholeSite, wait_for

PICTURED = [one for one in SPECIMENS if "04-" in one.file or "01-" in one.file]
WRONG_DIGIT = (CLEAN[0], f"{CLEAN[1][:9]}{(int(CLEAN[1][9]) + 3) % 10}{CLEAN[1][10:]}")
DOUBTFUL = (CLEAN[0], CLEAN[1].replace("U71B", "U?1B"))
ODD = ("LINDQVIST ASTRID U71B40952",)
BADGE = "0077123456"
SAID = [*CLEAN, CLEAN[1][:10], "U71B40952", "LINDQVIST", "ASTRID", "860314", "1986-03-14", "341120"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WholeSite]:
    """A desk without its broker, that tells all it can: with a page, and temporary and home
    folders of its own."""
    for variable, name in (("TMPDIR", "tmp"), ("HOME", "home"), ("XDG_CACHE_HOME", "cache")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    with WholeSite(tmp_path, free_port()) as one:
        yield one


def test_documents_that_hit_nothing_leave_nothing(site: WholeSite, tmp_path: Path) -> None:
    pictures, port = tmp_path / "pictures", free_port()
    pictures.mkdir()
    for specimen in PICTURED:
        shutil.copy(SPECIMENS_FOLDER / specimen.file, pictures)
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff" + "\n".join(CLEAN).encode())
    site.add_source(
        f'[[sources]]\nkind = "folder"\nname = "pictures"\npath = "{pictures}"\n'
        f'[officers]\nsign_in = "badge"\nfile = "{tmp_path}/data/officers.json"\n'
        f'[log]\nlevel = "debug"\n[kiosk]\nenabled = true\nport = {port}\n'
    )
    looked_at = [tmp_path / name for name in ("data", "tmp", "home", "cache", "desk.log")]
    words = [*SAID, BADGE, *(line[:9] for one in PICTURED for line in one.lines)]
    for document in (one.document for one in PICTURED if one.document):
        words += [document.number, document.surname, *document.given_names.split()]
    Officers(tmp_path / "data" / "officers.json").add("17", Role.OFFICER, badge=BADGE)
    desk = site.start_desk()
    page = f"http://127.0.0.1:{port}"
    with (
        httpx.Client(base_url=page, headers={"Origin": page}, timeout=20) as officer,
        officer.stream("GET", "/kiosk/events") as events,
    ):
        told = events.iter_text()
        next(told)
        wait_for(lambda: len(site.outcomes()) == 3)
        for number, document in enumerate((CLEAN, WRONG_DIGIT, DOUBTFUL), start=4):
            site.scan(document)
            wait_for(lambda number=number: len(site.outcomes()) == number)
        site.scan(ODD)
        locked = officer.get("/kiosk/state").json()
        assert (locked["state"], locked["document"]) == ("locked", None)
        refused = officer.post("/kiosk/typed", json={"lines": CLEAN})
        assert refused.status_code == 403
        site.scan((BADGE,))
        wait_for(lambda: officer.get("/kiosk/state").json()["officer"])
        officer.post("/kiosk/typed/check", json={"lines": CLEAN}).raise_for_status()
        officer.post("/kiosk/typed", json={"lines": CLEAN}).raise_for_status()
        wait_for(lambda: len(site.outcomes()) == 7)
        # The page itself shows it.
        wait_for(lambda: "LINDQVIST" in next(told))
        officer.post("/kiosk/typed", json={"lines": ["LINDQVIST"] * 9})
        officer.post("/kiosk/typed", content=b'{"lines": "LINDQVIST')
    assert set(site.outcomes()) == {"CLEAR", "FAULT", "LOOK_CLOSER", "READ_AGAIN"}
    assert traces(looked_at, words) == []

    site.scan(LISTED)
    wait_for(lambda: site.outcomes()[-1] == "HIT")
    desk.terminate()
    assert desk.wait(20) == 0
    assert traces(looked_at, words) == []
    found = traces(looked_at, ["L898902C3", "ERIKSSON"])
    assert {line.partition(" in ")[2] for line in found} <= {
        str(tmp_path / "data" / name) for name in ("outbox.db", "outbox.db-wal")
    }
    assert found, "what is looked for would be found"


def test_what_is_looked_for_is_found_in_every_form() -> None:
    for text in ("LINDQVIST", "lindqvist", "U71B40952"):
        assert text.encode() in forms(text)
    for around in ("", "x", "xy", "xyz"):
        hidden = base64.urlsafe_b64encode(f"{around}LINDQVIST{around}".encode())
        assert any(form in hidden for form in forms("LINDQVIST"))
