"""Throughput and latency from the first topic to the last, whatever runs in between."""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer

from bench.pipeline.machine import Watched, count, wait_for
from bench.pipeline.samples import message
from runtime.admin import create_topics
from runtime.message import Outgoing
from runtime.producer import Producer
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.topics import GENOTYPE, LAB_RESULT, PHENOTYPE, RECOMMENDATION, Topic

WARM_UP = 16
EVENTS_A_SECOND = 4
_REQUESTS = 4000
"""That a broker has answered before anything is measured; an hour at low load has more."""
_LOG_SEGMENTS = 12
"""More than a latency run fills."""
STATIONS = (GENOTYPE, PHENOTYPE, RECOMMENDATION)
"""Topics on the way of a result, in their order."""


@dataclass(frozen=True)
class Throughput:
    """Samples a second, and the processor milliseconds a sample that each process took."""

    samples_a_second: float
    milliseconds: dict[str, float]


@dataclass(frozen=True)
class Latency:
    """Milliseconds from publishing a result to receiving what was made of it."""

    p50: float
    p99: float


async def warm_up(settings: Settings) -> None:
    """Publishes and reads message after message in a deployment that nobody else uses, so that the broker is not new.

    A new one has yet to compile itself, and the services are measured before the floor.
    """
    await create_topics(settings, [LAB_RESULT])
    producer = Producer(settings, "bench")
    await producer.start()
    async with _subscriber(settings, LAB_RESULT) as consumer:
        for number in range(_REQUESTS):
            await producer.send([Outgoing(settings.topic(LAB_RESULT), b"%d" % number, b"warm-up")])
            await consumer.getone()
    await producer.stop()


async def throughput(settings: Settings, values: Sequence[bytes], run: str, watched: Sequence[Watched]) -> Throughput:
    """Publishes everything at once and waits for the last recommendation; a few samples before are not measured."""
    messages = [message(settings, value, number, run) for number, value in enumerate(values)]
    producer = Producer(settings, "bench")
    await producer.start()
    there = await count(settings, RECOMMENDATION)
    await producer.send(messages[:WARM_UP])
    await wait_for(settings, RECOMMENDATION, there + WARM_UP, watched)
    before = {one.name: one.processor_seconds() for one in watched}
    began = time.perf_counter()
    await producer.send(messages[WARM_UP:])
    ended = await wait_for(settings, RECOMMENDATION, there + len(messages), watched)
    measured = len(messages) - WARM_UP
    used = {one.name: 1000 * (one.processor_seconds() - before[one.name]) / measured for one in watched}
    await producer.stop()
    return Throughput(measured / (ended - began), used)


async def latency(settings: Settings, values: Sequence[bytes], run: str) -> dict[str, Latency]:
    """Publishes a few samples a second and measures each one's way to each topic; the first ones are not measured.

    Only the last topic is read meanwhile, as a hospital reads it: to read the others' large events on the same
    processors would hold up what is measured. When these were published they say themselves.
    """
    await _settle(settings)
    producer = Producer(settings, "bench")
    await producer.start()
    published: dict[bytes, float] = {}
    arrived: dict[bytes, float] = {}
    *between, last = STATIONS
    async with _subscriber(settings, last) as consumer:

        async def receive() -> None:
            async for received in consumer:
                if received.key in published:
                    arrived.setdefault(received.key, time.time())
                if len(arrived) == len(values):
                    return

        receiving = asyncio.create_task(receive())
        for number, value in enumerate(values):
            outgoing = message(settings, value, number, run)
            published[outgoing.key or b""] = time.time()
            await producer.send([outgoing])
            await asyncio.sleep(1 / EVENTS_A_SECOND)
        await asyncio.wait_for(receiving, 60)
    await producer.stop()
    there = {topic.name: await _stamps(settings, topic) for topic in between} | {last.name: arrived}
    measured = list(published)[WARM_UP:]
    return {name: _latency([1000 * (of[key] - published[key]) for key in measured]) for name, of in there.items()}


@asynccontextmanager
async def _subscriber(settings: Settings, topic: Topic) -> AsyncIterator[AIOKafkaConsumer]:
    servers = settings.kafka_bootstrap_servers
    consumer = AIOKafkaConsumer(settings.topic(topic), bootstrap_servers=servers, auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _stamps(settings: Settings, topic: Topic) -> dict[bytes, float]:
    """When what is on a topic was published, by its producers' clocks; of each key the first."""
    stamps: dict[bytes, float] = {}
    async with reading(settings, topic) as reader:
        async for found in reader.existing():
            stamps.setdefault(found.key or b"", (found.timestamp_ms or 0) / 1000)
    return stamps


async def _settle(settings: Settings) -> None:
    """Brings the machine to where it is after an hour of low load.

    A new database makes each segment of its log, 16 MB, when it is first needed, and whoever commits then waits for
    that: later it uses old ones again. And half a minute after a throughput run the kernel would write the brokers'
    hundreds of megabytes, and hold up the database's confirmations on the same disk.
    """
    connection = await asyncpg.connect(settings.database_url)
    for _ in range(_LOG_SEGMENTS):
        await connection.execute("SELECT pg_logical_emit_message(false, 'bench', 'not an empty segment')")
        await connection.execute("SELECT pg_switch_wal()")
    await connection.execute("CHECKPOINT")
    await connection.close()
    await asyncio.to_thread(os.sync)


def _latency(milliseconds: Sequence[float]) -> Latency:
    return Latency(statistics.median(milliseconds), statistics.quantiles(milliseconds, n=100)[98])
