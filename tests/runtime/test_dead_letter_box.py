"""How long dead letters wait for somebody, as operators see it, on both brokers."""

import pytest

from runtime.dead_letter_box import DISCARDED, OpenLetters, mark, retry
from runtime.dead_letters import DeadLetter, DeadLetters, stored
from runtime.message import Message
from runtime.metrics import Metrics
from runtime.producer import Producer
from runtime.settings import Settings
from schemas.errors import Code, Rejected
from schemas.topics import DEAD_LETTER, LAB_RESULT
from tests.support.kafka import Broker
from tests.support.streams import delete_before, with_topics

LATER_MS = 4e12
"""Decades from now: an age is then as large as it can be told from 0."""


async def write(settings: Settings, producer: Producer, *offsets: int) -> list[DeadLetter]:
    """Let messages become dead letters."""
    topic = settings.topic(LAB_RESULT)
    batch = [Message(topic, 0, offset, b"t/p-%d" % offset, b"{", (), 0) for offset in offsets]
    letters = DeadLetters(settings, "genotyper", producer, Metrics("genotyper"))
    await letters.send(batch, [(message, Rejected(Code.INVALID_FIELD, "not JSON")) for message in batch])
    return [letter async for letter in stored(settings) if letter.message.offset in offsets]


async def test_letters_that_were_retried_or_discarded_wait_no_more(any_broker: Broker) -> None:
    settings = any_broker.settings()
    await with_topics(settings, LAB_RESULT, DEAD_LETTER)
    producer = Producer(settings, "test")
    waiting = OpenLetters(settings)
    try:
        assert await waiting.oldest_age(LATER_MS) == 0
        first, second = await write(settings, producer, 1, 2)
        assert await waiting.oldest_age(LATER_MS) > 0
        await retry(settings, producer, [first])
        assert await waiting.oldest_age(LATER_MS) > 0, "one still waits"
        await mark(settings, producer, [second], DISCARDED)
        assert await waiting.oldest_age(LATER_MS) == 0
        assert await OpenLetters(settings).oldest_age(LATER_MS) == 0, "so it is for a service that starts now"
        await write(settings, producer, 3)
        assert await waiting.oldest_age(LATER_MS) > 0
    finally:
        await producer.stop()


@pytest.mark.kafka
async def test_letters_whose_time_on_the_topic_is_over_wait_no_more(broker: Broker) -> None:
    settings = broker.settings(partitions=1)
    await with_topics(settings, LAB_RESULT, DEAD_LETTER)
    producer = Producer(settings, "test")
    waiting = OpenLetters(settings)
    try:
        await write(settings, producer, 1)
        assert await waiting.oldest_age(LATER_MS) > 0
        await delete_before(settings, DEAD_LETTER, 0, 1)
        assert await waiting.oldest_age(LATER_MS) == 0
    finally:
        await producer.stop()
