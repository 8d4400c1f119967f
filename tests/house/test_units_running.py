"""The units under a real systemd, hardened as they are, on a machine whose root is read-only, with
/tmp in memory and no network: the desk gets its sealed secrets, takes timesyncd's word for the
clock, reads pictures, keeps its record, is watched, and says of itself what the doctor passes on;
the browser shows its page."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from central.enrolment.authority import Authority
from firmware.demo.catalogue import SPECIMENS_FOLDER
from firmware.identity.files import seal_in_place
from firmware.identity.seal import new_secret
from scanner.watchlist.keyring import write_keys
from tests.desk.desk_fixture import HEADER
from tests.house.under_systemd import CannotBoot, booted, why_not
from tests.listing import KEY, built

CONFIG = """
[device]
name = "desk-1"
site = "Utopia"
[[sources]]
kind = "folder"
name = "pages"
path = "/var/lib/borderpost/pages"
[lists]
[[lists.use]]
name = "sltd"
[broker]
host = "127.0.0.1"
tls = false
[clock]
grace_hours = 0
[kiosk]
enabled = true
"""
"""Without grace it counts who set the clock, not for how long the machine under this one runs."""
SCRIPT = """
mkdir -p /run/systemd/timesync
touch /run/systemd/timesync/synchronized
cp /out/site/{seatd,doctor}.service /etc/systemd/system/
mkdir /etc/systemd/system/borderpost-kiosk.service.d
cp /out/site/browser.conf /etc/systemd/system/borderpost-kiosk.service.d/
printf '[Service]\\nWatchdogSec=4\\n' >/etc/systemd/system/borderpost.service.d/watchdog.conf
sealed=/etc/borderpost/credentials
systemd-creds encrypt --name=borderpost_identity.seal /out/site/identity.seal $sealed/identity.seal
systemd-creds encrypt --name=borderpost_sltd.key /etc/borderpost/list-keys/sltd.key $sealed/sltd.key
rm /etc/borderpost/list-keys/sltd.key
touch $sealed/.sltd.key.cut-short
mount --bind /var/lib/borderpost /var/lib/borderpost
mount -o remount,bind,ro /
touch /etc/written 2>/dev/null || echo '"the root is read-only"'
systemctl daemon-reload
systemctl start borderpost.service && echo '"ready"'
until_it_holds grep -q 'desk: CLEAR' /out/log && echo '"read"'
systemctl start borderpost-kiosk.service
until_it_holds grep -q '<title>Borderpost' /out/browser && echo '"shown"'
main() { systemctl show --property=MainPID --value borderpost.service; }
first=$(main)
grep -E 'NoNewPrivs|Seccomp:|CapBnd' /proc/$first/status | tr -d '\\t' | sed 's/.*/"&"/'
until_it_holds test -s /run/borderpost/health.json
borderpost=/opt/borderpost/bin/borderpost
systemctl start doctor.service
cat /out/doctor
systemctl start borderpost-update.service && echo '"passed over"'
systemctl start borderpost-scrub.service && echo '"scrubbed"'
kill -STOP $first
until_it_holds sh -c "test \\$(systemctl show --property=NRestarts --value borderpost.service) != 0"
until_it_holds systemctl is-active --quiet borderpost.service && echo '"started again"'
systemctl stop borderpost.service && test ! -e /run/borderpost && echo '"stopped"'
$borderpost journal verify >/dev/null && echo '"the journal holds"'
"""
DOCTOR = """
[Service]
Type=oneshot
SuccessExitStatus=1
User=borderpost
ProtectClock=yes
ExecStart=/opt/borderpost/bin/borderpost doctor --json
StandardOutput=file:/out/doctor
"""
"""Like the desk it may not ask the kernel, which is the kernel of the machine under this one."""
SEATD = "[Service]\nType=oneshot\nExecStart=/bin/true\nRemainAfterExit=yes\n"
BROWSER = """
[Unit]
ConditionPathExistsGlob=
[Service]
Restart=no
StandardOutput=file:/out/browser
ExecStart=
ExecStart=/usr/bin/chromium --headless=new --user-data-dir=/run/borderpost-kiosk/profile \\
  --disable-gpu --no-first-run --timeout=5000 --dump-dom http://127.0.0.1:8711/
"""
"""Without a screen there is no compositor either; Chromium's own sandbox is as it would be."""

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A device's files, in the folder of a machine that is to be booted; its keys are sealed."""
    data = tmp_path / "site" / "data"
    source = tmp_path / "sltd.csv"
    source.write_text(HEADER + "UTO,L898902C3,,passport,stolen,2026-01-05,R-1\n")
    built(source, data / "lists", "sltd", as_of=datetime.now(UTC))
    write_keys(tmp_path / "site" / "list-keys" / "sltd.key", [KEY])
    Authority(tmp_path / "central").enrol("desk-1", data / "identity")
    (tmp_path / "site" / "identity.seal").write_bytes(new_secret())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "site"))
    assert seal_in_place(data / "identity")
    (data / "pages").mkdir()
    shutil.copy(SPECIMENS_FOLDER / "01-passport.jpg", data / "pages")
    (tmp_path / "site" / "borderpost.toml").write_text(CONFIG)
    (tmp_path / "site" / "seatd.service").write_text(SEATD)
    (tmp_path / "site" / "doctor.service").write_text(DOCTOR)
    (tmp_path / "site" / "browser.conf").write_text(BROWSER)
    return tmp_path


@pytest.mark.timeout(240)
def test_the_desk_works_behind_its_walls_and_is_started_again_when_it_hangs(site: Path) -> None:
    try:
        said = booted(site, SCRIPT)
    except CannotBoot as cannot:
        pytest.skip(f"no systemd can be booted here: {cannot}")
    lines = [json.loads(line) for line in said.splitlines()]
    told = [line for line in lines if isinstance(line, str)]
    log = (site / "log").read_text()
    assert told == [
        "the root is read-only",
        "ready",
        "read",
        "shown",
        "CapBnd:0000000000000000",
        "NoNewPrivs:1",
        "Seccomp:2",
        "passed over",
        "scrubbed",
        "started again",
        "stopped",
        "the journal holds",
    ], f"{(site / 'errors').read_text()}\n{log}"
    checks = {line["check"]: line for line in lines if isinstance(line, dict)}
    assert checks["desk"]["line"].startswith("it runs")
    assert checks["lists"]["state"] == "ok"
    assert {checks[one]["state"] for one in ("configuration", "reader", "identity")} == {"ok"}
    assert checks["list_keys"]["line"].startswith("sltd: the key is at hand in /run/credentials/")
    assert "sltd, version 1: whole" in log
    assert "Traceback" not in log
