"""What every engine promises, on a real Kafka and on the embedded broker."""

import asyncio
import struct
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import confluent_kafka
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c

from runtime.engines import LostPosition, Subscription
from runtime.engines.consumer import create_consumer
from runtime.kafka import client_options
from runtime.message import Message
from runtime.settings import Settings
from schemas.topics import CLINICAL_CONTEXT, LAB_RESULT
from tests.support.kafka import Broker
from tests.support.kafka_server import KafkaServer
from tests.support.streams import (
    committed,
    content,
    delete_before,
    engine_reading,
    eventually,
    outgoing,
    publish,
    with_topics,
)

pytestmark = pytest.mark.timeout(180)

GROUP = "pgx-reader"
PROMPT_SECONDS = 15.0
"""Well before a service would end without waiting for its engine any longer."""


@pytest.fixture(params=["faust", "aiokafka"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def settings(any_broker: Broker, engine: str) -> Settings:
    settings = any_broker.settings(stream_engine=engine)
    await with_topics(settings, LAB_RESULT)
    return settings


@pytest.fixture
async def on_kafka(broker: Broker, engine: str) -> Settings:
    settings = broker.settings(stream_engine=engine)
    await with_topics(settings, LAB_RESULT)
    return settings


async def numbered(settings: Settings, numbers: Sequence[int], keys: int = 7) -> None:
    """Publish numbers, each with one of a few patients' keys."""
    await publish(
        settings,
        LAB_RESULT,
        [outgoing(settings, LAB_RESULT, f"t/p{number % keys}".encode(), str(number).encode()) for number in numbers],
    )


def numbers(messages: Sequence[Message]) -> list[int]:
    return [int(message.value or b"-1") for message in messages]


def by_partition(messages: Sequence[Message]) -> dict[int, list[int]]:
    offsets: dict[int, list[int]] = defaultdict(list)
    for message in messages:
        offsets[message.partition].append(message.offset)
    return offsets


async def test_every_message_comes_once_in_the_order_of_its_partition(settings: Settings) -> None:
    await numbered(settings, range(1000))
    async with engine_reading(settings, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: len(reader.handled) >= 1000, "1,000 messages")
        assert sorted(numbers(reader.handled)) == list(range(1000))
        for offsets in by_partition(reader.handled).values():
            assert offsets == list(range(len(offsets)))
        assert max(map(len, reader.batches)) <= settings.batch_size
        assert reader.engine.joined


async def test_two_topics_are_read_by_one_group_each_partition_in_its_order(settings: Settings) -> None:
    await with_topics(settings, CLINICAL_CONTEXT)
    for topic in (LAB_RESULT, CLINICAL_CONTEXT):
        messages = [outgoing(settings, topic, b"t/p%d" % (number % 7), b"%d" % number) for number in range(300)]
        await publish(settings, topic, messages)
    async with engine_reading(settings, (LAB_RESULT, CLINICAL_CONTEXT), GROUP) as reader:
        await reader.until(lambda: len(reader.handled) >= 600, "the messages of both topics")
        for topic in (LAB_RESULT, CLINICAL_CONTEXT):
            of_topic = [message for message in reader.handled if message.topic == settings.topic(topic)]
            assert sorted(numbers(of_topic)) == list(range(300))
            for offsets in by_partition(of_topic).values():
                assert offsets == list(range(len(offsets)))
        await reader.until(lambda: reader.engine.lag() == 0, "no lag")
        await reader.end()
    for topic in (LAB_RESULT, CLINICAL_CONTEXT):
        await publish(settings, topic, [outgoing(settings, topic, b"t/p", b"300")])
    async with engine_reading(settings, (LAB_RESULT, CLINICAL_CONTEXT), GROUP) as reader:
        await reader.until(lambda: len(reader.handled) >= 2, "what came meanwhile")
        assert numbers(reader.handled) == [300, 300]


async def test_a_message_is_handed_on_as_it_lies_on_the_topic(settings: Settings) -> None:
    odd: list[tuple[bytes | None, bytes | None, Any]] = [
        (None, None, ()),
        (b"", b"", ()),
        (None, b"\xff\xfe\x00not json", ()),
        (b"\x00\xff", None, ()),
        (b"k", b"v", (("ce_id", b"\xff"), ("ce_id", b"again"), ("empty", b""), ("nothing", None), ("größe", b"x"))),
    ]
    for key, value, headers in odd:
        await publish(settings, LAB_RESULT, [outgoing(settings, LAB_RESULT, key, value, headers, partition=0)])
    async with engine_reading(settings, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: len(reader.handled) >= len(odd), "all odd messages")
        assert [(m.key, m.value, m.headers) for m in reader.handled] == odd
        expected = {(m.offset, m.timestamp_ms) for m in await content(settings, LAB_RESULT)}
        assert {(m.offset, m.timestamp_ms) for m in reader.handled} == expected


async def test_a_single_message_does_not_wait_for_a_full_batch(settings: Settings) -> None:
    async with engine_reading(settings, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: reader.engine.joined, "the group's partitions")
        await numbered(settings, [1])
        await reader.until(lambda: numbers(reader.handled) == [1], "the only message")
        await reader.until(lambda: reader.engine.lag() == 0, "no lag")
        assert reader.engine.poll_age() < 60


async def test_an_orderly_stop_finishes_the_batch_and_acknowledges_it(settings: Settings) -> None:
    await numbered(settings, range(500))
    async with engine_reading(settings, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: len(reader.handled) > 0, "a first batch")
        await reader.end()
        first = numbers(reader.handled)
    async with engine_reading(settings, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: len(first) + len(reader.handled) >= 500, "the rest")
        second = numbers(reader.handled)
    assert sorted(first + second) == list(range(500)), "nothing lost and nothing twice"


@pytest.mark.kafka
async def test_nothing_is_acknowledged_before_it_is_handled(on_kafka: Settings) -> None:
    await numbered(on_kafka, range(20))
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as reader:
        reader.gate.clear()
        # Two seconds are twice Faust's interval between commits.
        await reader.until(lambda: reader.engine.joined and reader.engine.poll_age() > 2, "a batch in hand for a while")
        assert await committed(on_kafka, LAB_RESULT, GROUP) == {}
        reader.gate.set()
        await reader.until(lambda: len(reader.handled) == 20, "all handled")
        await reader.end()
    assert sum((await committed(on_kafka, LAB_RESULT, GROUP)).values()) == 20


@pytest.mark.kafka
async def test_what_failed_and_what_came_after_it_comes_again(on_kafka: Settings) -> None:
    await numbered(on_kafka, range(300))
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as failing:
        failing.fail_on = b"257"
        await eventually(failing.task.done, "the end of the failing engine")
        with pytest.raises(ArithmeticError):
            failing.task.result()
        before = numbers(failing.handled)
    assert 257 not in before
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as healthy:
        await healthy.until(lambda: set(before) | set(numbers(healthy.handled)) == set(range(300)), "all 300 numbers")
        assert 257 in numbers(healthy.handled)


@pytest.mark.kafka
async def test_a_header_name_that_is_no_text_does_not_stop_the_topic(on_kafka: Settings) -> None:
    producer = AIOKafkaProducer(**client_options(on_kafka))
    await producer.start()
    await producer.send_batch(odd_header_name(producer), on_kafka.topic(LAB_RESULT), partition=0)
    await producer.send_and_wait(on_kafka.topic(LAB_RESULT), b"after", partition=0)
    await producer.stop()
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: len(reader.handled) == 2, "both messages")
    odd, after = reader.handled
    assert (odd.value, odd.headers, after.value) == (b"odd", (("\\xff\\xfe", b"1"),), b"after")


def odd_header_name(producer: AIOKafkaProducer) -> BatchBuilder:
    """A batch as only a client without checks can make it: its CRC is right, its header's name is not UTF-8."""
    batch = producer.create_batch()
    batch.append(key=b"k", value=b"odd", timestamp=1, headers=[("XY", b"1")])
    raw = bytearray(batch._build())
    place = raw.index(b"XY")
    raw[place : place + 2] = b"\xff\xfe"
    raw[17:21] = struct.pack(">I", calc_crc32c(raw[21:]))
    batch._buffer = bytes(raw)
    return batch


@pytest.mark.kafka
async def test_what_a_publisher_took_back_is_not_read(on_kafka: Settings) -> None:
    topic = on_kafka.topic(LAB_RESULT)
    producer = AIOKafkaProducer(**client_options(on_kafka), transactional_id=topic)
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"1", partition=0)
    await producer.abort_transaction()
    async with producer.transaction():
        await producer.send_and_wait(topic, b"2", partition=0)
    await producer.stop()
    await publish(on_kafka, LAB_RESULT, [outgoing(on_kafka, LAB_RESULT, b"k", b"3", partition=0)])
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: 3 in numbers(reader.handled), "the last message")
        assert numbers(reader.handled) == [2, 3]
        await reader.end()
    assert (await committed(on_kafka, LAB_RESULT, GROUP))[0] == reader.handled[-1].offset + 1


