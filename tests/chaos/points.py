"""The numbered steps of a service at which a test can make something happen.

A service knows nothing of them: :func:`install` wraps its functions from outside, in the process that the test starts.
"""

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.topics import DEAD_LETTER, RECOMMENDATION

STAGES = ("genotyper", "phenotyper", "recommender")
RECOMMENDER = ("recommender",)

Pass = Callable[[str], None]
"""Told the name of a point each time that the process passes it."""


@dataclass(frozen=True, slots=True)
class Point:
    """A step of a service."""

    name: str
    meaning: str
    stages: tuple[str, ...] = STAGES
    poison: bool = False
    """Passed only when something becomes a dead letter."""


POINTS = (
    Point("before-parse", "a batch is taken, nothing of a message is read"),
    Point("after-parse", "a message is read, nothing is made of it"),
    Point("in-transaction", "everything is worked out, nothing is written to the store", RECOMMENDER),
    Point("written", "everything is written, the transaction is not committed", RECOMMENDER),
    Point("committed", "the transaction is committed, the batch is not finished", RECOMMENDER),
    Point("before-send", "what was made is not yet sent"),
    Point("unconfirmed", "the broker has it, its confirmation is not read"),
    Point("confirmed", "what was made is confirmed", ("genotyper", "phenotyper")),
    Point("before-ack", "the batch is finished, nothing of it is acknowledged"),
    Point("acknowledged", "the batch is acknowledged, its positions are not committed"),
    Point("positions-committed", "the positions are committed"),
    Point("relay-read", "the relay has read rows of the outbox", RECOMMENDER),
    Point("relay-confirmed", "the relay's events are confirmed, their rows still there", RECOMMENDER),
    Point("relay-deleted", "the rows are deleted", RECOMMENDER),
    Point("letter-before-send", "a dead letter is made, not sent", poison=True),
    Point("letter-unconfirmed", "the broker has the dead letter, its confirmation is not read", poison=True),
    Point("letter-confirmed", "the dead letter is confirmed", poison=True),
)

_DECODERS = {
    "genotyper": ("services.genotyper.app", "decode_lab_result"),
    "phenotyper": ("schemas.cloudevents", "decode"),
    "recommender": ("services.recommender.app", "decode"),
}


def points_of(stage: str, *, poison: bool = True) -> tuple[Point, ...]:
    """The points that a service passes; ``poison``: with those of dead letters."""
    return tuple(point for point in POINTS if stage in point.stages and (poison or not point.poison))


def install(stage: str, passing: Pass) -> None:
    """Make this process report its points. To be called before the service is built."""
    _around(*_DECODERS[stage], passing, before="before-parse", after="after-parse")
    _producer(passing)
    _around("runtime.service.Service", "_measured", passing, after="before-ack")
    _around("runtime.engines.progress.Progress", "end_batch", passing, after="acknowledged")
    _around("runtime.engines.aiokafka_engine", "_commit", passing, before="acknowledged")
    _around("aiokafka.AIOKafkaConsumer", "commit", passing, after="positions-committed")
    # Called for every batch; only some have letters.
    _around("runtime.dead_letters.DeadLetters", "send", passing, after="letter-confirmed", when=lambda given: given[2])
    if stage == "recommender":
        _around("services.recommender.store.unit.Unit", "save", passing, before="in-transaction", after="written")
        _around("services.recommender.handler.Recommender", "handle", passing, after="committed")
        _around("services.recommender.relay.Relay", "_send", passing, before="relay-read", after="relay-confirmed")
        _around("services.recommender.relay._Session", "done", passing, after="relay-deleted")


def _around(
    owner: str,
    name: str,
    passing: Pass,
    *,
    before: str | None = None,
    after: str | None = None,
    when: Callable[[tuple[Any, ...]], bool] = lambda arguments: True,
) -> None:
    """Wrap a function, plain or asynchronous; ``owner`` is a module or a class in one, ``when`` asks its arguments."""
    holder = _found(owner)
    original = getattr(holder, name)

    def report(point: str | None, arguments: tuple[Any, ...]) -> None:
        if point is not None and when(arguments):
            passing(point)

    @functools.wraps(original)
    async def waiting(*arguments: Any, **named: Any) -> Any:
        report(before, arguments)
        result = await original(*arguments, **named)
        report(after, arguments)
        return result

    @functools.wraps(original)
    def plain(*arguments: Any, **named: Any) -> Any:
        report(before, arguments)
        result = original(*arguments, **named)
        report(after, arguments)
        return result

    setattr(holder, name, waiting if inspect.iscoroutinefunction(original) else plain)


def _producer(passing: Pass) -> None:
    module: Any = importlib.import_module("runtime.producer")
    enqueue, send = module._enqueue, module.Producer.send

    async def reporting_enqueue(producer: Any, message: Any) -> Any:
        letter = message.topic.endswith(DEAD_LETTER.name)
        passing("letter-before-send" if letter else "before-send")
        confirmation = await enqueue(producer, message)
        confirmation.add_done_callback(lambda _: passing("letter-unconfirmed" if letter else "unconfirmed"))
        return confirmation

    async def reporting_send(self: Any, messages: Any) -> None:
        await send(self, messages)
        if messages and not messages[0].topic.endswith((DEAD_LETTER.name, RECOMMENDATION.name)):
            passing("confirmed")

    module._enqueue = reporting_enqueue
    module.Producer.send = reporting_send


def _found(owner: str) -> Any:
    try:
        return importlib.import_module(owner)
    except ModuleNotFoundError:
        module, _, name = owner.rpartition(".")
        return getattr(importlib.import_module(module), name)
