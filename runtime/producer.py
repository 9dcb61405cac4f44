"""The one way to publish: an idempotent producer whose ``send`` returns when the brokers have confirmed everything."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from runtime.kafka import client_options, transient_fault, unreachable
from runtime.message import Outgoing
from runtime.retry import Fault, persist
from runtime.settings import Settings
from schemas.topics import DEAD_LETTER_BYTES

_BATCH_BYTES = 1024 * 1024
_CLOSE_SECONDS = 10.0


class Producer:
    """Publishes messages in order for each partition, with ``acks=all``, by the key's murmur2 hash as Java clients do.

    ``fault`` says what is wrong while the brokers do not confirm; it is a readiness check.
    """

    def __init__(self, settings: Settings, client: str) -> None:
        self._settings = settings
        self._client = client
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()
        self.fault = Fault()

    async def start(self) -> None:
        """Connect.

        Raises:
            Unreachable: no broker answered within the patience.
        """
        await self._persistently(())

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Publish all messages and return when every one is confirmed.

        Faults that may go away are waited out: then all messages of the call are sent again, so that some can be there
        twice, still in order. Concurrent calls wait for one another.

        Raises:
            Unreachable: not all were confirmed within the patience.
            KafkaError: one was refused for good, as too large or not permitted.
        """
        if messages:
            async with self._turn:
                await self._persistently(messages)

    async def stop(self) -> None:
        """Disconnect, in bounded time even when the brokers are gone. What ``send`` took is settled already."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)

    async def _persistently(self, messages: Sequence[Outgoing]) -> None:
        await persist(
            lambda: self._attempt(messages),
            transient=transient_fault,
            patience=self._settings.patience,
            fault=self.fault,
            gave_up=lambda tried: unreachable(self._settings, tried),
        )

    async def _attempt(self, messages: Sequence[Outgoing]) -> None:
        if self._producer is None:
            self._producer = await self._connect()
        producer = self._producer
        try:
            await _send_and_confirm(producer, messages)
        except BaseException:
            # After a failed batch the sequence numbers of an idempotent producer have a gap: only a new one can go on.
            self._producer = None
            await _abandon(producer)
            raise

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._settings),
            client_id=self._client,
            acks="all",
            enable_idempotence=self._settings.kafka_idempotence,
            max_batch_size=_BATCH_BYTES,
            max_request_size=DEAD_LETTER_BYTES,
        )
        try:
            async with asyncio.timeout(self._settings.patience):
                await producer.start()
        except BaseException:
            await _close(producer)
            raise
        return producer


async def _send_and_confirm(producer: AIOKafkaProducer, messages: Sequence[Outgoing]) -> None:
    confirmations: list[asyncio.Future[Any]] = []
    try:
        for message in messages:
            confirmations.append(await _enqueue(producer, message))  # noqa: PERF401 - kept when one fails
    finally:
        outcomes = await asyncio.gather(*confirmations, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _enqueue(producer: AIOKafkaProducer, message: Outgoing) -> asyncio.Future[Any]:
    if message.key is None and message.value is None:
        return await _enqueue_nothing(producer, message)
    confirmation: asyncio.Future[Any] = await producer.send(
        message.topic,
        value=message.value,
        key=message.key,
        partition=message.partition,
        timestamp_ms=message.timestamp_ms,
        headers=list(message.headers),
    )
    return confirmation


async def _enqueue_nothing(producer: AIOKafkaProducer, message: Outgoing) -> asyncio.Future[Any]:
    # ``send`` refuses a message with neither key nor value, which is legal on a topic; a batch of one does not.
    partition = message.partition
    if partition is None:
        partition = min(await producer.partitions_for(message.topic))
    timestamp = int(time.time() * 1000) if message.timestamp_ms is None else message.timestamp_ms
    batch = producer.create_batch()
    batch.append(key=None, value=None, timestamp=timestamp, headers=list(message.headers))
    confirmation: asyncio.Future[Any] = await producer.send_batch(batch, message.topic, partition=partition)
    return confirmation


async def _close(producer: AIOKafkaProducer) -> None:
    for close in (producer.stop, producer.client.close):
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await close()


async def _abandon(producer: AIOKafkaProducer) -> None:
    """Disconnect without waiting for brokers to take what it holds: that is sent anew, or not wanted any more.

    aiokafka has no call for it: its ``stop`` waits, and when that is cut short its sender goes on and delivers once the
    brokers are back.
    """
    producer._closed = True
    sending = producer._sender.sender_task
    if sending is not None:
        sending.cancel()
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await producer.client.close()
    if sending is not None:
        await asyncio.wait({sending}, timeout=_CLOSE_SECONDS)
