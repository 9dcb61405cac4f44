"""The outbox relay on a real PostgreSQL: what was committed is published, in order, whatever happens to relays."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import orjson
import pytest

from runtime.exits import Unreachable
from runtime.message import Outgoing
from runtime.metrics import Metrics
from runtime.producer import Producer
from runtime.retry import Fault as NoFault
from runtime.settings import Settings
from schemas.lab_result import Status
from services.recommender import relay
from services.recommender.body import pack
from services.recommender.handler import Recommender
from services.recommender.relay import Relay
from services.recommender.store import Store
from tests.services.recommender.builders import assigned

pytestmark = pytest.mark.postgres

POOR, NORMAL = {"CYP2C19": "*2/*2"}, {"CYP2C19": "*1/*1"}
Fault = Callable[[Sequence[Outgoing]], Awaitable[None]]


async def nothing(messages: Sequence[Outgoing]) -> None:
    """What happens before or after an undisturbed send."""


class Wire(Producer):
    """Takes what the relay sends; ``before`` and ``after`` are what goes wrong."""

    def __init__(self, settings: Settings, before: Fault = nothing, after: Fault = nothing) -> None:
        super().__init__(settings, "test")
        self.sent: list[Outgoing] = []
        self._before, self._after = before, after

    async def send(self, messages: Sequence[Outgoing]) -> None:
        await self._before(messages)
        self.sent += messages
        await self._after(messages)

    def of(self, patient: str) -> list[int]:
        """Sequences sent for a patient."""
        values = [orjson.loads(message.value or b"") for message in self.sent]
        return [value["sequence"] for value in values if value["patient"] == patient]

    @property
    def ids(self) -> list[bytes | None]:
        return [dict(message.headers)["ce_id"] for message in self.sent]


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings.load(database_url=database_url, patience=5.0)


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ConnectionResetError):
            await task


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the condition is another system's
            await asyncio.sleep(0.02)


async def empty(store: Store) -> bool:
    return bool(await store.pool.fetchval("SELECT count(*) = 0 FROM outbox"))


async def relays(store: Store) -> list[int]:
    """Process ids of the sessions of this database's relays; other databases of the server have relays too."""
    return [
        row["pid"]
        for row in await store.pool.fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgx relay' AND datname = current_database()"
        )
    ]


async def test_publishes_each_patients_events_in_order_and_clears_the_outbox(
    settings: Settings, store: Store, recommender: Recommender
) -> None:
    wire = Wire(settings)
    async with running(Relay(settings, wire)):
        for version in range(1, 6):
            calls = POOR if version % 2 else NORMAL
            await recommender.handle([assigned(calls, patient=f"p-{n}", version=version) for n in range(8)])
        await until(lambda: empty(store))
    assert [wire.of(f"p-{n}") for n in range(8)] == [[1, 2, 3, 4, 5]] * 8
    assert {message.key for message in wire.sent} == {f"mercy/p-{n}".encode() for n in range(8)}


async def test_publishes_what_was_committed_before_a_crash(
    settings: Settings, store: Store, recommender: Recommender
) -> None:
    await recommender.handle([assigned(POOR), assigned(NORMAL, version=2)])
    wire = Wire(settings)
    async with running(Relay(settings, wire)):
        await until(lambda: empty(store))
    assert wire.of("p-1") == [1, 2]


async def test_sends_again_under_the_same_id_what_was_sent_but_not_cleared(
    settings: Settings, store: Store, recommender: Recommender
) -> None:
    async def killed(messages: Sequence[Outgoing]) -> None:
        raise ConnectionResetError("the process died after the brokers had confirmed")

    await recommender.handle([assigned(POOR), assigned(NORMAL, version=2, status=Status.CORRECTED)])
    first, second = Wire(settings, after=killed), Wire(settings)
    async with running(Relay(settings, first)):
        await until(lambda: _done(bool(first.sent)))
    async with running(Relay(settings, second)):
        await until(lambda: empty(store))
    # A relay that was not sure sends once more: what counts is the order of the first copies.
    assert list(dict.fromkeys(second.ids)) == list(dict.fromkeys(first.ids))
    assert list(dict.fromkeys(second.of("p-1"))) == [1, 2]


async def _done(value: bool) -> bool:
    return value


async def test_two_relays_share_the_lanes_and_publish_nothing_twice(
    settings: Settings, store: Store, recommender: Recommender
) -> None:
    one, other = Wire(settings), Wire(settings)
    async with running(Relay(settings, one)), running(Relay(settings, other)):
        number = 0

        async def both_at_work() -> bool:
            nonlocal number
            number += 1
            await recommender.handle([assigned(POOR, patient=f"p-{number}-{n}") for n in range(5)])
            return bool(one.sent and other.sent)

        await until(both_at_work)
        await until(lambda: empty(store))
    assert len(set(one.ids + other.ids)) == len(one.ids + other.ids) == 5 * number


