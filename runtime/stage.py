"""The one loop around the stateless services: events in, events out, what cannot be processed to the dead letters."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, Generic, TypeVar

import structlog

from runtime.dead_letters import DeadLetters
from runtime.engines import Handle
from runtime.http import Check
from runtime.logs import logger, where
from runtime.message import Message, Outgoing
from runtime.metrics import Metrics
from runtime.producer import Producer
from runtime.service import Background, Service
from runtime.settings import Settings
from schemas import cloudevents
from schemas.base import Model
from schemas.cloudevents import Event
from schemas.errors import Code, Rejected
from schemas.topics import DEAD_LETTER, Topic

In = TypeVar("In")
Out = TypeVar("Out", bound=Model)
T = TypeVar("T")

Decode = Callable[[bytes | None, bytes | None, Sequence[tuple[str, bytes]]], Event[In]]

_TURN_SECONDS = 0.02
_FLUSH_BYTES = 4 * 1024 * 1024
"""Bounds the memory of what a batch has made but not yet sent."""
_log = logger(__name__)


def stage(
    name: str,
    *,
    source: Topic,
    target: Topic,
    decode: Decode[In],
    transform: Callable[[Event[In]], Out],
    release: Callable[[Out], str],
    revision: int,
    settings: Settings,
    metrics: Metrics | None = None,
    needs: Sequence[Topic] = (),
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    background: Sequence[Background] = (),
    checks: dict[str, Check] | None = None,
) -> Service:
    """A service that makes one event of ``target`` out of each event of ``source``.

    Args:
        name: the stage's name: in its group, its events' ids and source, and its dead letters.
        decode: a message to an event; raises Rejected.
        transform: the domain: an event to the value of the next; pure; raises Rejected.
        release: the knowledge release that a value was made under, which its event's id depends on.
        revision: grows when the stage's code makes something else of the same input.
        metrics, needs, lifespan, background, checks: as for :class:`Service`.
    """
    measured = metrics or Metrics(name)
    producer = Producer(settings, settings.group(name))
    letters = DeadLetters(settings, name, producer, measured)
    step = Step(name, target, settings.topic(target), decode, transform, release, revision)

    @asynccontextmanager
    async def alive() -> AsyncIterator[None]:
        try:
            await producer.start()
            async with lifespan():
                yield
        finally:
            await producer.stop()

    return Service(
        name,
        settings,
        sources=(source,),
        handle=_handle(step, producer, letters),
        metrics=measured,
        needs=(target, DEAD_LETTER, *needs),
        lifespan=alive,
        background=background,
        checks={"producer": producer.fault, **(checks or {})},
    )


def _handle(step: "Step[Any, Any]", producer: Producer, letters: DeadLetters) -> Handle:
    async def handle(batch: Sequence[Message]) -> None:
        outgoing: list[Outgoing] = []
        waiting_bytes = 0
        rejected: list[tuple[Message, Rejected]] = []
        async for message in in_turns(batch):
            result = step(message)
            if isinstance(result, Rejected):
                rejected.append((message, result))
            else:
                outgoing.append(result)
                waiting_bytes += len(result.value or b"")
            if waiting_bytes > _FLUSH_BYTES:
                await producer.send(outgoing)
                outgoing, waiting_bytes = [], 0
        await letters.send(batch, rejected)
        await producer.send(outgoing)

    return handle


class Step(Generic[In, Out]):
    """What a stage does to one message, whole: a message to publish, or the reason for a dead letter. Never raises."""

    def __init__(
        self,
        name: str,
        target: Topic,
        target_name: str,
        decode: Decode[In],
        transform: Callable[[Event[In]], Out],
        release: Callable[[Out], str],
        revision: int,
    ) -> None:
        self._name = name
        self._target = target
        self._target_name = target_name
        self._decode = decode
        self._transform = transform
        self._release = release
        self._revision = revision

    def __call__(self, message: Message) -> Outgoing | Rejected:
        return attempt(lambda: self._derive(message))

    def _derive(self, message: Message) -> Outgoing:
        cause = self._decode(message.key, message.value, plain_headers(message))
        with event_context(cause):
            result = self._transform(cause)
            key, value, headers = cloudevents.encode(
                self._target,
                result,
                id=cloudevents.derived_id(cause, self._name, self._release(result), self._revision),
                source=f"/pgx/{self._name}",
                # The cause's time, so that a second delivery makes the same bytes.
                time=cause.time,
                traceparent=cause.traceparent,
            )
            _log.debug("handled", topic=message.topic, partition=message.partition, offset=message.offset)
        return Outgoing(self._target_name, key, value, tuple(headers))


def attempt(action: Callable[[], T]) -> T | Rejected:
    """Do something pure. An exception that is no Rejected is met with a second attempt, then with ``internal-error``.

    The reason of ``internal-error`` names the exception's type and place in the code only: its text may quote data.
    """
    for last in (False, True):
        try:
            return action()
        except Rejected as rejected:
            return rejected
        except MemoryError:
            raise
        except Exception as error:
            if last:
                _log.error("the domain code failed twice", exc_info=error)
                return Rejected(Code.INTERNAL_ERROR, where(error))
    raise AssertionError("unreachable")


def decode_batch(
    batch: Sequence[Message], decode: Decode[In]
) -> tuple[list[tuple[Message, Event[In]]], list[tuple[Message, Rejected]]]:
    """A batch's events, each with its message, and what is not one."""
    events: list[tuple[Message, Event[In]]] = []
    rejected: list[tuple[Message, Rejected]] = []
    for message in batch:
        result = attempt(lambda message=message: decode(message.key, message.value, plain_headers(message)))  # type: ignore[misc]
        if isinstance(result, Rejected):
            rejected.append((message, result))
        else:
            events.append((message, result))
    return events, rejected


def plain_headers(message: Message) -> list[tuple[str, bytes]]:
    """The headers as decoders want them: a header without a value is an empty one."""
    return [(name, b"" if value is None else value) for name, value in message.headers]


def event_context(event: Event[Any]) -> AbstractContextManager[None]:
    """Log lines inside name the event and, where it has one, the trace."""
    facts = {"event_id": event.id, "event_source": event.source}
    if event.traceparent is not None:
        facts["trace_id"] = event.traceparent.split("-")[1]
    context: AbstractContextManager[None] = structlog.contextvars.bound_contextvars(**facts)
    return context


async def in_turns(batch: Sequence[Message]) -> AsyncIterator[Message]:
    """The messages one by one; long computations between them let heartbeats and health checks have their turn."""
    since = time.monotonic()
    for message in batch:
        yield message
        if time.monotonic() - since > _TURN_SECONDS:
            await asyncio.sleep(0)
            since = time.monotonic()
