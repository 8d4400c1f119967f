"""What the NATS cluster keeps for the receivers: two streams, and who reads them.

SAID holds what devices say in sequence until a receiver has committed it: a work queue, from which
all receivers of a group draw, each message going to one of them until it is acknowledged. It is a
buffer and nothing more: the devices keep everything that central has not acknowledged to them, so
it may be bounded, and even lost. STATUS holds the latest status of every device; each receiver
reads it from the start, as it would hear retained messages, and then whatever is new.

What is there already is left as it is, so that an operator may set it up otherwise; only subjects
that a stream lacks are added, for a later release has messages that an earlier one did not know.
"""

from dataclasses import replace

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from central.brokers.nats_names import SAID, STATUS, subjects_of_devices

KEPT_S = 24 * 3600.0
"""How long the buffer keeps what no receiver takes; the devices say it again."""
KEPT_OF_EACH = 1000
"""How many messages of one device and kind the buffer keeps, the latest."""
AGAIN_AFTER_S = 30.0
"""After how long a message that a receiver took and did not acknowledge goes to another."""
UNDER_WAY = 20_000
GONE_AFTER_S = 300.0
"""How long the place of a receiver that is gone is kept among the statuses."""


async def ensure(context: JetStreamContext, replicas: int, group: str) -> None:
    """Makes the streams and the group's consumer, where they are not there yet."""
    said = api.StreamConfig(
        name=SAID,
        description="What devices say in sequence, until central has committed it",
        subjects=subjects_of_devices(sequenced=True),
        retention=api.RetentionPolicy.WORK_QUEUE,
        storage=api.StorageType.FILE,
        num_replicas=replicas,
        max_age=KEPT_S,
        max_msgs_per_subject=KEPT_OF_EACH,
    )
    status = api.StreamConfig(
        name=STATUS,
        description="The latest status of every device",
        subjects=subjects_of_devices(sequenced=False),
        retention=api.RetentionPolicy.LIMITS,
        storage=api.StorageType.FILE,
        num_replicas=replicas,
        max_msgs_per_subject=1,
    )
    for config in (said, status):
        await _stream(context, config)
    try:
        await context.consumer_info(SAID, group)
    except NotFoundError:
        await context.add_consumer(
            SAID,
            durable_name=group,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=AGAIN_AFTER_S,
            max_ack_pending=UNDER_WAY,
        )


async def reader_of_statuses(context: JetStreamContext) -> tuple[str, int]:
    """Makes a consumer for one receiver: its name, and the last place in the stream before it."""
    before = (await context.stream_info(STATUS)).state.last_seq
    made = await context.add_consumer(
        STATUS,
        deliver_policy=api.DeliverPolicy.LAST_PER_SUBJECT,
        filter_subject=subjects_of_devices(sequenced=False)[0],
        ack_policy=api.AckPolicy.NONE,
        inactive_threshold=GONE_AFTER_S,
        num_replicas=1,
        mem_storage=True,
    )
    return made.name, before


async def _stream(context: JetStreamContext, config: api.StreamConfig) -> None:
    try:
        there = (await context.stream_info(str(config.name))).config
    except NotFoundError:
        await context.add_stream(config)
        return
    before, wanted = there.subjects or [], config.subjects or []
    if lacking := [subject for subject in wanted if subject not in before]:
        await context.update_stream(replace(there, subjects=[*before, *lacking]))
