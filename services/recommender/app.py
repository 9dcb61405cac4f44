"""The recommender as a process: wiring only."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby
from typing import Any

from knowledge.loader import Releases
from runtime import service
from runtime.dead_letters import DeadLetters
from runtime.message import Message
from runtime.metrics import Metrics
from runtime.producer import Producer
from runtime.retry import Fault
from runtime.service import Service
from runtime.settings import Settings
from runtime.stage import Decode, decode_batch
from schemas.cloudevents import Event, decode, decode_clinical_context
from schemas.errors import Rejected
from schemas.phenotype import PhenotypeAssigned
from schemas.topics import CLINICAL_CONTEXT, DEAD_LETTER, PHENOTYPE, RECOMMENDATION
from services.recommender.advice import prepare
from services.recommender.handler import STAGE, Recommender, Taken
from services.recommender.interpretation import Interpret, as_delivered
from services.recommender.migrations import wait_until_migrated
from services.recommender.relay import Relay
from services.recommender.store import Store
from services.recommender.store.connection import persistently


def build(settings: Settings, interpret: Interpret = as_delivered) -> Service:
    """The service: events into the store and, beside that, the relay from its outbox to the hospitals.

    ``interpret`` reads results that were called under another release than the one that governs.
    """
    app = _App(settings, interpret)
    return Service(
        STAGE,
        settings,
        sources=(PHENOTYPE, CLINICAL_CONTEXT),
        handle=app.handle,
        metrics=app.metrics,
        needs=(RECOMMENDATION, DEAD_LETTER),
        lifespan=app.alive,
        background=(app.relay.run,),
        checks={
            "database": app.database,
            "dead-letter-producer": app.letters_producer.fault,
            "relay": app.relay.fault,
            "relay-producer": app.relay_producer.fault,
        },
        watchdogs={"relay": app.relay.stalled},
    )


def main(settings: Settings, interpret: Interpret) -> int:
    """Run the service as this process; the exit status."""
    return service.main(build(settings, interpret))


class _App:
    """What the service is made of, and how long each part lives."""

    def __init__(self, settings: Settings, interpret: Interpret) -> None:
        self._settings = settings
        self._interpret = interpret
        self._releases = Releases(None, *settings.knowledge_folders)
        self._context = settings.topic(CLINICAL_CONTEXT)
        self.metrics = Metrics(STAGE)
        self.database = Fault()
        self.letters_producer = Producer(settings, settings.group(STAGE))
        # Apart from the other one: a relay that loses its session cuts its producer off in the middle of a send.
        self.relay_producer = Producer(settings, settings.group("relay"))
        self.relay = Relay(settings, self.relay_producer, self.metrics)
        self._letters = DeadLetters(settings, STAGE, self.letters_producer, self.metrics)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Everything is open between the first batch and the last."""
        async with AsyncExitStack() as stack:
            await wait_until_migrated(self._settings, self.database)
            self._store = await stack.enter_async_context(
                await Store.open(self._settings, STAGE, fault=self.database, locks=True)
            )
            self._recommender = Recommender(self._store, self._releases.load, self._interpret)
            producers = (self.letters_producer, self.relay_producer)
            for producer in producers:
                stack.push_async_callback(producer.stop)
            # All at once: after a restart patients wait for the slowest of them, not for their sum.
            await asyncio.gather(
                asyncio.to_thread(lambda: prepare(self._releases.load(self._releases.newest()))),
                *(producer.start() for producer in producers),
            )
            yield

    async def handle(self, batch: Sequence[Message]) -> None:
        """One batch of events: effects committed, dead letters confirmed when it returns."""
        decoded: list[tuple[Message, Taken]] = []
        rejected: list[tuple[Message, Rejected]] = []
        for topic, messages_of in groupby(batch, key=lambda message: message.topic):
            decode: Decode[Any] = decode_clinical_context if topic == self._context else _decode
            good, bad = decode_batch(list(messages_of), decode)
            decoded += good
            rejected += bad
        events = [event for _, event in decoded]
        failures = await persistently(self._settings, self.database, lambda: self._recommender.handle(events))
        messages = {id(event): message for message, event in decoded}
        rejected += [(messages[id(failure.event)], failure.reason) for failure in failures]
        await self._letters.send(batch, rejected)
        self.metrics.knowledge_releases(
            {event.data.genotype.knowledge.release for event in events if isinstance(event.data, PhenotypeAssigned)}
        )


def _decode(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Event[PhenotypeAssigned]:
    return decode(PHENOTYPE, key, value, headers)
