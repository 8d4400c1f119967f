"""A machine of its own under a real systemd: this one's files, in namespaces, with our units."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOT = Path(__file__).with_suffix(".sh")
SYSTEMD = Path("/lib/systemd/systemd")
_CANNOT = 99
_WITHIN_S = 200
_APART = ("--mount", "--fork", "--kill-child", "--uts", "--net", "--ipc")


def why_not() -> str:
    """Why no systemd can be booted here, or nothing."""
    if os.geteuid() != 0:
        return "only root can boot a systemd in namespaces"
    if not SYSTEMD.exists() or shutil.which("unshare") is None:
        return "systemd or unshare is missing (Debian: apt-get install systemd util-linux)"
    command = ["unshare", *_APART, "--pid", "--cgroup", "true"]
    apart = subprocess.run(command, capture_output=True, check=False)
    return "" if apart.returncode == 0 else "this machine makes no namespaces"


class CannotBoot(Exception):
    """This machine mounts no overlay, or has no cgroups of the second version."""


def booted(folder: Path, script: str) -> str:
    """What `script` prints on a freshly booted machine, where `folder`/site has been put to where
    the desk looks for its things. Raises CannotBoot."""
    (folder / "script").write_text(f"{_PREPARE}{script}")
    packages = sysconfig.get_paths()["purelib"]
    command = [
        "unshare",
        *_APART,
        "bash",
        str(BOOT),
        str(folder),
        str(ROOT),
        sys.base_prefix,
        packages,
    ]
    with (folder / "console").open("wb") as console:
        done = subprocess.run(
            command, stdout=console, stderr=console, timeout=_WITHIN_S, check=False
        )
    if done.returncode == _CANNOT:
        raise CannotBoot((folder / "console").read_text()[-300:])
    return (folder / "said").read_text()


_PREPARE = """
systemd-sysusers && systemd-tmpfiles --create /usr/lib/tmpfiles.d/borderpost.conf || exit 1
cp -r /out/site/data/. /var/lib/borderpost/
cp /out/site/borderpost.toml /etc/borderpost/
install -m 0640 -o root -g borderpost /out/site/list-keys/* /etc/borderpost/list-keys/
chown -R borderpost: /var/lib/borderpost
for unit in borderpost borderpost-update borderpost-scrub; do
  mkdir -p /etc/systemd/system/$unit.service.d
  printf '[Service]\\nStandardOutput=append:/out/log\\nStandardError=append:/out/log\\n' \
    >/etc/systemd/system/$unit.service.d/log.conf
done
systemctl daemon-reload
until_it_holds() { for n in $(seq 200); do "$@" && return 0; sleep 0.3; done; return 1; }
"""
