"""Small lab results at a steady rate, and what each service has made of them."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka import client_options
from schemas.cloudevents import headers_of
from schemas.topics import GENOTYPE, LAB_RESULT, PHENOTYPE
from tests.chaos.deployment import PARTITIONS, Deployment
from tests.chaos.workload import Input

STAGES = ("genotyper", "phenotyper", "recommender")
_TARGETS = {"genotyper": GENOTYPE, "phenotyper": PHENOTYPE}
_PAIRS = ("*1/*1", "*1/*2", "*2/*2", "*1/*17", "*2/*17")


def small(number: int, patients: int = 1_000_000_000) -> Input:
    """A panel of three reported genes; results of one patient replace one another."""
    patient = f"p-{number % patients}"
    result = {
        "tenant": "bench", "patient": patient, "accession": f"A-{patient}", "laboratory": "lab", "status": "final",
        "version": 1 + number // patients, "issued": "2026-11-23T10:00:00Z", "assembly": "GRCh38",
        "reported": [
            {"gene": "CYP2C19", "diplotype": _PAIRS[number % len(_PAIRS)]},
            {"gene": "TPMT", "diplotype": "*1/*1"},
            {"gene": "CYP3A5", "diplotype": "*3/*3"},
        ],
    }  # fmt: skip
    headers = headers_of(LAB_RESULT, id=f"{number}", source="/bench", time="2026-11-23T10:00:00Z")
    key, value = f"bench/{patient}".encode(), json.dumps(result).encode()
    return Input(number, key, value, tuple(headers), ("/bench", f"{number}"))


@asynccontextmanager
async def live(deployment: Deployment, rate: float, first: int) -> AsyncIterator[None]:
    """Publish at a steady rate for the length of the block."""

    async def publish() -> None:
        began, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * rate)
            if due > sent:
                await deployment.publish(small(first + number) for number in range(sent, due))
                sent = due
            await asyncio.sleep(0.05)

    publishing = asyncio.create_task(publish())
    try:
        yield
    finally:
        publishing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await publishing


class Output:
    """How much each service has put out so far."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._consumer = AIOKafkaConsumer(**client_options(deployment.settings))
        self._connection: Any = None

    async def __aenter__(self) -> "Output":
        await self._consumer.start()
        self._connection = await self._deployment.machine.database.connect(self._deployment.name)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._consumer.stop()
        await self._connection.close()

    async def of(self, stage: str) -> int:
        if stage in _TARGETS:
            name = self._deployment.settings.topic(_TARGETS[stage])
            places = [TopicPartition(name, number) for number in range(PARTITIONS)]
            return sum((await self._consumer.end_offsets(places)).values())
        handled: int = await self._connection.fetchval("SELECT count(*) FROM inbox")
        return handled

    async def grows(self, stage: str, beyond: int, seconds: float = 120.0) -> float:
        """The moment at which the service has put out more than so much."""
        deadline = time.monotonic() + seconds
        while await self.of(stage) <= beyond:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the {stage} put nothing out for {seconds:.0f} s")
            await asyncio.sleep(0.02)
        return time.monotonic()
