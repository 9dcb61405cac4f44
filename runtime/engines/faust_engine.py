"""The engine on Faust. The only module that knows Faust and mode.

Faust acknowledges what failed unless it is kept from it, so it runs by a recipe: streams without automatic
acknowledgement, one actor, acknowledgement in order after ``handle`` returned, bytes that we decode ourselves, and an
application that ends at the first unexpected error. Its producer, web server, tables and logging are not used.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.app.base import BootStrategy
from faust.streams import Stream
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, EventT, StreamT
from mode import CrashingSupervisor
from yarl import URL

from runtime.consumer import Consumer as KafkaConsumer
from runtime.engines import Handle, Subscription
from runtime.engines.assignments import Assignments
from runtime.engines.consumer import (
    HEARTBEAT_SECONDS,
    LAST_COMMIT_SECONDS,
    REBALANCE_SECONDS,
    SESSION_SECONDS,
    begin_or_fail,
    create_consumer,
)
from runtime.engines.progress import Progress
from runtime.message import Message
from runtime.settings import Settings
from runtime.stopping import unless

_STOP_SECONDS = 25.0
_UNDO_SECONDS = 2.0
_COMPANY_TURNS = 10
"""Of the event loop, for which an event waits for another one in its batch: Faust hands over one in every few turns."""


class FaustEngine:
    """See :mod:`runtime.engines` for what it promises."""

    def __init__(self, settings: Settings, subscription: Subscription) -> None:
        self._settings = settings
        self._subscription = subscription
        self._progress = Progress()

    @property
    def joined(self) -> bool:
        return self._progress.joined

    def poll_age(self) -> float:
        return self._progress.poll_age()

    def stalled(self) -> float:
        return self._progress.stalled()

    def lag(self) -> int:
        return self._progress.lag()

    async def run(self, handle: Handle, stop: asyncio.Event) -> None:
        self._progress.begin()
        failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        app = _App(self._settings, self._subscription, self._progress, failure)
        self._consume(app, handle, failure)
        ended = asyncio.create_task(app.wait_for_end())
        stopping = asyncio.create_task(_wait(stop))
        started = False
        try:
            # It returns when the group has given partitions, which can take as long as its other members like.
            if started := await unless(stop, app.start()):
                ends: set[asyncio.Future[None]] = {failure, ended, stopping}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            app.orderly = not failure.done() and not ended.done()
            app.ending.set()
            ended.cancel()
            stopping.cancel()
            with contextlib.suppress(TimeoutError):
                # What could not start waits, when it is stopped, for a thread that has ended.
                async with asyncio.timeout(_STOP_SECONDS if started else _UNDO_SECONDS):
                    await app.stop()
        if failure.done():
            failure.result()
        if not stop.is_set():
            raise app.crash_reason or RuntimeError("Faust ended without being asked to")

    def _consume(self, app: "_App", handle: Handle, failure: "asyncio.Future[None]") -> None:
        source = app.topic(
            *self._subscription.topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )

        async def consume(stream: StreamT[Any]) -> None:
            unacknowledged = cast(Stream[bytes], cast(Stream[bytes], stream).noack())
            async for events in _batches(unacknowledged, self._settings.batch_size):
                self._progress.begin_batch()
                try:
                    await handle([_message(event) for event in events])
                except BaseException as error:
                    if not failure.done() and not isinstance(error, asyncio.CancelledError):
                        failure.set_exception(error)
                    raise
                for event in events:
                    event.ack()
                self._progress.end_batch({_partition(event): event.message.offset + 1 for event in events})

        app.agent(source, name="consume", concurrency=1)(consume)


async def _batches(stream: Stream[bytes], size: int) -> AsyncIterator[list[EventT[bytes]]]:
    """The events of a stream, up to ``size`` of those that are there at a time.

    ``noack_take`` looks at its buffer at intervals, hundreds of times a second: each event waits for the next look.
    """
    events = aiter(stream.events())
    coming = asyncio.create_task(_next(events))
    try:
        while (event := await coming) is not None:
            batch = [event]
            coming = asyncio.create_task(_next(events))
            while len(batch) < size:
                await _turns_until(coming)
                if not coming.done() or (another := coming.result()) is None:
                    break
                batch.append(another)
                coming = asyncio.create_task(_next(events))
            yield batch
    finally:
        coming.cancel()
        await asyncio.wait({coming})


async def _turns_until(coming: "asyncio.Task[Any]") -> None:
    # No timer: it would take a millisecond or more from every event that comes alone.
    for _ in range(_COMPANY_TURNS):
        if coming.done():
            return
        await asyncio.sleep(0)


async def _next(events: AsyncIterator[EventT[bytes]]) -> EventT[bytes] | None:
    return await anext(events, None)


class _Boot(BootStrategy):
    enable_web = False
    enable_sensors = False
    enable_kafka_producer = False


class _App(faust.App):
    BootStrategy = _Boot

    def __init__(
        self, settings: Settings, subscription: Subscription, progress: Progress, failure: "asyncio.Future[None]"
    ) -> None:
        self.pgx_settings = settings
        self.subscription = subscription
        self.progress = progress
        self.assignments = Assignments(settings.instance)
        self.failure = failure
        self.orderly = True
        self.ending = asyncio.Event()
        super().__init__(
            subscription.group,
            broker=[URL(f"kafka://{server}") for server in settings.kafka_bootstrap_servers.split(",")],
            autodiscover=False,
            processing_guarantee="at_least_once",
            agent_supervisor=CrashingSupervisor,
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_buffer_maxsize=settings.batch_size,
            broker_commit_interval=1.0,
            broker_session_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=HEARTBEAT_SECONDS,
            broker_rebalance_timeout=REBALANCE_SECONDS,
            web_enabled=False,
            store="memory://",
        )

    async def wait_for_end(self) -> None:
        """Return when Faust stopped or crashed on its own account."""
        await self.wait_until_stopped()

    def _new_transport(self) -> Transport:
        return _Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Nothing is kept in files, and the file system may be read-only."""


