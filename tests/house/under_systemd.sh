#!/bin/bash
# Boots Debian's systemd with our units, in namespaces of its own over an overlay of this machine's files:
# whatever happens there is gone afterwards, and nothing of this machine is touched. Run by
# `under_systemd.py`, in new mount, network, IPC and UTS namespaces.
#
# $1: a folder with `site/` (what goes to /etc/borderpost and /var/lib/borderpost) and `script`, which runs
# there as root; its output becomes `said`. $2: this repository. $3: Python's prefix. $4: Python's packages.
set -eu
here=$1 repository=$2 python=$3 packages=$4
base=$here/base

# First a control group of its own, which is taken away again; then all over again within it.
if [ "${5:-}" != within ]; then
  mkdir -p "$here/groups" "$base"
  mount -t cgroup2 cgroup2 "$here/groups" || exit 99
  group=$here/groups/borderpost-try-$$
  mkdir "$group" || exit 99
  status=0
  bash -c 'echo 0 >"$1/cgroup.procs"; shift; exec unshare --mount --cgroup --pid --fork --kill-child bash "$@"' \
    - "$group" "$0" "$here" "$repository" "$python" "$packages" within || status=$?
  for _ in {1..50}; do # what was in it may still be ending
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.1
  done
  exit $status
fi

mount -t tmpfs tmpfs "$base"
mkdir "$base"/{up,work,root}
root=$base/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/up,workdir=$base/work" "$root" || exit 99
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys" || exit 99
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || exit 99
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
  touch "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,gid=5,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ip link set lo up

# Nothing of this machine is started, only what a boot cannot do without.
rm -rf "$root"/etc/systemd/system/*.wants
for unit in systemd-{udevd,udev-trigger,modules-load,sysctl,random-seed,remount-fs,binfmt,logind,timesyncd}.service \
  systemd-{hwdb-update,update-utmp,firstboot,machine-id-commit,pcrphase-sysinit,networkd,resolved}.service \
  dev-hugepages.mount dev-mqueue.mount sys-kernel-{debug,tracing,config}.mount sys-fs-fuse-connections.mount \
  proc-sys-fs-binfmt_misc.automount kmod-static-nodes.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

mkdir -p "$root"/opt/borderpost/{bin,python,packages,source} "$root/etc/borderpost" "$root/out"
mount --bind "$here" "$root/out"
mount --bind "$repository" "$root/opt/borderpost/source"
mount --bind "$packages" "$root/opt/borderpost/packages"
mount --bind "$python" "$root/opt/borderpost/python"
cat >"$root/opt/borderpost/bin/borderpost" <<'END'
#!/bin/sh
cd /
export LD_LIBRARY_PATH=/opt/borderpost/python/lib PYTHONPATH=/opt/borderpost/source:/opt/borderpost/packages
exec /opt/borderpost/python/bin/python3 -m firmware.cli "$@"
END
chmod 755 "$root/opt/borderpost/bin/borderpost"
cp "$repository"/systemd/*.{service,timer,target} "$root/etc/systemd/system/"
cp "$repository/systemd/sysusers.d/borderpost.conf" "$root/usr/lib/sysusers.d/"
cp "$repository/systemd/tmpfiles.d/borderpost.conf" "$root/usr/lib/tmpfiles.d/"
mkdir -p "$root/usr/lib/systemd/journald.conf.d"
cp "$repository/systemd/journald.conf.d/borderpost.conf" "$root/usr/lib/systemd/journald.conf.d/"
cat >"$root/etc/systemd/system/try.service" <<'END'
[Unit]
DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/bash /out/script
ExecStopPost=/bin/systemctl exit 0
StandardOutput=file:/out/said
StandardError=file:/out/errors
END
cd "$root"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
# As a systemd that boots a machine has it; what it mounts for a service, such as credentials, is then seen.
mount --make-rshared /
exec env -i container=borderpost PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=try.service --log-target=console --show-status=no
