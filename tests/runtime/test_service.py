"""A service from its start to its end: waiting, health, signals, crashes, and brokers that go away."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from cli.embedded.guarded import free_port
from runtime.exits import Exit
from runtime.settings import Settings, variable
from schemas.topics import DEAD_LETTER, GENOTYPE, LAB_RESULT
from tests.runtime import relay
from tests.runtime.lab_results import message
from tests.support.kafka import Broker
from tests.support.kafka_server import KafkaServer
from tests.support.streams import committed, content, eventually, publish, with_topics

pytestmark = [pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["faust", "aiokafka"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """The relay as a process of its own; killed at the end if it still runs."""
    environment = {
        variable(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in settings.model_dump(exclude_defaults=True).items()
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runtime.relay",
        cwd=ROOT, env={**os.environ, **environment}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


async def accessions(settings: Settings) -> list[str]:
    found = await content(settings, GENOTYPE)
    return [json.loads(each.value or b"")["result"]["accession"] for each in found]


async def all_accessions(settings: Settings, wanted: set[str], seconds: float = 60) -> list[str]:
    deadline = asyncio.get_running_loop().time() + seconds
    while not set(found := await accessions(settings)) >= wanted:
        assert asyncio.get_running_loop().time() < deadline, f"missing {sorted(wanted - set(found))[:5]}"
        await asyncio.sleep(0.1)
    return found


async def answer(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


async def becomes(port: int, path: str, wanted: int) -> None:
    deadline = asyncio.get_running_loop().time() + 60
    while (await answer(port, path))[0] != wanted:
        assert asyncio.get_running_loop().time() < deadline, f"{path} never answered {wanted}"
        await asyncio.sleep(0.1)


async def test_a_broker_that_stays_away_ends_the_service_with_status_4(tmp_path: Path) -> None:
    settings = Settings.load(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}", patience=1.0)
    async with process(settings) as started:
        _, words = await started.communicate()
    assert started.returncode == Exit.UNREACHABLE
    assert settings.kafka_bootstrap_servers in words.decode()
    assert "PGX_KAFKA_BOOTSTRAP_SERVERS" in words.decode(), "says what to do"


async def test_topics_that_nobody_made_end_the_service_with_status_4(broker: Broker) -> None:
    async with process(broker.settings(patience=1.0)) as started:
        _, words = await started.communicate()
    assert started.returncode == Exit.UNREACHABLE
    assert "pgx setup" in words.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_waiting_service_at_once_and_in_order(number: signal.Signals) -> None:
    settings = Settings.load(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}", patience=60.0)
    async with process(settings) as started:
        assert started.stderr is not None
        while b"waiting" not in await started.stderr.readline():
            pass
        started.send_signal(number)
        await asyncio.wait_for(started.communicate(), 30)
    assert started.returncode == 0


@pytest.mark.kafka
async def test_a_signal_under_load_loses_nothing_and_repeats_nothing(broker: Broker, engine: str) -> None:
    settings = broker.settings(stream_engine=engine, instance="copy-1")
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    names = [f"A-{n}" for n in range(3000)]
    await publish(settings, LAB_RESULT, [message(settings, name, f"p-{n % 50}") for n, name in enumerate(names)])
    async with process(settings) as first:
        await all_accessions(settings, {"A-0"})
        first.send_signal(signal.SIGTERM)
        await asyncio.wait_for(first.communicate(), 30)
        assert first.returncode == 0
    async with process(settings):
        found = await all_accessions(settings, set(names))
    assert sorted(found) == sorted(names), "nothing twice"


@pytest.mark.kafka
async def test_killed_at_any_moment_it_goes_on_where_it_was(broker: Broker, engine: str) -> None:
    settings = broker.settings(stream_engine=engine, instance="copy-1")
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    names = [f"A-{n}" for n in range(2000)]
    for round_ in range(3):
        part = names[round_ * 600 : (round_ + 1) * 600]
        await publish(settings, LAB_RESULT, [message(settings, name, f"p-{n % 50}") for n, name in enumerate(part)])
        async with process(settings) as killed:
            await all_accessions(settings, set(part[:5]))
            killed.kill()
    await publish(settings, LAB_RESULT, [message(settings, name) for name in names[1800:]])
    async with process(settings):
        await all_accessions(settings, set(names))
    events = await content(settings, GENOTYPE)
    distinct = {(each.key, each.value, each.headers) for each in events}
    assert len(distinct) == len(names), "what came twice has the same bytes and the same id"
    assert await content(settings, DEAD_LETTER) == []


@pytest.mark.kafka
async def test_a_broker_that_restarts_is_waited_for(own_kafka_server: KafkaServer, engine: str) -> None:
    port = free_port()
    settings = Broker("kafka", own_kafka_server.bootstrap_servers).settings(
        stream_engine=engine, patience=60.0, http_port=port
    )
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    await publish(settings, LAB_RESULT, [message(settings, f"A-{n}") for n in range(20)])
    stop = asyncio.Event()
    task = asyncio.create_task(relay.build(settings).run(stop))
    try:
        await all_accessions(settings, {f"A-{n}" for n in range(20)})
        assert (await answer(port, "/readyz"))[0] == 200
        await asyncio.to_thread(own_kafka_server.stop)
        await becomes(port, "/readyz", 503)
        assert (await answer(port, "/healthz"))[0] == 200, "alive, only not ready"
        await asyncio.to_thread(own_kafka_server.start)
        await publish(settings, LAB_RESULT, [message(settings, f"B-{n}") for n in range(20)])
        await all_accessions(settings, {f"B-{n}" for n in range(20)})
        await becomes(port, "/readyz", 200)
        assert not task.done(), "the same process goes on"
    finally:
        stop.set()
        assert await asyncio.wait_for(task, 60) is Exit.DONE


@pytest.mark.kafka
async def test_a_broker_that_goes_while_a_service_joins_its_group_is_waited_for(
    own_kafka_server: KafkaServer, engine: str
) -> None:
    settings = Broker("kafka", own_kafka_server.bootstrap_servers).settings(stream_engine=engine, patience=60.0)
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    await publish(settings, LAB_RESULT, [message(settings, "A-1")])
    gone, stop = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(relay.build(settings, lifespan=without(own_kafka_server, gone)).run(stop))
    try:
        await gone.wait()
        await asyncio.to_thread(own_kafka_server.start)
        await all_accessions(settings, {"A-1"})
        assert not task.done(), "the same process goes on"
    finally:
        stop.set()
        assert await asyncio.wait_for(task, 60) is Exit.DONE


@pytest.mark.kafka
async def test_a_broker_that_goes_while_a_service_joins_its_group_and_stays_away_is_named(
    own_kafka_server: KafkaServer,
) -> None:
    settings = Broker("kafka", own_kafka_server.bootstrap_servers).settings(stream_engine="faust", patience=2.0)
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    service = relay.build(settings, lifespan=without(own_kafka_server, asyncio.Event()))
    assert await asyncio.wait_for(service.run(asyncio.Event()), 120) is Exit.UNREACHABLE


def without(server: KafkaServer, gone: asyncio.Event) -> Callable[[], AbstractAsyncContextManager[None]]:
    """What a service opens just before it reads its topics; here the broker goes at that moment."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await asyncio.to_thread(server.stop)
        gone.set()
        yield

    return lifespan


