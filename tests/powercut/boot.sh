#!/bin/bash
# The first process of a guest: brings up the disk as a device does that nobody looks after, then
# runs the work. The root is the host's own, read-only; what the guest may write is on /dev/ubda.
# The kernel's command line names the work as variables: POWERCUT_PYTHON, _ROOT, _WORK, _FOLDER.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
stty raw -echo <&0
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir /run/data /run/tmp
export TMPDIR=/run/tmp HOME=/run/tmp
e2fsck -p /dev/ubda >/run/fsck 2>&1
echo "@ {\"said\": \"fsck\", \"code\": $?}"
cat /run/fsck
mount -t ext4 -o noatime /dev/ubda /run/data || echo '@ {"said": "wrong", "why": "the disk cannot be mounted"}'
cd "$POWERCUT_ROOT" || exit 1
"$POWERCUT_PYTHON" -m tests.powercut.guest "$POWERCUT_WORK" /run/data "$POWERCUT_FOLDER" ||
  echo '@ {"said": "wrong", "why": "the work ended with a fault"}'
umount /run/data && echo '@ {"said": "unmounted"}'
sleep 0.2
echo o >/proc/sysrq-trigger
sleep 60
