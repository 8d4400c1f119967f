"""How MQTT's topics are called in NATS, whose server speaks MQTT to the devices.

Levels are parted by `.` there instead of `/`; a dot within a level, as in a device called `desk.1`,
is written `//`. So `borderpost/v1/desk.1/alert` is the subject `borderpost.v1.desk//1.alert`.
"""

from scanner.alert import TABLE

SAID, STATUS = "BORDERPOST_SAID", "BORDERPOST_STATUS"
"""The streams of `central.brokers.nats_streams`."""
_DOT = "//"
_BREAK = "\0"


def subject_of(topic: str) -> str:
    """The subject that an MQTT topic has in NATS; `+` becomes `*`."""
    levels = topic.split("/")
    return ".".join("*" if level == "+" else level.replace(".", _DOT) for level in levels)


def topic_of_subject(subject: str) -> str:
    """The MQTT topic of a subject."""
    parted = subject.replace(_DOT, _BREAK).replace(".", "/")
    return parted.replace(_BREAK, ".")


def subjects_of_devices(*, sequenced: bool) -> list[str]:
    """The subjects of what every device says: what is in sequence, or else the statuses."""
    return [
        subject_of(row.topic.replace("<device>", "+"))
        for row in TABLE.values()
        if not row.from_central and row.sequenced is sequenced
    ]