@pytest.mark.kafka
@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_every_compression_that_publishers_use_is_read(on_kafka: Settings, codec: str) -> None:
    foreign = confluent_kafka.Producer(
        {"bootstrap.servers": on_kafka.kafka_bootstrap_servers, "compression.type": codec, "linger.ms": 20}
    )
    for number in range(20):
        foreign.produce(on_kafka.topic(LAB_RESULT), str(number).encode().zfill(1000), b"k")
    foreign.flush(30)
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: numbers(reader.handled) == list(range(20)), "all twenty")


@pytest.mark.kafka
async def test_a_changing_group_loses_nothing(on_kafka: Settings) -> None:
    await numbered(on_kafka, range(400), keys=50)
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as first:
        await first.until(lambda: len(first.handled) > 0, "the first member at work")
        async with engine_reading(on_kafka, LAB_RESULT, GROUP) as second:
            await numbered(on_kafka, range(400, 800), keys=50)
            await second.until(lambda: second.engine.joined, "the second member's partitions")
            await numbered(on_kafka, range(800, 1200), keys=50)
            both = [first, second]
            await eventually(
                lambda: {n for reader in both for n in numbers(reader.handled)} >= set(range(1200)), "all of 1,200"
            )
            assert second.handled, "the second member has its share"
            await second.end()
        await numbered(on_kafka, range(1200, 1600), keys=50)
        await first.until(
            lambda: {n for reader in both for n in numbers(reader.handled)} == set(range(1600)), "all of 1,600"
        )


