"""Looking at topics from outside, on both brokers."""

import asyncio

import pytest

from runtime.admin import create_topics
from runtime.exits import NotSetUp, Unreachable
from runtime.message import Message, Outgoing
from runtime.producer import Producer
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.topics import LAB_RESULT, TOPICS
from tests.support.kafka import Broker


async def publish(settings: Settings, *values: bytes) -> None:
    producer = Producer(settings, "test")
    await producer.start()
    topic = settings.topic(LAB_RESULT)
    await producer.send([Outgoing(topic, b"t/p-%d" % (number % 5), value) for number, value in enumerate(values)])
    await producer.stop()


async def existing(settings: Settings, newest: int | None = None) -> list[Message]:
    async with reading(settings, LAB_RESULT) as reader:
        return [message async for message in reader.existing(newest)]


async def test_everything_that_is_there_is_read_once_and_reading_ends(any_broker: Broker) -> None:
    settings = any_broker.settings()
    await create_topics(settings, TOPICS)
    assert await existing(settings) == []
    sent = [b"%d" % number for number in range(1000)]
    await publish(settings, *sent)
    found = await existing(settings)
    assert sorted(message.value or b"" for message in found) == sorted(sent)


@pytest.mark.kafka
async def test_the_newest_of_each_partition_can_be_asked_for(broker: Broker) -> None:
    settings = broker.settings()
    await create_topics(settings, TOPICS)
    await publish(settings, *(b"%d" % number for number in range(1000)))
    everything = await existing(settings)
    newest = await existing(settings, newest=10)
    assert newest
    for partition in {message.partition for message in everything}:
        offsets = [message.offset for message in everything if message.partition == partition]
        assert [message.offset for message in newest if message.partition == partition] == offsets[-10:]


async def test_following_gives_what_comes_later(any_broker: Broker) -> None:
    settings = any_broker.settings()
    await create_topics(settings, TOPICS)
    await publish(settings, b"before")
    async with reading(settings, LAB_RESULT) as reader:
        arriving = reader.follow(from_start=True)
        assert (await anext(arriving)).value == b"before"
        coming = asyncio.ensure_future(anext(arriving))
        await publish(settings, b"after")
        assert (await asyncio.wait_for(coming, 30)).value == b"after"


async def test_a_topic_that_is_not_there_is_a_matter_of_setup(any_broker: Broker) -> None:
    with pytest.raises(NotSetUp, match="pgx setup"):
        await existing(any_broker.settings())


async def test_a_broker_that_is_not_there_is_named() -> None:
    settings = Settings.load(kafka_bootstrap_servers="127.0.0.1:1", patience=1)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        await existing(settings)