@pytest.mark.kafka
async def test_a_member_that_never_gets_back_into_its_group_ends_red(
    broker: Broker, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As aiokafka does now and then after a broker's restart: it goes on trying to join, and nothing else shows it.
    monkeypatch.setattr(Settings, "stuck_seconds", property(lambda _: 3.0))
    settings = broker.settings(stream_engine=engine)
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    await publish(settings, LAB_RESULT, [message(settings, "A-1")])
    service = relay.build(settings)
    task = asyncio.create_task(service.run(asyncio.Event()))
    await all_accessions(settings, {"A-1"})
    assert service._poll_check() is None
    coordinator = service._engine._progress.consumer._coordinator  # type: ignore[attr-defined]

    async def for_ever(_: object) -> bool:
        await asyncio.sleep(0.1)
        return False

    monkeypatch.setattr(coordinator, "_do_rejoin_group", for_ever)
    coordinator._rejoin_needed_fut.get_loop().call_soon_threadsafe(coordinator.request_rejoin)
    assert await asyncio.wait_for(task, 90) is Exit.REFUSED, "so that its supervisor starts it again"
    assert service._poll_check() is not None, "and /healthz is red meanwhile"


@pytest.mark.kafka
async def test_health_readiness_and_metrics_say_how_it_is(broker: Broker, engine: str) -> None:
    port = free_port()
    settings = broker.settings(stream_engine=engine, http_port=port)
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    await publish(settings, LAB_RESULT, [message(settings, "A-1"), message(settings, "refused-1")])
    trouble: list[str | None] = [None]
    stop = asyncio.Event()
    task = asyncio.create_task(relay.build(settings, checks={"store": lambda: trouble[0]}).run(stop))
    try:
        await all_accessions(settings, {"A-1"})
        status, body = await answer(port, "/readyz")
        assert (status, json.loads(body)["checks"]["store"]) == (200, "ok")
        assert (await answer(port, "/healthz"))[0] == 200
        trouble[0] = "the database does not answer"
        status, body = await answer(port, "/readyz")
        assert (status, json.loads(body)["checks"]["store"]) == (503, trouble[0])
        _, exposition = await answer(port, "/metrics")
        for line in (
            'pgx_events_total{outcome="handled",service="relay"} 1.0',
            'pgx_events_total{outcome="dead-letter",service="relay"} 1.0',
            'pgx_dead_letters_total{code="invalid-field",service="relay"} 1.0',
            'pgx_lag{service="relay"} 0.0',
        ):
            assert line in exposition
        assert "pgx_handling_seconds_bucket" in exposition
        assert "pgx_build_info" in exposition
        assert "p-1" not in exposition
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


@pytest.mark.kafka
async def test_a_background_task_that_fails_ends_the_service_after_its_batch(broker: Broker, engine: str) -> None:
    settings = broker.settings(stream_engine=engine)
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    await publish(settings, LAB_RESULT, [message(settings, "A-1")])
    failing = asyncio.Event()

    async def relay_outbox() -> None:
        await failing.wait()
        raise OSError("the lock's session is lost")

    task = asyncio.create_task(relay.build(settings, background=[relay_outbox]).run(asyncio.Event()))
    await all_accessions(settings, {"A-1"})
    failing.set()
    assert await asyncio.wait_for(task, 60) is Exit.REFUSED
    assert sum((await committed(settings, LAB_RESULT, settings.group(relay.NAME))).values()) == 1


@pytest.mark.kafka
async def test_logs_name_events_and_traces_but_never_what_is_in_them(broker: Broker, engine: str) -> None:
    settings = broker.settings(stream_engine=engine, log_format="json", log_level="debug")
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    await publish(
        settings, LAB_RESULT, [message(settings, "broken-1", "p-canary"), message(settings, "A-1", "p-canary")]
    )
    async with process(settings) as started:
        await all_accessions(settings, {"A-1"})
        started.send_signal(signal.SIGTERM)
        _, words = await asyncio.wait_for(started.communicate(), 30)
    lines = [json.loads(line) for line in words.decode().splitlines()]
    assert any(line["event"] == "dead letter" and line["code"] == "internal-error" for line in lines)
    assert any("event_id" in line for line in lines)
    assert "canary" not in words.decode()
    assert "acme-genomics" not in words.decode().replace("/mercy/acme-genomics", "")


async def test_no_thread_keeps_an_ended_service_from_ending(broker: Broker) -> None:
    settings = broker.settings(stream_engine="faust")
    await with_topics(settings, LAB_RESULT, GENOTYPE, DEAD_LETTER)
    stop = asyncio.Event()
    before = set(threading.enumerate())
    task = asyncio.create_task(relay.build(settings).run(stop))
    await publish(settings, LAB_RESULT, [message(settings, "A-1")])
    await all_accessions(settings, {"A-1"})
    stop.set()
    assert await asyncio.wait_for(task, 60) is Exit.DONE
    await eventually(
        lambda: not [t for t in threading.enumerate() if t not in before and not t.daemon], "no thread of the service"
    )