@pytest.mark.kafka
async def test_a_storm_of_joining_and_leaving_members_loses_nothing(on_kafka: Settings) -> None:
    total = 3000
    handled: set[int] = set()
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as steady:
        feed = asyncio.create_task(_feed(on_kafka, total))
        for _ in range(4):
            async with engine_reading(on_kafka, LAB_RESULT, GROUP) as passing:
                await passing.until(lambda passing=passing: passing.engine.joined, "a passing member's partitions")
                await passing.end()
                handled.update(numbers(passing.handled))
        await feed
        await steady.until(lambda: handled | set(numbers(steady.handled)) == set(range(total)), "every number")


async def _feed(settings: Settings, total: int) -> None:
    for begin in range(0, total, 50):
        await numbered(settings, range(begin, begin + 50), keys=50)
        await asyncio.sleep(0.02)


@pytest.mark.kafka
async def test_a_new_group_begins_with_the_oldest_message_there_is(on_kafka: Settings) -> None:
    await numbered(on_kafka, range(10), keys=1)
    partition = (await content(on_kafka, LAB_RESULT))[0].partition
    await delete_before(on_kafka, LAB_RESULT, partition, 4)
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: numbers(reader.handled) == list(range(4, 10)), "the six that are left")


@pytest.mark.kafka
async def test_messages_deleted_before_they_were_read_end_the_engine_loudly(on_kafka: Settings) -> None:
    await numbered(on_kafka, range(10), keys=1)
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: len(reader.handled) == 10, "the first ten")
        await reader.end()
        partition = reader.handled[0].partition
    await numbered(on_kafka, range(10, 20), keys=1)
    await delete_before(on_kafka, LAB_RESULT, partition, 15)
    async with engine_reading(on_kafka, LAB_RESULT, GROUP) as reader:
        await eventually(reader.task.done, "the end of the engine")
        with pytest.raises(LostPosition, match=r"partition \d+ would be 10"):
            reader.task.result()
    assert reader.handled == []


@pytest.mark.kafka
async def test_a_stop_while_the_brokers_are_away_ends_in_order_and_loses_nothing(
    own_kafka_server: KafkaServer, engine: str
) -> None:
    settings = Broker("kafka", own_kafka_server.bootstrap_servers).settings(stream_engine=engine)
    await with_topics(settings, LAB_RESULT)
    await numbered(settings, range(20))
    async with engine_reading(settings, LAB_RESULT, GROUP) as reader:
        reader.gate.clear()
        await reader.until(lambda: reader.engine.joined and reader.engine.poll_age() > 1, "a batch in hand")
        await asyncio.to_thread(own_kafka_server.stop)
        reader.gate.set()
        await reader.until(lambda: len(reader.handled) > 0, "the batch handled, and not acknowledged")
        await reader.end(PROMPT_SECONDS)
    await asyncio.to_thread(own_kafka_server.start)
    async with engine_reading(settings, LAB_RESULT, GROUP) as reader:
        await reader.until(lambda: set(numbers(reader.handled)) == set(range(20)), "everything comes again")


class _Holder(ConsumerRebalanceListener):  # type: ignore[misc]
    """A member that does not let go of its partitions, so that nobody else gets any."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.release = asyncio.Event()
        self.assigned = asyncio.Event()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if self.assigned.is_set():
            self.asked.set()
            await self.release.wait()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self.assigned.set()


@pytest.mark.kafka
async def test_a_stop_before_the_group_has_given_partitions_ends_in_order(on_kafka: Settings) -> None:
    subscription = Subscription((on_kafka.topic(LAB_RESULT),), on_kafka.group(GROUP))
    holder, member = _Holder(), create_consumer(on_kafka, subscription)
    member.subscribe(subscription.topics, listener=holder)
    await member.start()
    try:
        await asyncio.wait_for(holder.assigned.wait(), PROMPT_SECONDS)
        async with engine_reading(on_kafka, LAB_RESULT, on_kafka.group(GROUP)) as reader:
            await asyncio.wait_for(holder.asked.wait(), PROMPT_SECONDS)
            assert not reader.engine.joined
            await reader.end(PROMPT_SECONDS)
    finally:
        holder.release.set()
        await member.stop()
