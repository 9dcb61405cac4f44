"""The Kafka consumer below both engines: how it joins its group, and where it begins."""

from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from runtime.consumer import Consumer
from runtime.engines import LostPosition, Subscription, lenient_records
from runtime.kafka import client_options
from runtime.settings import Settings

SESSION_SECONDS = 10.0
HEARTBEAT_SECONDS = 3.0
REBALANCE_SECONDS = 60.0
_FETCH_WAIT_MS = 100
"""The longest answer to a fetch without messages. A partition whose messages are being handled is not in the fetch that
the broker is holding, so that its next message can wait that long."""
_FETCH_BYTES = 8 * 1024 * 1024
_PARTITION_FETCH_BYTES = 512 * 1024
"""Bound the memory of prefetched messages; a larger single message still comes, alone."""
LAST_COMMIT_SECONDS = 3.0
"""For which an orderly stop waits for brokers to take positions; what they have not taken comes again."""


def create_consumer(settings: Settings, subscription: Subscription) -> Consumer:
    """A consumer of the subscription's group, not yet started and not yet subscribed.

    Without a position it does not choose one: see :func:`begin_or_fail`.
    """
    lenient_records.install()
    return Consumer(
        **client_options(settings),
        client_id=subscription.group,
        group_id=subscription.group,
        group_instance_id=settings.instance,
        enable_auto_commit=False,
        auto_offset_reset="none",
        # What a publisher took back in an aborted transaction was never said.
        isolation_level="read_committed",
        session_timeout_ms=int(SESSION_SECONDS * 1000),
        heartbeat_interval_ms=int(HEARTBEAT_SECONDS * 1000),
        rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
        max_poll_interval_ms=int(max(300.0, 3 * settings.patience) * 1000),
        max_poll_records=settings.batch_size,
        fetch_max_bytes=_FETCH_BYTES,
        max_partition_fetch_bytes=_PARTITION_FETCH_BYTES,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        retry_backoff_ms=200,
    )


async def begin_or_fail(consumer: Consumer, error: Exception) -> None:
    """Begin at the start of a partition that the group has never read; any other missing position is a loss.

    Raises:
        LostPosition: the position was there and is not on the topic any more.
    """
    if isinstance(error, NoOffsetForPartitionError):
        partition = error.args[0]
        if partition in consumer.assignment():
            await consumer.seek_to_beginning(partition)
    elif isinstance(error, OffsetOutOfRangeError):
        [(partition, offset)] = list(error.args[0].items())[:1]
        raise LostPosition(
            f"The next message of {partition.topic} partition {partition.partition} would be {offset}, but the topic"
            " does not hold it: messages were deleted before they were read, or the topic was made anew. Find out what"
            " is missing and have it submitted again, then reset the position of the consumer group with"
            " kafka-consumer-groups --reset-offsets"
        ) from error
    else:
        raise error
