"""The floor: the pipeline's bytes relayed over three topics by bare aiokafka, its rows inserted by bare asyncpg.

Three processes, as the services are three. Each reads a message, looks up what the service made of it (recorded in the
run before), writes that, waits for the confirmation and commits its position. The third inserts the rows first.
"""

import asyncio
import pickle
import signal
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.pipeline.samples import NUMBER
from runtime.settings import Settings
from schemas.topics import GENOTYPE, LAB_RESULT, MAX_MESSAGE_BYTES, PHENOTYPE, RECOMMENDATION, Topic

HOPS: tuple[tuple[Topic, Topic], ...] = ((LAB_RESULT, GENOTYPE), (GENOTYPE, PHENOTYPE), (PHENOTYPE, RECOMMENDATION))
TABLES = ("patients", "results", "inbox", "history")
_REFERRED_TO = "activations"
"""What rows of patients point at: there before the first of them."""
BATCH = 200


@dataclass(frozen=True)
class Recording:
    """What the pipeline made of each sample: values by topic, rows by table."""

    values: dict[str, list[bytes]]
    rows: dict[str, list[list[tuple[Any, ...]]]]
    columns: dict[str, list[str]]
    referred_to: list[tuple[Any, ...]]

    def save(self, path: Path) -> None:
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> "Recording":
        loaded: Recording = pickle.loads(path.read_bytes())  # noqa: S301 - written by this benchmark
        return loaded


async def record(settings: Settings, keys: Sequence[str]) -> Recording:
    """Collects what a finished run left on the topics and in the store, in the order of the patients' keys."""
    values = {}
    place = {key.encode(): number for number, key in enumerate(keys)}
    for _, topic in HOPS:
        found: list[bytes] = [b""] * len(keys)
        async for message in _all(settings, topic):
            if message.key in place:
                found[place[message.key]] = message.value
        values[topic.name] = found
    connection = await asyncpg.connect(settings.database_url)
    owners = await connection.fetch("SELECT id, tenant || '/' || pseudonym AS key FROM patients")
    number_of = {row["id"]: place[row["key"].encode()] for row in owners if row["key"].encode() in place}
    rows: dict[str, list[list[tuple[Any, ...]]]] = {}
    columns: dict[str, list[str]] = {}
    for table in TABLES:
        records = await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608 - a constant
        columns[table] = list(records[0].keys())
        rows[table] = [[] for _ in keys]
        for row in records:
            number = number_of.get(row["id" if table == "patients" else "patient_id"])
            if number is not None:
                rows[table][number].append(tuple(row.values()))
    referred_to = [tuple(row.values()) for row in await connection.fetch(f"SELECT * FROM {_REFERRED_TO}")]  # noqa: S608
    await connection.close()
    return Recording(values, rows, columns, referred_to)


async def _all(settings: Settings, topic: Topic) -> Any:
    consumer = _consumer(settings, topic, group=None)
    await consumer.start()
    try:
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                for message in messages:
                    yield message
    finally:
        await consumer.stop()


async def relay(settings: Settings, hop: int, recording: Recording) -> None:
    """Runs one hop until cancelled."""
    source, target = HOPS[hop]
    consumer = _consumer(settings, source, group=f"{settings.topic_prefix}floor-{hop}")
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, enable_idempotence=True, acks="all", linger_ms=2,
        max_batch_size=262_144, max_request_size=MAX_MESSAGE_BYTES,
    )  # fmt: skip
    connection = await asyncpg.connect(settings.database_url) if hop == 2 else None
    await consumer.start()
    await producer.start()
    try:
        if connection is not None:
            await connection.copy_records_to_table(_REFERRED_TO, records=recording.referred_to)
        while True:
            found = await consumer.getmany(timeout_ms=5, max_records=BATCH)
            messages = [message for several in found.values() for message in several]
            if not messages:
                continue
            numbers = [int(dict(message.headers)[NUMBER]) for message in messages]
            if connection is not None:
                await _insert(connection, recording, numbers, messages)
            sent = [
                await producer.send(
                    settings.topic(target),
                    recording.values[target.name][number],
                    message.key,
                    headers=list(message.headers),
                )
                for number, message in zip(numbers, messages, strict=True)
            ]
            await asyncio.gather(*sent)
            if connection is not None:
                await connection.execute("DELETE FROM outbox WHERE key = ANY ($1)", [m.key.decode() for m in messages])
            await consumer.commit()
    finally:
        await consumer.stop()
        await producer.stop()
        if connection is not None:
            await connection.close()


async def _insert(connection: Any, recording: Recording, numbers: list[int], messages: list[Any]) -> None:
    async with connection.transaction():
        for table in TABLES:
            rows = [row for number in numbers for row in recording.rows[table][number]]
            await connection.copy_records_to_table(table, records=rows, columns=recording.columns[table])
        bodies = [
            (0, message.key.decode(), "[]", zlib.compress(recording.values[RECOMMENDATION.name][number], 1))
            for number, message in zip(numbers, messages, strict=True)
        ]
        await connection.copy_records_to_table("outbox", records=bodies, columns=["lane", "key", "headers", "body"])


def _consumer(settings: Settings, topic: Topic, group: str | None) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        settings.topic(topic), bootstrap_servers=settings.kafka_bootstrap_servers, group_id=group,
        enable_auto_commit=False, auto_offset_reset="earliest", max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )  # fmt: skip


async def _main(hop: int, path: Path) -> None:
    task = asyncio.create_task(relay(Settings.load(), hop, Recording.load(path)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.gather(task, return_exceptions=True)
    if not task.cancelled() and (error := task.exception()):
        raise error


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), Path(sys.argv[2])))