class _Transport(Transport):
    pass


class _Consumer(Consumer):
    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        # Faust waits for the brokers for ever, and for this at its end.
        committing = super().commit(topics, start_new_transaction)
        return await unless(cast(_App, self.app).ending, committing, LAST_COMMIT_SECONDS)

    async def wait_empty(self) -> None:
        if cast(_App, self.app).orderly:
            await super().wait_empty()
        else:
            # What the failed actor holds will never be acknowledged; waiting for it would only delay the end.
            await self.commit_and_end_transactions()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        await super().on_partitions_assigned(assigned, generation_id)
        app = cast(_App, self.app)
        app.progress.joined = True
        app.assignments.assigned(tp.partition for tp in assigned)


_Transport.Consumer = _Consumer


class _ConsumerThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Transport) -> KafkaConsumer:
        app = cast(_App, self.app)
        app.progress.consumer = create_consumer(app.pgx_settings, app.subscription)
        return app.progress.consumer

    async def _fetch_records(
        self,
        consumer: KafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109
        max_records: int | None = None,
    ) -> Mapping[TP, Any]:
        try:
            fetched = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except KafkaError as error:
            try:
                await begin_or_fail(consumer, error)
            except Exception as fatal:
                app = cast(_App, self.app)
                app.loop.call_soon_threadsafe(_fail, app.failure, fatal)
                raise
            return {}
        progress = cast(_App, self.app).progress
        progress.took({place: records[-1].offset + 1 for place, records in fetched.items() if records})
        return fetched


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


def _fail(failure: "asyncio.Future[None]", error: Exception) -> None:
    if not failure.done():
        failure.set_exception(error)


def _message(event: EventT[bytes]) -> Message:
    message = event.message
    headers = message.headers or ()
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    milliseconds = -1 if message.timestamp is None else round(message.timestamp * 1000)
    return Message(
        message.topic, message.partition, message.offset, message.key, message.value, tuple(pairs), milliseconds
    )


def _partition(event: EventT[bytes]) -> TopicPartition:
    return TopicPartition(event.message.topic, event.message.partition)
