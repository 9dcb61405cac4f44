"""Reads a topic without a consumer group: nothing is committed, and nobody else's reading is disturbed."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from runtime.consumer import Consumer
from runtime.engines import lenient_records
from runtime.exits import NotSetUp, Unreachable
from runtime.kafka import client_options, unreachable, wait_for_broker
from runtime.message import Message
from runtime.settings import Settings
from schemas.topics import MAX_MESSAGE_BYTES, Topic

_POLL_MS = 500
_ANSWER_SECONDS = 15.0
_PARTITION_BYTES = 2 * MAX_MESSAGE_BYTES


class TopicReader:
    """What lies on one topic, and what comes. Make it with :func:`reading`."""

    def __init__(self, consumer: Consumer, settings: Settings, partitions: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._settings = settings
        self._partitions = partitions
        self._end: dict[TopicPartition, int] = {}
        self.held: dict[int, range] = {}
        """The offsets that each partition held when :meth:`existing` had read it."""

    async def existing(
        self, newest: int | None = None, since: Mapping[int, range] | None = None
    ) -> AsyncIterator[Message]:
        """Every message on the topic now, in order for each partition.

        Args:
            newest: of each partition so many only.
            since: what was held when it was read before: only what came later.
        """
        first = await self._ask(self._consumer.beginning_offsets(self._partitions))
        end = await self._ask(self._consumer.end_offsets(self._partitions))
        start = dict(first)
        for place in self._partitions:
            if newest is not None:
                start[place] = max(first[place], end[place] - newest)
            read = (since or {}).get(place.partition, range(0))
            # One that ends beyond the end was of another topic of this name.
            if first[place] < read.stop <= end[place]:
                start[place] = max(start[place], read.stop)
            self._consumer.seek(place, start[place])
        unread = {place for place in self._partitions if start[place] < end[place]}
        unsure = set(unread)
        silent_since = time.monotonic()
        while unread:
            fetched = await self._consumer.getmany(*unread, timeout_ms=_POLL_MS)
            for place in unsure & fetched.keys():
                # The embedded broker's answer about the end stops short of it; what comes with the messages does not.
                end[place] = max(end[place], self._consumer.highwater(place))
            unsure -= fetched.keys()
            for place, records in fetched.items():
                for record in records:
                    if record.offset < end[place]:
                        yield _message(record)
            if fetched:
                silent_since = time.monotonic()
            elif time.monotonic() - silent_since > _ANSWER_SECONDS:
                raise self._silent()
            for place in list(unread):
                if await self._consumer.position(place) >= end[place]:
                    unread.remove(place)
        self._end = end
        self.held = {place.partition: range(first[place], end[place]) for place in self._partitions}

    async def onward(self) -> AsyncIterator[Message]:
        """After :meth:`existing`: the messages that follow those, as they come, for ever."""
        for place, offset in self._end.items():
            self._consumer.seek(place, offset)
        async for message in self._coming():
            yield message

    async def follow(self, from_start: bool) -> AsyncIterator[Message]:
        """Messages as they come, for ever; ``from_start``: those that are there first."""
        if from_start:
            await self._consumer.seek_to_beginning(*self._partitions)
        else:
            await self._consumer.seek_to_end(*self._partitions)
        async for message in self._coming():
            yield message

    async def _coming(self) -> AsyncIterator[Message]:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).values():
                for record in records:
                    yield _message(record)

    async def _ask(self, question: Any) -> dict[TopicPartition, Any]:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer: dict[TopicPartition, Any] = await question
        except (KafkaError, TimeoutError):
            raise self._silent() from None
        return answer

    def _silent(self) -> Unreachable:
        return unreachable(self._settings, f"no answer for {_ANSWER_SECONDS:.0f} s while reading a topic")


@asynccontextmanager
async def reading(settings: Settings, topic: Topic) -> AsyncIterator[TopicReader]:
    """A reader of all partitions of a topic.

    Raises:
        Unreachable: no broker answered within the patience.
        NotSetUp: the topic is not there.
    """
    await wait_for_broker(settings)
    partitions = await _partitions(settings, settings.topic(topic))
    lenient_records.install()
    consumer = Consumer(
        **client_options(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=_PARTITION_BYTES,
    )
    try:
        await consumer.start()
        consumer.assign(partitions)
        yield TopicReader(consumer, settings, partitions)
    finally:
        await consumer.stop()


async def _partitions(settings: Settings, name: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        if name not in await admin.list_topics():
            raise NotSetUp(f"there is no topic {name} at {settings.kafka_bootstrap_servers}. Run `pgx setup` first")
        [described] = await admin.describe_topics([name])
        return sorted(TopicPartition(name, partition["partition"]) for partition in described["partitions"])
    finally:
        await admin.close()


def _message(record: Any) -> Message:
    return Message(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
        timestamp_ms=record.timestamp,
    )
