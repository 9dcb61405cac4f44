"""Making topics: once, twice, by two at a time, and beside topics that somebody made otherwise."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cli.embedded.guarded import free_port
from runtime.admin import TopicError, create_topics, missing_topics
from runtime.exits import Unreachable
from runtime.settings import Settings
from schemas.topics import KNOWLEDGE, LAB_RESULT, TOPICS
from tests.support.kafka import Broker


async def test_all_topics_of_the_registry_are_made_once(any_broker: Broker) -> None:
    settings = any_broker.settings()
    assert len(await missing_topics(settings, TOPICS)) == len(TOPICS)
    first = await create_topics(settings, TOPICS)
    assert set(first.created) == {settings.topic(topic) for topic in TOPICS}
    assert first.differences == ()
    second = await create_topics(settings, TOPICS)
    assert (second.created, second.differences) == ((), ())
    assert await missing_topics(settings, TOPICS) == ()


@pytest.mark.kafka
async def test_two_at_once_make_every_topic_once(broker: Broker) -> None:
    settings = broker.settings()
    outcomes = await asyncio.gather(*(create_topics(settings, TOPICS) for _ in range(3)))
    created = [name for outcome in outcomes for name in outcome.created]
    assert sorted(created) == sorted(settings.topic(topic) for topic in TOPICS)


@pytest.mark.kafka
async def test_what_differs_is_said_and_left_alone(broker: Broker) -> None:
    settings = broker.settings(partitions=2)
    await create_topics(settings, [replace(LAB_RESULT, keep=timedelta(days=1)), KNOWLEDGE])
    wanting = broker.settings(topic_prefix=settings.topic_prefix, partitions=6)
    for _ in range(2):
        outcome = await create_topics(wanting, [LAB_RESULT, KNOWLEDGE])
        assert {(d.setting, d.found, d.wanted) for d in outcome.differences} == {
            ("partitions", "2", "6"),
            ("retention.ms", "86400000", "2592000000"),
        }
        assert all(settings.topic(LAB_RESULT) in str(difference) for difference in outcome.differences)


@pytest.mark.kafka
async def test_a_replication_that_the_brokers_cannot_give_is_an_error_that_names_the_topic(broker: Broker) -> None:
    settings = broker.settings(replication=3)
    with pytest.raises(TopicError, match=settings.topic(LAB_RESULT)):
        await create_topics(settings, [LAB_RESULT])


async def test_without_a_broker_it_gives_up_within_the_patience() -> None:
    settings = Settings.load(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}", patience=1.0)
    with pytest.raises(Unreachable, match=settings.kafka_bootstrap_servers):
        await create_topics(settings, TOPICS)
