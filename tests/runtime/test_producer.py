"""Publishing: confirmed, in order, and honest about brokers that are gone."""

import asyncio
from collections import defaultdict

import confluent_kafka
import pytest
from aiokafka.errors import MessageSizeTooLargeError

from cli.embedded.guarded import free_port
from runtime.exits import Unreachable
from runtime.message import Outgoing
from runtime.producer import Producer
from runtime.settings import Settings
from schemas.topics import LAB_RESULT
from tests.support.kafka import Broker
from tests.support.kafka_server import KafkaServer
from tests.support.streams import content, eventually, publish, with_topics


async def test_what_is_sent_is_there_in_order_when_send_returns(any_broker: Broker) -> None:
    settings = any_broker.settings()
    await with_topics(settings, LAB_RESULT)
    producer = Producer(settings, "test")
    await producer.start()
    keys = [f"k{number % 20}".encode() for number in range(2000)]
    topic = settings.topic(LAB_RESULT)
    await producer.send([Outgoing(topic, key, str(n).encode()) for n, key in enumerate(keys)])
    found = await content(settings, LAB_RESULT)
    await producer.stop()
    by_key: dict[bytes | None, list[int]] = defaultdict(list)
    for message in found:
        by_key[message.key].append(int(message.value or b""))
    assert sum(map(len, by_key.values())) == 2000
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


@pytest.mark.kafka
async def test_a_patient_shares_a_partition_with_what_other_clients_publish(broker: Broker) -> None:
    settings = broker.settings(partitions=12)
    await with_topics(settings, LAB_RESULT)
    topic = settings.topic(LAB_RESULT)
    keys = [f"mercy/p-{number}".encode() for number in range(100)]
    foreign = confluent_kafka.Producer(
        {"bootstrap.servers": settings.kafka_bootstrap_servers, "partitioner": "murmur2_random"}
    )
    for key in keys:
        foreign.produce(topic, b"foreign", key)
    foreign.flush(30)
    await publish(settings, LAB_RESULT, [Outgoing(topic, key, b"ours") for key in keys])
    places = defaultdict(set)
    for message in await content(settings, LAB_RESULT):
        places[message.key].add(message.partition)
    assert len(places) == 100
    assert all(len(partitions) == 1 for partitions in places.values())


async def test_a_broker_that_is_not_there_is_given_up_within_the_patience() -> None:
    settings = Settings.load(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}", patience=1.0)
    producer = Producer(settings, "test")
    with pytest.raises(Unreachable, match=settings.kafka_bootstrap_servers):
        await producer.start()
    assert producer.fault() is not None
    await producer.stop()


@pytest.mark.kafka
async def test_a_message_over_the_limit_is_refused_for_good(broker: Broker) -> None:
    settings = broker.settings()
    await with_topics(settings, LAB_RESULT)
    producer = Producer(settings, "test")
    await producer.start()
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send([Outgoing(settings.topic(LAB_RESULT), b"k", b"x" * 5_000_000)])
    await producer.send([Outgoing(settings.topic(LAB_RESULT), b"k", b"small")])
    await producer.stop()
    assert [message.value for message in await content(settings, LAB_RESULT)] == [b"small"]


@pytest.mark.kafka
@pytest.mark.timeout(180)
async def test_a_send_waits_for_a_broker_that_comes_back(own_kafka_server: KafkaServer) -> None:
    settings = Broker("kafka", own_kafka_server.bootstrap_servers).settings(patience=60.0)
    await with_topics(settings, LAB_RESULT)
    producer = Producer(settings, "test")
    await producer.start()
    await asyncio.to_thread(own_kafka_server.stop)
    topic = settings.topic(LAB_RESULT)
    sending = asyncio.create_task(producer.send([Outgoing(topic, b"k", str(n).encode()) for n in range(100)]))
    await eventually(lambda: producer.fault() is not None, "the fault is seen")
    assert not sending.done()
    await asyncio.to_thread(own_kafka_server.start)
    await asyncio.wait_for(sending, 60)
    assert producer.fault() is None
    assert [m.value for m in await content(settings, LAB_RESULT)] == [str(n).encode() for n in range(100)]
    await producer.stop()


@pytest.mark.kafka
@pytest.mark.timeout(180)
async def test_a_send_that_is_cancelled_while_the_brokers_are_away_ends_soon_and_delivers_nothing_later(
    own_kafka_server: KafkaServer,
) -> None:
    settings = Broker("kafka", own_kafka_server.bootstrap_servers).settings()
    await with_topics(settings, LAB_RESULT)
    producer = Producer(settings, "test")
    await producer.start()
    used = producer._producer
    assert used is not None
    await asyncio.to_thread(own_kafka_server.stop)
    sending = asyncio.create_task(producer.send([Outgoing(settings.topic(LAB_RESULT), b"k", b"given up")]))
    await eventually(lambda: bool(used._message_accumulator._batches or used._sender._in_flight), "a message it holds")
    sending.cancel()
    done, _ = await asyncio.wait({sending}, timeout=5)
    assert done, "no waiting for brokers that are away"
    assert sending.cancelled()
    await asyncio.to_thread(own_kafka_server.start)
    await publish(settings, LAB_RESULT, [Outgoing(settings.topic(LAB_RESULT), b"k", b"later")])
    assert [message.value for message in await content(settings, LAB_RESULT)] == [b"later"]
    await producer.stop()


@pytest.mark.kafka
async def test_a_send_that_fails_while_the_producer_is_being_stopped_says_why(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = broker.settings()
    await with_topics(settings, LAB_RESULT)
    producer = Producer(settings, "test")
    await producer.start()

    async def fail(*_: object) -> None:
        await producer.stop()
        raise MessageSizeTooLargeError("refused")

    monkeypatch.setattr("runtime.producer._send_and_confirm", fail)
    with pytest.raises(MessageSizeTooLargeError, match="refused"):
        await producer.send([Outgoing(settings.topic(LAB_RESULT), b"k", b"v")])
