"""The recommender as a service: phenotype events in, recommendation events and dead letters out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
import pytest
import pytest_asyncio

from runtime import dead_letters
from runtime.admin import create_topics
from runtime.dead_letters import DeadLetter
from runtime.exits import Exit
from runtime.message import Message, Outgoing
from runtime.producer import Producer
from runtime.service import Service
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.cloudevents import Event, encode
from schemas.errors import Code
from schemas.lab_result import Status
from schemas.phenotype import PhenotypeAssigned
from schemas.topics import PHENOTYPE, RECOMMENDATION, TOPICS
from services.recommender.app import build
from services.recommender.migrations import migrate
from services.recommender.report import report
from services.recommender.store import Store
from tests.services.recommender.builders import assigned, release
from tests.support.kafka import Broker

pytestmark = pytest.mark.postgres

POOR, NORMAL = {"CYP2C19": "*2/*2"}, {"CYP2C19": "*1/*1"}


@pytest_asyncio.fixture
async def deployment(broker: Broker, database_url: str) -> Settings:
    """Topics and store, set up."""
    settings = broker.settings(database_url=database_url)
    await create_topics(settings, TOPICS)
    await migrate(settings)
    return settings


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield
    finally:
        stop.set()
        assert await task is Exit.DONE


async def publish(settings: Settings, messages: Sequence[Outgoing]) -> None:
    producer = Producer(settings, "test")
    await producer.start()
    await producer.send(messages)
    await producer.stop()


def message(settings: Settings, event: Event[PhenotypeAssigned]) -> Outgoing:
    key, value, headers = encode(
        PHENOTYPE, event.data, id=event.id, source=event.source, time=event.time, traceparent=event.traceparent
    )
    return Outgoing(settings.topic(PHENOTYPE), key, value, tuple(headers))


async def recommendations(settings: Settings, count: int) -> list[Message]:
    """What lies on the recommendation topic, once there are so many."""
    async with asyncio.timeout(40):
        while True:
            async with reading(settings, RECOMMENDATION) as reader:
                found = [one async for one in reader.existing()]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.1)


async def first_letters(settings: Settings) -> list[DeadLetter]:
    """What lies on the dead-letter topic, once there is something."""
    async with asyncio.timeout(40):
        while True:
            if found := [letter async for letter in dead_letters.stored(settings)]:
                return found
            await asyncio.sleep(0.1)


async def test_phenotypes_become_recommendations_and_what_cannot_be_read_a_dead_letter(deployment: Settings) -> None:
    events = [
        assigned(POOR, patient="p-1"),
        assigned(POOR, patient="p-2"),
        assigned(NORMAL, patient="p-1", version=2, status=Status.CORRECTED),
    ]
    good = [message(deployment, event) for event in events]
    poison = Outgoing(good[0].topic, b"mercy/p-3", b"{not json", good[0].headers)
    async with running(build(deployment)):
        await publish(deployment, [good[0], poison, *good[1:], good[0]])
        found = await recommendations(deployment, 3)
        letters = await first_letters(deployment)
    values = [orjson.loads(one.value or b"") for one in found]
    assert [value["sequence"] for value in values if value["patient"] == "p-1"] == [1, 2]
    assert [value["sequence"] for value in values if value["patient"] == "p-2"] == [1]
    assert [(letter.code, letter.message.value) for letter in letters] == [(Code.NOT_JSON.value, b"{not json")]
    async with await Store.open(deployment) as store:
        known = await report(store, release, "mercy", "p-1")
    assert known
    last = next(value for value in values if value["patient"] == "p-1" and value["sequence"] == 2)
    assert last["recommendations"] == orjson.loads(known.model_dump_json())["recommendations"]


@pytest.mark.kafka
async def test_everything_again_after_a_restart_from_the_beginning_publishes_nothing_new(deployment: Settings) -> None:
    events = [message(deployment, assigned(POOR, patient=f"p-{number}")) for number in range(5)]
    async with running(build(deployment)):
        await publish(deployment, events)
        await recommendations(deployment, 5)
    marker = message(deployment, assigned(POOR, patient="p-last"))
    async with running(build(deployment)):
        await publish(deployment, [*events, marker])
        found = await recommendations(deployment, 6)
    assert len(found) == 6


async def test_without_setup_it_says_so_and_ends_with_status_4(broker: Broker, database_url: str) -> None:
    settings = broker.settings(database_url=database_url, patience=1.0)
    await create_topics(settings, TOPICS)
    assert await build(settings).run(asyncio.Event()) is Exit.UNREACHABLE
