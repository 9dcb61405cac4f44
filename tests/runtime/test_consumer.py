"""The consumer's end."""

import asyncio

import pytest
from aiokafka import TopicPartition

from runtime.consumer import Consumer
from runtime.kafka import client_options
from schemas.topics import LAB_RESULT
from tests.support.kafka import Broker
from tests.support.kafka_server import KafkaServer
from tests.support.streams import eventually, with_topics

pytestmark = [pytest.mark.timeout(120), pytest.mark.kafka]


async def reading(server: KafkaServer) -> Consumer:
    settings = Broker("kafka", server.bootstrap_servers).settings()
    await with_topics(settings, LAB_RESULT)
    consumer = Consumer(**client_options(settings), group_id=None)
    await consumer.start()
    consumer.assign([TopicPartition(settings.topic(LAB_RESULT), 0)])
    return consumer


async def test_a_stop_while_fetches_wait_to_be_tried_again_ends_as_any_other(own_kafka_server: KafkaServer) -> None:
    consumer = await reading(own_kafka_server)
    await asyncio.to_thread(own_kafka_server.stop)
    await eventually(lambda: any(not fetch.done() for fetch in consumer._fetcher._pending_tasks), "a fetch that waits")
    await consumer.stop()
    assert not consumer._client._conns, "nothing is left open"


async def test_a_stop_that_is_cancelled_itself_says_so(
    own_kafka_server: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = await reading(own_kafka_server)
    disconnect, disconnecting = consumer._client.close, asyncio.Event()

    async def never() -> None:
        disconnecting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(consumer._client, "close", never)
    stopping = asyncio.create_task(consumer.stop())
    await disconnecting.wait()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await disconnect()
