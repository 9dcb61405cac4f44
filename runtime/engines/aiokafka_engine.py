"""The engine on bare aiokafka: get, handle, commit, in one loop."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from runtime.consumer import Consumer
from runtime.engines import Handle, Subscription
from runtime.engines.assignments import Assignments
from runtime.engines.consumer import LAST_COMMIT_SECONDS, begin_or_fail, create_consumer
from runtime.engines.progress import Progress
from runtime.logs import logger
from runtime.message import Message
from runtime.settings import Settings
from runtime.stopping import unless

_POLL_MS = 200
_STOP_SECONDS = 10.0
_log = logger(__name__)


class AiokafkaEngine:
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
        consumer = create_consumer(self._settings, self._subscription)
        listener = _Listener(self._progress, Assignments(self._settings.instance))
        consumer.subscribe(self._subscription.topics, listener=listener)
        try:
            if not await unless(stop, consumer.start()):
                return
            self._progress.consumer = consumer
            while not stop.is_set():
                await self._step(consumer, listener, handle, stop)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await consumer.stop()

    async def _step(self, consumer: Consumer, listener: "_Listener", handle: Handle, stop: asyncio.Event) -> None:
        try:
            fetched = await consumer.getmany(timeout_ms=_POLL_MS)
        except KafkaError as error:
            await begin_or_fail(consumer, error)
            return
        if not fetched:
            return
        held = listener.revocations
        # Partitions change hands between batches, never during one. Fetching is outside: it waits for them.
        async with listener.turn:
            if held != listener.revocations:
                # They did while this waited: what was fetched comes again, from the position that is committed.
                return
            self._progress.begin_batch()
            await handle(_messages(fetched))
            handled = {partition: records[-1].offset + 1 for partition, records in fetched.items()}
            await unless(stop, _commit(consumer, handled), LAST_COMMIT_SECONDS)
            self._progress.end_batch(handled)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, progress: Progress, assignments: Assignments) -> None:
        self.turn = asyncio.Lock()
        self.revocations = 0
        self._progress = progress
        self._assignments = assignments

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        async with self.turn:
            self.revocations += 1
            _log.debug("partitions revoked", partitions=sorted(p.partition for p in revoked))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._progress.joined = True
        self._assignments.assigned(p.partition for p in assigned)


def _messages(fetched: dict[TopicPartition, list[Any]]) -> Sequence[Message]:
    return [
        Message(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers), r.timestamp)
        for records in fetched.values()
        for r in records
    ]


async def _commit(consumer: Consumer, handled: dict[TopicPartition, int]) -> None:
    try:
        await consumer.commit(handled)
    except (CommitFailedError, IllegalStateError):
        # The group has moved on without this member: the batch comes again, to whoever has the partition now.
        _log.warning("positions not committed: the partitions changed hands", partitions=len(handled))
