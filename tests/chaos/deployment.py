"""One deployment on a machine: its settings, its topics and database, its publisher, and what it leaves behind."""

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from aiokafka.partitioner import murmur2

from runtime.dead_letters import parse
from runtime.message import Message, Outgoing
from runtime.producer import Producer
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.cloudevents import headers_of
from schemas.topics import DEAD_LETTER, FROM_OUTSIDE, GENOTYPE, LAB_RESULT, PHENOTYPE, RECOMMENDATION, Topic
from tests.chaos.fleet import Fleet
from tests.chaos.machine import ROOT, Machine
from tests.chaos.oracle import Letter, Observed, Published
from tests.chaos.workload import NUMBER, Input, order_is_open
from tests.support.postgres import execute

PARTITIONS = 4
MARKER = "marker"
"""Tenant of results that show that everything before them has gone through; no oracle counts them."""
_AGAIN_SECONDS = 45.0


class NotSettled(Exception):
    """What was published did not come out at the end in time."""


class Deployment:
    """Topics under a prefix, a database, and the services that work on them."""

    def __init__(self, machine: Machine, name: str, engine: str, orders: tuple[str, ...] = ()) -> None:
        self.machine = machine
        self.name = name
        values = {
            "kafka_bootstrap_servers": machine.broker.address,
            "database_url": machine.dsn(name),
            "topic_prefix": f"{name}.",
            "partitions": str(PARTITIONS),
            "replication": str(machine.broker.replication),
            "stream_engine": engine,
            "log_format": "json",
        }
        self._environment = {f"PGX_{key.upper()}": value for key, value in values.items()}
        # The test's own clients: patient, and past the links, so that what they do is no part of the experiment.
        direct = {"database_url": machine.database.dsn(name), "patience": 300.0}
        self.settings = Settings.load(**(values | direct))
        folder = machine.folder / name
        folder.mkdir()
        self.fleet = Fleet(self._environment, folder, orders)
        self.folder = folder
        self._producer = Producer(self.settings, "laboratories")
        self._markers = 0

    async def start(self, copies: dict[str, int]) -> None:
        """Set up and start so many copies of each service."""
        await execute(self.machine.database.dsn("pgx"), f'CREATE DATABASE "{self.name}" TEMPLATE template0')
        await self.pgx("setup")
        for stage, number in copies.items():
            for copy in range(1, number + 1):
                self.fleet.add(stage, f"{stage}-{copy}")

    async def stop(self) -> None:
        await self._producer.stop()
        await self.fleet.stop()

    async def abandon(self) -> None:
        """End all at once; harmless after ``stop``."""
        self.fleet.kill()
        await self._producer.stop()

    async def pgx(self, *arguments: str) -> bytes:
        """Run a command against this deployment."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", *arguments, cwd=ROOT, env=self.fleet.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"pgx {' '.join(arguments)}: {errors.decode()}")
        return out

    async def publish(self, inputs: Iterable[Input]) -> None:
        """Publish as laboratories do: confirmed, and again where no confirmation came."""
        await self._producer.send(
            [Outgoing(self.settings.topic(one.topic), one.key, one.value, one.all_headers) for one in inputs]
        )

    async def settle(self, seconds: float) -> float:
        """Return once everything published before has gone through all services, with the time that took.

        Each partition is in order through every service: a marker at its end comes out after all before it. What was
        lost on the way does not hold it up.
        """
        began, sources = time.monotonic(), list[str]()
        connection = await self.machine.database.connect(self.name)
        try:
            while True:
                self._markers += 1
                source = f"/chaos/marker/{self._markers}"
                sources.append(source)
                await self.publish(
                    self._marker(source, partition, topic) for topic in FROM_OUTSIDE for partition in range(PARTITIONS)
                )
                # Again now and then: a service that loses events may lose the marker.
                until = min(began + seconds, time.monotonic() + _AGAIN_SECONDS)
                while time.monotonic() < until:
                    try:
                        if await connection.fetchval(_SETTLED, sources) == len(FROM_OUTSIDE) * PARTITIONS:
                            return time.monotonic() - began
                    except Exception:
                        connection.terminate()
                        connection = await self.machine.database.connect(self.name)
                    await asyncio.sleep(0.05)
                if time.monotonic() - began > seconds:
                    raise NotSettled(f"{self.name}: what was published has not come out after {seconds:.0f} s")
        finally:
            connection.terminate()

    def _marker(self, source: str, partition: int, topic: Topic) -> Input:
        patient = next(
            name for number in range(10_000) if _partition(key := f"{MARKER}/m-{number}") == partition for name in [key]
        )
        said = {"tenant": MARKER, "patient": patient.partition("/")[2], "version": self._markers}
        if topic is LAB_RESULT:
            said |= {
                "accession": f"M-{partition}", "laboratory": "lab", "status": "final", "issued": "2026-11-23T10:00:00Z",
                "assembly": "GRCh38", "reported": [{"gene": "CYP2C19", "diplotype": "*2/*2"}],
            }  # fmt: skip
        else:
            said |= {"source": "ward", "statement": "M-1", "recorded": "2026-11-23T10:00:00Z"}
        id_ = f"{topic.name}/{partition}"
        headers = headers_of(topic, id=id_, source=source, time="2026-11-23T10:00:00Z")
        return Input(-1, patient.encode(), json.dumps(said).encode(), tuple(headers), (source, id_), topic)

    async def observe(self) -> Observed:
        """What there is now; to be asked when the services have stopped."""
        seen = Observed()
        for topic in FROM_OUTSIDE:
            for message in await self._content(topic):
                number = int(dict(message.headers).get(NUMBER) or b"-1")
                if number >= 0:
                    seen.on_topic[topic.name, message.partition, message.offset] = number
        letters = {letter.id: letter for one in await self._content(DEAD_LETTER) if (letter := parse(one)) is not None}
        for letter in letters.values():
            original = letter.message
            number = int(dict(original.headers).get(NUMBER) or b"-1")
            topic_name = original.topic.removeprefix(self.settings.topic_prefix)
            place = (topic_name, original.partition, original.offset)
            seen.letters.append(Letter(place, letter.stage, letter.code, number, _cause(topic_name, original.value)))
        for message in await self._content(RECOMMENDATION):
            value = message.value or b""
            content = json.loads(value)
            if content["tenant"] != MARKER:
                id_ = (dict(message.headers)["ce_id"] or b"").decode()
                seen.published.append(Published((message.key or b"").decode(), content["sequence"], id_, value))
        for topic in (GENOTYPE, PHENOTYPE, RECOMMENDATION):
            ids = [dict(message.headers)["ce_id"] for message in await self._content(topic)]
            seen.deliveries[topic.name] = (len(ids), len(set(ids)))
        await self._observe_store(seen)
        seen.dump = await self._dump(False) + await self._dump(True)
        return seen

    async def _dump(self, current: bool) -> list[bytes]:
        """The whole history of patients whose events have an order, and what is current of the others."""
        lines = (await self.pgx("store", "dump", *(["--current"] if current else []))).splitlines()
        known = [(json.loads(line), line) for line in lines]
        return [
            line
            for said, line in known
            if said["tenant"] != MARKER and order_is_open(f"{said['tenant']}/{said['patient']}") == current
        ]

    async def _observe_store(self, seen: Observed) -> None:
        connection = await self.machine.database.connect(self.name)
        for row in await connection.fetch("SELECT cause_source, cause_id FROM inbox"):
            if not row["cause_source"].startswith("/chaos/"):
                seen.applied.append((row["cause_source"], row["cause_id"]))
        for accepted in (_RESULTS, _STATEMENTS):
            seen.results += [tuple(map(str, row.values())) for row in await connection.fetch(accepted, MARKER)]
        seen.history = [tuple(row.values()) for row in await connection.fetch(_HISTORY, MARKER)]
        seen.unsent = await connection.fetchval("SELECT count(*) FROM outbox")
        await connection.close()

    async def _content(self, topic: Topic) -> Sequence[Message]:
        async with reading(self.settings, topic) as reader:
            return [message async for message in reader.existing()]

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


_SETTLED = """
SELECT count(*) FROM inbox WHERE cause_source = ANY ($1) AND NOT EXISTS (SELECT FROM outbox)
GROUP BY cause_source ORDER BY 1 DESC LIMIT 1
"""
_RESULTS = """
SELECT tenant, pseudonym, laboratory, accession, version, encode(content_sha256, 'hex'), release
FROM results JOIN patients ON patients.id = patient_id WHERE tenant <> $1
"""
_STATEMENTS = """
SELECT tenant, pseudonym, source, statement, version, encode(content_sha256, 'hex')
FROM statements JOIN patients ON patients.id = patient_id WHERE tenant <> $1
"""
_HISTORY = """
SELECT tenant || '/' || pseudonym, history.sequence, cause_id, encode(body_sha256, 'hex')
FROM history JOIN patients ON patients.id = patient_id WHERE tenant <> $1
"""


def _cause(topic: str, value: bytes | None) -> tuple[str, str] | None:
    """The laboratory's event behind an event of ours."""
    if topic in {one.name for one in FROM_OUTSIDE}:
        return None
    content = json.loads(value or b"{}")
    result = content.get("genotype", content)["result"]
    return (result["event_source"], result["event_id"])


def _partition(key: str) -> int:
    partition: int = (murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS
    return partition
