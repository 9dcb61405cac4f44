"""A stateless service: what becomes of events, good and bad."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runtime import dead_letters
from runtime.exits import Exit
from runtime.message import Message, Outgoing
from runtime.producer import Producer
from runtime.settings import Settings
from schemas import cloudevents
from schemas.topics import DEAD_LETTER, GENOTYPE, LAB_RESULT
from tests.runtime import relay
from tests.runtime.lab_results import TRACE, lab_result, message
from tests.support.kafka import Broker
from tests.support.streams import committed, content, eventually, publish, with_topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


@pytest.fixture(params=["faust", "aiokafka"])
async def settings(request: pytest.FixtureRequest, broker: Broker) -> Settings:
    settings = broker.settings(stream_engine=request.param)
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    return settings


@asynccontextmanager
async def running(settings: Settings, domain: relay.Domain | None = None) -> AsyncIterator["asyncio.Task[Exit]"]:
    stop = asyncio.Event()
    task = asyncio.create_task(relay.build(settings, domain).run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=60)


async def results(settings: Settings, derived: int, dead: int) -> tuple[list[Message], list[Message]]:
    """What is on the target and dead-letter topics, once there is so much on both."""
    for _ in range(200):
        found = await content(settings, GENOTYPE), await content(settings, DEAD_LETTER)
        if (len(found[0]), len(found[1])) >= (derived, dead) and len(found[1]) >= dead:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(found[0])} derived and {len(found[1])} dead letters, wanted {derived} and {dead}")


async def test_each_result_becomes_one_event_that_names_its_cause(settings: Settings) -> None:
    ids = (
        ("ce_specversion", b"1.0"), ("ce_id", b"lab-1"), ("ce_source", b"/mercy/acme"),
        ("ce_type", LAB_RESULT.name.encode()), ("ce_time", b"2026-11-23T10:00:01Z"), ("traceparent", TRACE.encode()),
    )  # fmt: skip
    await publish(settings, LAB_RESULT, [message(settings, "A-1", headers=ids), message(settings, "A-2", "p-2")])
    async with running(settings):
        derived, dead = await results(settings, 2, 0)
    assert dead == []
    [first] = [m for m in derived if m.key == b"mercy/p-1"]
    event = cloudevents.decode(GENOTYPE, first.key, first.value, [(n, v or b"") for n, v in first.headers])
    cause = cloudevents.decode_lab_result(b"mercy/p-1", lab_result("A-1"), [(n, v or b"") for n, v in ids])
    assert event.id == cloudevents.derived_id(cause, relay.NAME, "test", 1)
    assert (event.source, event.time, event.traceparent) == ("/pgx/relay", "2026-11-23T10:00:01Z", TRACE)
    assert event.data.result.event_id == "lab-1"


async def test_the_same_result_twice_makes_the_same_bytes_twice(settings: Settings) -> None:
    await publish(settings, LAB_RESULT, [message(settings, "A-1"), message(settings, "A-1")])
    async with running(settings):
        derived, _ = await results(settings, 2, 0)
    first, second = derived
    assert (first.key, first.value, first.headers) == (second.key, second.value, second.headers)


async def test_what_cannot_be_processed_is_kept_whole_and_its_neighbours_go_on(settings: Settings) -> None:
    odd = (("größe", b"\xff\xfe"), ("nothing", None), ("dlq_code", b"not ours"), ("ce_extra", b"x"))
    lab = settings.topic(LAB_RESULT)
    await publish(
        settings,
        LAB_RESULT,
        [
            message(settings, "A-1", partition=0),
            Outgoing(lab, b"mercy/p-1", b"\xff{not json", odd, partition=0),
            Outgoing(lab, None, None, partition=0),
            message(settings, "refused-1", headers=odd[:3], partition=0),
            message(settings, "broken-1", partition=0),
            message(settings, "flaky-1", partition=0),
            Outgoing(lab, b"mercy/p-2", lab_result("A-2", "p-1"), partition=0),
            message(settings, "A-3", partition=0),
        ],
    )
    domain = relay.Domain()
    async with running(settings, domain) as task:
        derived, dead = await results(settings, 3, 5)
        assert not task.done(), "poison does not end the service"
    assert [json.loads(m.value or b"")["result"]["accession"] for m in derived] == ["A-1", "flaky-1", "A-3"]

    published = await content(settings, LAB_RESULT)
    letters = [letter async for letter in dead_letters.stored(settings)]
    for letter in letters:
        assert letter.message == published[letter.message.offset], "original bytes, headers, position and time"
    by_offset = {letter.message.offset: letter for letter in letters}
    codes = {offset: letter.code for offset, letter in by_offset.items()}
    assert codes == {1: "not-json", 2: "empty-value", 3: "invalid-field", 4: "internal-error", 6: "key-mismatch"}
    assert by_offset[3].reason == "väärä arvo, 無効な値"
    assert (by_offset[3].path, by_offset[1].path) == ("genotypes[0].gt", None)
    assert by_offset[3].id == f"relay:{lab}:0:3"

    assert domain.attempts["broken-1"] == 2, "once more, at once, and no more"
    assert "ZeroDivisionError" in by_offset[4].reason
    assert "secret" not in by_offset[4].reason
    assert "relay.py" in by_offset[4].reason
    assert len(dead) == 5


async def test_a_dead_letter_can_be_sent_again_as_it_was(settings: Settings) -> None:
    await publish(
        settings, LAB_RESULT, [message(settings, "refused-1", headers=(("x", b"1"),)), message(settings, "A-1")]
    )
    async with running(settings):
        await results(settings, 1, 1)
        [letter] = [letter async for letter in dead_letters.stored(settings)]
        producer = Producer(settings, "test")
        await producer.start()
        await dead_letters.retry(producer, [letter])
        await producer.stop()
        await results(settings, 1, 2)
    again = [m for m in await content(settings, LAB_RESULT) if m.headers == (("x", b"1"),)]
    assert len(again) == 2
    assert again[0].value == again[1].value
    assert again[0].partition == again[1].partition
    assert len([letter async for letter in dead_letters.stored(settings)]) == 2, "it failed again, at its new position"


async def test_a_letter_that_was_written_twice_is_listed_once(settings: Settings) -> None:
    await publish(settings, LAB_RESULT, [message(settings, "refused-1")])
    async with running(settings):
        _, [letter] = await results(settings, 0, 1)
    await publish(settings, DEAD_LETTER, [Outgoing(letter.topic, letter.key, letter.value, letter.headers)])
    assert len(await content(settings, DEAD_LETTER)) == 2
    assert len([each async for each in dead_letters.stored(settings)]) == 1


async def test_a_topic_full_of_poison_ends_the_service_before_anything_is_acknowledged(
    broker: Broker, settings: Settings
) -> None:
    limited = broker.settings(
        topic_prefix=settings.topic_prefix, stream_engine=settings.stream_engine, dead_letter_limit=20
    )
    bad = [Outgoing(settings.topic(LAB_RESULT), b"k", b"poison", partition=1) for _ in range(30)]
    good = [message(settings, f"A-{n}", partition=0) for n in range(3)]
    await publish(settings, LAB_RESULT, [*bad, *good])
    async with running(limited) as task:
        await eventually(task.done, "the end of the service")
        assert task.result() is Exit.REFUSED
    assert (await committed(settings, LAB_RESULT, settings.group(relay.NAME))).get(1, 0) < 20


async def test_started_again_and_again_it_does_not_drain_such_a_topic_into_the_dead_letters(
    broker: Broker, settings: Settings
) -> None:
    limited = broker.settings(
        topic_prefix=settings.topic_prefix, stream_engine=settings.stream_engine, dead_letter_limit=20, batch_size=8
    )
    await publish(
        settings, LAB_RESULT, [Outgoing(settings.topic(LAB_RESULT), b"k", b"poison", partition=1) for _ in range(60)]
    )
    for _ in range(3):
        async with running(limited) as task:
            await eventually(task.done, "the end of the service")
            assert task.result() is Exit.REFUSED
    assert len({one.id async for one in dead_letters.stored(settings)}) < 20


async def test_bad_messages_among_good_ones_do_not_reach_the_limit(broker: Broker, settings: Settings) -> None:
    limited = broker.settings(
        topic_prefix=settings.topic_prefix, stream_engine=settings.stream_engine, dead_letter_limit=3
    )
    mixed = [message(settings, f"{'A' if n % 3 == 2 else 'refused'}-{n}", partition=0) for n in range(12)]
    await publish(settings, LAB_RESULT, mixed)
    async with running(limited) as task:
        await results(settings, 4, 8)
        assert not task.done()


async def test_a_message_of_full_size_still_becomes_a_dead_letter(settings: Settings) -> None:
    # Large headers and a value that together are all that the topic carries.
    huge = Outgoing(settings.topic(LAB_RESULT), b"k", b"x" * (4 * 1024 * 1024 - 30_200), (("h", b"y" * 30_000),))
    await publish(settings, LAB_RESULT, [huge])
    async with running(settings):
        await results(settings, 0, 1)
    [letter] = [letter async for letter in dead_letters.stored(settings)]
    assert (letter.message.value, letter.message.headers, letter.code) == (huge.value, huge.headers, "too-large")