async def test_another_relay_takes_over_when_one_ends(
    settings: Settings, store: Store, recommender: Recommender
) -> None:
    async with running(Relay(settings, Wire(settings))):
        await until(lambda: _holds_all(store))
        survivor = Wire(settings)
        async with running(Relay(settings, survivor)) as task:
            await until(lambda: _two(store))
            await store.pool.execute("SELECT pg_terminate_backend($1)", min(await relays(store)))
            await recommender.handle([assigned(POOR, patient=f"p-{n}") for n in range(40)])
            await until(lambda: empty(store))
            assert not task.done()


async def _holds_all(store: Store) -> bool:
    return bool(
        await store.pool.fetchval(
            "SELECT count(*) >= 16 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        )
    )


async def _two(store: Store) -> bool:
    return len(await relays(store)) == 2


async def test_a_relay_that_loses_its_session_sends_no_more_of_what_it_had_begun(
    settings: Settings, store: Store, recommender: Recommender
) -> None:
    begun, cut = asyncio.Event(), asyncio.Event()

    async def hang_once(messages: Sequence[Outgoing]) -> None:
        if not begun.is_set():
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cut.set()

    wire = Wire(settings, before=hang_once)
    relay = Relay(settings, wire)
    await recommender.handle([assigned(POOR)])
    async with running(relay):
        await asyncio.wait_for(begun.wait(), 10)
        for pid in await relays(store):
            await store.pool.execute("SELECT pg_terminate_backend($1)", pid)
        await asyncio.wait_for(cut.wait(), 10)
        assert wire.sent == []
        await until(lambda: empty(store))
    assert wire.of("p-1") == [1]


async def test_works_without_notifications(settings: Settings, store: Store, recommender: Recommender) -> None:
    wire = Wire(settings)
    async with running(Relay(settings, wire)):
        await until(lambda: _holds_all(store))
        await store.pool.execute(
            "INSERT INTO outbox (lane, key, headers, body) VALUES (3, 'mercy/p-1', '[]', $1)",
            pack(b"{}"),
        )
        await until(lambda: empty(store))
    assert [message.value for message in wire.sent] == [b"{}"]


async def test_shows_its_backlog_and_its_age(settings: Settings, store: Store, recommender: Recommender) -> None:
    async def down(messages: Sequence[Outgoing]) -> None:
        await asyncio.Event().wait()

    metrics = Metrics("recommender")
    await recommender.handle([assigned(POOR, patient=f"p-{n}") for n in range(3)])
    await store.pool.execute("UPDATE outbox SET recorded = now() - interval '90 s'")
    relay = Relay(settings, Wire(settings, before=down), metrics)
    async with running(relay):
        await until(lambda: _done(relay.depth == 3))
    assert relay.oldest_seconds > 89
    assert b'pgx_outbox_depth{service="recommender"} 3.0' in metrics.exposition()


async def test_gives_up_when_the_database_stays_away(settings: Settings) -> None:
    gone = Settings.load(database_url="postgresql://pgx@/pgx?host=/nowhere", patience=1.0)
    relay = Relay(gone, Wire(settings))
    with pytest.raises(Unreachable, match="PostgreSQL"):
        await relay.run()
    assert relay.fault() is not None


async def test_a_relay_that_hangs_is_seen_by_its_watchdog_and_a_working_one_is_not(
    settings: Settings, store: Store, recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "stuck_seconds", property(lambda _: 2.5))
    answered = asyncio.Event()

    async def never(_: Sequence[Outgoing]) -> None:
        await answered.wait()

    relay = Relay(settings, Wire(settings, before=never))
    async with running(relay):
        await until(lambda: empty(store))
        assert relay.stalled() is None, "nothing to send is no fault"
        await recommender.handle([assigned(POOR)])
        await until(lambda: asyncio.sleep(0, relay.stalled() is not None))
        answered.set()
        await until(lambda: empty(store))
        await until(lambda: asyncio.sleep(0, relay.stalled() is None))


async def test_the_lanes_of_a_relay_that_stands_still_go_to_another(
    settings: Settings, store: Store, recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_SILENT_SECONDS", 2.0)
    frozen = await relay._Session.open(settings, NoFault())
    await frozen.share()
    await recommender.handle([assigned(POOR)])
    assert await frozen.next(), "it has the lane"
    wire = Wire(settings)
    async with running(Relay(settings, wire)):
        await until(lambda: empty(store))
    assert len(wire.sent) == 1
    await frozen.close()
