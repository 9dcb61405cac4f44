"""Helpers for tests that publish, read and wait: with a deadline, never by sleeping for a while."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from runtime import engines
from runtime.admin import create_topics
from runtime.engines import Engine, Subscription
from runtime.kafka import client_options
from runtime.message import Headers, Message, Outgoing
from runtime.producer import Producer
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.topics import Topic

DEADLINE_SECONDS = 60.0


async def eventually(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Return when the condition holds; fail, naming ``what``, when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.02)


async def publish(settings: Settings, topic: Topic, messages: Sequence[Outgoing]) -> None:
    """Publish messages, as a laboratory's client would, and wait for their confirmation."""
    producer = Producer(settings, "test")
    await producer.start()
    try:
        await producer.send(messages)
    finally:
        await producer.stop()


def outgoing(
    settings: Settings, topic: Topic, key: bytes | None, value: bytes | None, headers: Headers = (), **more: int
) -> Outgoing:
    """A message for a topic of the deployment."""
    return Outgoing(settings.topic(topic), key, value, headers, **more)


async def content(settings: Settings, topic: Topic) -> list[Message]:
    """Everything that is on a topic now."""
    async with reading(settings, topic) as reader:
        return [message async for message in reader.existing()]


async def committed(settings: Settings, topic: Topic, group: str) -> dict[int, int]:
    """The positions that a group has committed, by partition."""
    async with _admin(settings) as admin:
        offsets = await admin.list_consumer_group_offsets(group)
    return {
        place.partition: found.offset
        for place, found in offsets.items()
        if place.topic == settings.topic(topic) and found.offset >= 0
    }


async def delete_before(settings: Settings, topic: Topic, partition: int, offset: int) -> None:
    """Delete the oldest messages of a partition, as retention does."""
    place = TopicPartition(settings.topic(topic), partition)
    async with _admin(settings) as admin:
        await admin.delete_records({place: RecordsToDelete(before_offset=offset)})


class Reading:
    """An engine at work, with what it has handed on."""

    def __init__(self, settings: Settings, topics: Sequence[Topic], group: str) -> None:
        self.engine: Engine = engines.create(settings, Subscription(tuple(map(settings.topic, topics)), group))
        self.batches: list[list[Message]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fail_on: bytes | None = None
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.engine.run(self._handle, self.stop))

    @property
    def handled(self) -> list[Message]:
        """What has been handled, in the order of handling."""
        return [message for batch in self.batches for message in batch]

    async def _handle(self, batch: Sequence[Message]) -> None:
        await self.gate.wait()
        if self.fail_on is not None and any(message.value == self.fail_on for message in batch):
            raise ArithmeticError("handle failed")
        self.batches.append(list(batch))

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for the condition; an engine that ends meanwhile is a failure."""

        def met() -> bool:
            if self.task.done():
                self.task.result()
                raise AssertionError("the engine ended")
            return condition()

        await eventually(met, what)

    async def end(self, seconds: float = DEADLINE_SECONDS) -> None:
        """Ask it to stop and wait until it has."""
        self.stop.set()
        await asyncio.wait_for(self.task, seconds)


@asynccontextmanager
async def engine_reading(settings: Settings, topics: Topic | Sequence[Topic], group: str) -> AsyncIterator[Reading]:
    """An engine that is stopped at the end of the block, whatever happened in it."""
    at_work = Reading(settings, [topics] if isinstance(topics, Topic) else topics, group)
    try:
        yield at_work
    finally:
        at_work.stop.set()
        at_work.gate.set()
        await asyncio.wait({at_work.task}, timeout=DEADLINE_SECONDS)
        if not at_work.task.done():
            at_work.task.cancel()


async def with_topics(settings: Settings, *topics: Topic) -> None:
    """Create topics of the deployment."""
    await create_topics(settings, topics)


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
