# What is looked at on a booted device, by `try_boot.py`: the kernel's command line says which of the
# lives of the device this is (BOOT_LIFE). Each line of `said` is "ok: …" or "NOT so: …".
try=/boot/firmware/try
exec >>"$try/log" 2>&1
life=$(sed 's/.*BOOT_LIFE=\([a-z]*\).*/\1/' /proc/cmdline)
data=/var/lib/borderpost config=/etc/borderpost

holds() {
	local what=$1 so="NOT so"
	shift
	if "$@"; then so=ok; fi
	echo "$so: $what" >>"$try/said"
}
soon() { # COMMAND …: whether it comes to hold
	local n
	for n in $(seq 600); do "$@" && return 0; sleep 0.5; done
	return 1
}
not() { ! "$@"; }
active() { systemctl is-active --quiet borderpost.service; }
starts() { systemctl show --property=NRestarts --value borderpost.service; }
started_anew() { [ "$(starts)" -gt "$1" ] && active; }
logged() { journalctl --quiet --boot --unit="$1" --grep="$2" >/dev/null; }
hits() { journalctl --quiet --boot --unit=borderpost --output=cat | grep -c 'desk: HIT'; }
one_more_hit() { [ "$(hits)" -gt "$1" ]; }
finds() { # whether a listed passport on the scanner is a hit
	local before
	before=$(hits)
	cat "$try/passport" >/run/reader
	soon one_more_hit "$before"
}
scans() {
	python3 -c 'import sqlite3; print(sqlite3.connect("file:'$data'/journal.db?mode=ro", uri=True).execute(
		"SELECT count(*) FROM entry WHERE what = '"'scan'"'").fetchone()[0])'
}
is_sealed() { [ "$(head -c 3 "$1")" = eyJ ]; }
in_force() { [ "$(readlink /opt/borderpost/current)" = "venvs/$1" ]; }
read_only() { ! touch "$1/.written" 2>/dev/null; }
no_network() { [ "$(ls /sys/class/net)" = lo ]; }
in_the_past() { [ "$(date +%Y)" = 2024 ]; }
as_ever() {
	holds "it woke in 2024, and has no network" eval 'in_the_past && no_network'
	soon active
	holds "the desk is active, $(cut -d. -f1 /proc/uptime) s after the kernel's start" active
	holds "its secrets are open for it" [ -s /run/credentials/borderpost.service/borderpost_sltd.key ]
	holds "a listed passport is a HIT" finds
}

first() {
	soon logged borderpost-setup 'still to do: enrolment'
	holds "set-up by a file: headquarters' answer is missing, and it says so" \
		logged borderpost-setup 'still to do: enrolment'
	holds "nothing runs until it is there" not active
	holds "the answer is brought, and it goes on by itself: the desk is active" soon active
	holds "this is a desk now" soon logged borderpost-setup 'this is a desk now'
	holds "the device's keys are sealed" eval \
		"is_sealed $data/identity/device.jwk && is_sealed $data/identity/tls.key"
	holds "the list's key is sealed, and nowhere else" eval \
		"[ -s $config/credentials/sltd.key ] && ! ls $config/list-keys/* /boot/firmware/borderpost/*.key"
	holds "a listed passport is a HIT" finds
	holds "set-up is not run again" eval '! ls /boot/firmware/borderpost-setup.toml'
	sed -i 's,^/dev/ubda / ext4 rw,/dev/ubda / ext4 ro,' /etc/fstab
}

readonly() {
	holds "the root is read-only, /tmp is in memory" eval \
		'read_only / && read_only /etc && read_only /var && [ "$(stat -f -c %T /tmp)" = tmpfs ]'
	as_ever
	mkdir -p /run/systemd/system/borderpost.service.d
	printf '[Service]\nWatchdogSec=15\n' >/run/systemd/system/borderpost.service.d/soon.conf
	systemctl daemon-reload
	systemctl restart borderpost.service
	local before
	before=$(starts)
	kill -STOP "$(systemctl show --property=MainPID --value borderpost.service)"
	holds "it hangs, and is started again" soon started_anew "$before"
	holds "and finds the listed passport again" finds
	holds "nothing of it has failed" eval "! systemctl --failed --plain --no-legend | grep borderpost"
}

overlay() {
	holds "the root is an overlay in memory" eval \
		'[ "$(stat -f -c %T /)" = overlayfs ] && touch /etc/written && [ ! -e /media/root-ro/etc/written ]'
	as_ever
	holds "the record of all boots: $(scans) scans" [ "$(scans)" -ge 4 ]
	holds "and it is whole" eval 'borderpost journal verify >/dev/null'
	holds "set-up is refused where it would be forgotten" eval \
		'borderpost setup --unattended 2>&1 | grep "/etc/borderpost is in memory"'
}

upgrade() {
	local before
	as_ever
	mount -o remount,rw /
	before=$(find $data/identity $data/lists $config -type f -exec sha256sum {} + | sort)
	as_before() {
		[ "$before" = "$(find $data/identity $data/lists $config -type f -exec sha256sum {} + | sort)" ]
	}
	holds "upgraded while it runs" dpkg -i "$try/later.deb"
	holds "$(cat "$try/later") is in force and active" eval "in_force $(cat "$try/later") && active"
	holds "configuration, keys, lists are as they were" as_before
	holds "a listed passport is a HIT" finds
	holds "a version whose desk does not start is refused" not dpkg -i "$try/dead.deb"
	holds "$(cat "$try/later") goes on" eval "in_force $(cat "$try/later") && soon active"
	holds "configuration, keys, lists are as they were" as_before
	holds "a listed passport is a HIT" finds
	dpkg -i "$try/later.deb"
	holds "while alerts wait it is not removed" eval '! dpkg --remove borderpost && active'
	systemctl stop borderpost.service
	rm $data/outbox.db
	holds "without them it is purged" dpkg --purge borderpost
	holds "and nothing is left of it" eval "! ls /opt/borderpost $config $data/* /usr/bin/borderpost"
	holds "nor of its units" eval \
		'! find /etc/systemd /usr/lib/systemd -name "borderpost*" | grep . && ! active'
}

"$life"
echo end >>"$try/said"
journalctl --boot >"$try/journal-$life"
