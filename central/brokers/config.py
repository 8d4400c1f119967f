"""The configuration of a site's Mosquitto, as text: who may connect, who may say what where.

Written for Mosquitto 2.0.11 (Debian 12's), and for what later ones document up to 2.1. Rules go by
the name in the client's certificate (`%u`): a device writes what devices say and reads what central
says to it, each under its own name alone. Central's workers have names of their own, that no device
can have, and each stands in the rules. Whatever no rule allows is refused.
"""

from collections.abc import Sequence
from pathlib import Path

from central.enrolment.certificates import WORKER_PREFIX
from scanner.alert import TABLE
from scanner.alert.encryption import MAX_ENCRYPTED

CONF, RULES, CRL, PID, DATA = "mosquitto.conf", "acl", "crl.pem", "mosquitto.pid", "data"
MAX_PACKET = MAX_ENCRYPTED + 8 * 1024
"""The longest payload, with room for the topic and the properties around it."""

_CONF = """\
# Mosquitto for Borderpost, as `borderpost-central broker config` writes it: run it with
#   mosquitto -c {folder}/mosquitto.conf
# The folder belongs to the user that Mosquitto runs as: chown -R mosquitto: {folder}
# Everything that central's authority decides about is in the files named here. `enrol revoke` and
# `enrol worker` write acl and crl.pem anew, and Mosquitto reads them again when it is sent SIGHUP.

# One set of rules for the whole broker.
allow_anonymous false
acl_file {folder}/acl

# The one door: TLS, and a certificate of the authority that is not revoked.
listener {port}{bind}
cafile {folder}/ca.crt
certfile {folder}/tls.crt
keyfile {folder}/tls.key
crlfile {folder}/crl.pem
require_certificate true
tls_version tlsv1.2
# The name in the certificate is the client's name for the rules, and its client id too: nobody can
# take over somebody else's session, or push them out, by giving their id.
use_identity_as_username true
use_username_as_clientid true
max_connections {connections}

# Sessions and what waits in them outlast a restart; what was not yet saved when the power went is
# told again by the devices, for nothing counts as told until central has said so.
persistence true
persistence_location {folder}/data/
autosave_interval 60
# For clients of MQTT 3.1.1, whose sessions would otherwise never end (MQTT 5 names its own time).
persistent_client_expiration 30d

# No message of ours is longer; whoever sends one is disconnected.
max_packet_size {packet}
# What may wait for a client that is away or slow. A message beyond it is dropped, and comes again.
max_queued_messages 20000
max_queued_bytes 134217728
max_inflight_messages 100
queue_qos0_messages false

# Statuses are retained, and so are last wills: both are messages on a device's own status topic.
retain_available true
# A client that asks for longer is told to be heard from at least this often.
max_keepalive 60
set_tcp_nodelay true

# Names of clients and why they were refused; never what messages say.
log_dest {log}
log_type error
log_type warning
log_type notice
connection_messages true
log_timestamp true
log_timestamp_format %Y-%m-%dT%H:%M:%S
sys_interval 60
pid_file {folder}/mosquitto.pid
"""

_RULES = """\
# Who may say what where. borderpost-central writes this file: a change made here by hand is lost.
# %u is the name in the client's certificate. Whatever no rule allows is refused.

# A device says these, under its own name.
{says}

# A device hears these, under its own name, and the hints for the rings.
{hears}
"""

_WORKER = """\

user {prefix}{name}
topic read {root}/#
{writes}
topic read $SYS/#
"""

_REVOKED = """\

# Revoked: a connection from before can neither say nor hear anything.
user {name}
topic deny #
"""


def conf(
    folder: Path,
    port: int,
    *,
    bind: str | None = None,
    connections: int = -1,
    log: str = "stderr",
) -> str:
    """mosquitto.conf for a broker whose files are in `folder`."""
    return _CONF.format(
        folder=folder,
        port=port,
        bind=f" {bind}" if bind is not None else "",
        connections=connections,
        packet=MAX_PACKET,
        log=log,
    )


def rules(workers: Sequence[str], revoked: Sequence[str]) -> str:
    """The rules, with central's workers and the devices that count no longer."""
    says = [row.topic for row in TABLE.values() if not row.from_central]
    hears = [row.topic for row in TABLE.values() if row.from_central]
    text = _RULES.format(
        says="\n".join(f"pattern write {_by_name(topic)}" for topic in says),
        hears="\n".join(f"pattern read {_by_name(topic)}" for topic in hears),
    )
    writes = "\n".join(f"topic write {_by_any(topic)}" for topic in hears)
    root = says[0].split("/<")[0]
    for name in workers:
        text += _WORKER.format(prefix=WORKER_PREFIX, name=name, root=root, writes=writes)
    for name in revoked:
        text += _REVOKED.format(name=name)
    return text


def _by_name(topic: str) -> str:
    return topic.replace("<device>", "%u").replace("<ring>", "+")


def _by_any(topic: str) -> str:
    return topic.replace("<device>", "+").replace("<ring>", "+")
