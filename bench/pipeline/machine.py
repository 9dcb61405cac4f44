"""What the measurements run on: a real Apache Kafka, a PostgreSQL that keeps its safety, and watched processes."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.embedded import postgres
from runtime.settings import Settings
from schemas.topics import Topic
from tests.support import kafka_server

PARTITIONS = 4
SERVICES = ("genotyper", "phenotyper", "recommender")
_TICKS = os.sysconf("SC_CLK_TCK")
_PGX = (sys.executable, "-m", "cli.main")


@dataclass
class Watched:
    """A process of ours and what it costs."""

    name: str
    process: "subprocess.Popen[bytes]"

    def processor_seconds(self) -> float:
        """Processor time so far, of the process alone."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_megabytes(self) -> float:
        """Highest resident memory so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=40)


@dataclass
class Machine:
    """Addresses, and a folder for logs."""

    bootstrap_servers: str
    database: postgres.Postgres
    folder: Path
    kafka: kafka_server.KafkaServer
    running: list[Watched] = field(default_factory=list)

    def settings(self, prefix: str, engine: str) -> Settings:
        """A deployment of its own on this machine; its database is made."""
        name = f"bench_{prefix.strip('.')}"
        asyncio.run(_create_database(self.database.dsn, name))
        return Settings.load(
            kafka_bootstrap_servers=self.bootstrap_servers,
            database_url=self.database.database(name),
            topic_prefix=prefix,
            partitions=PARTITIONS,
            stream_engine=engine,
        )

    def start(self, name: str, command: Sequence[str], settings: Settings) -> Watched:
        """A process with the deployment's settings."""
        log = (self.folder / f"{settings.topic_prefix}{name}.log").open("wb")
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PGX_")}
        process = subprocess.Popen(command, env=clean | environment(settings), stdout=log, stderr=log)
        watched = Watched(name, process)
        self.running.append(watched)
        return watched

    def set_up(self, settings: Settings) -> None:
        """Topics, tables and the active release of a deployment."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PGX_")}
        subprocess.run([*_PGX, "setup"], env=clean | environment(settings), check=True, capture_output=True)

    def service(self, name: str, settings: Settings, copy: str = "") -> Watched:
        """One copy of a service of a deployment that is set up."""
        return self.start(f"{name}{copy}", [*_PGX, "run", name], settings)

    def services(self, settings: Settings) -> list[Watched]:
        """The three services, set up and started."""
        self.set_up(settings)
        return [self.service(name, settings) for name in SERVICES]

    def stop(self, watched: Sequence[Watched]) -> None:
        """Ends processes in an orderly way."""
        for one in watched:
            self.running.remove(one)
            if status := one.stop():
                raise RuntimeError(f"{one.name} ended with status {status}: see {self.folder}")


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a process reads them."""
    return {
        "PGX_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "PGX_DATABASE_URL": settings.database_url,
        "PGX_TOPIC_PREFIX": settings.topic_prefix,
        "PGX_PARTITIONS": str(settings.partitions),
        "PGX_STREAM_ENGINE": settings.stream_engine,
        "PGX_LOG_LEVEL": "warning",
    }


@contextmanager
def machine() -> Iterator[Machine]:
    """Broker and database for the length of the block; every process started in it is ended."""
    if reason := kafka_server.missing():
        raise SystemExit(reason)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgx-bench-")))
        (folder / "kafka").mkdir()
        kafka = stack.enter_context(kafka_server.running(folder / "kafka", kafka_server.AS_DEPLOYED))
        database = stack.enter_context(postgres.start(folder / "postgres"))
        made = Machine(kafka.bootstrap_servers, database, folder, kafka)
        try:
            yield made
        finally:
            for one in made.running:
                one.process.kill()
                one.process.wait()


async def _create_database(dsn: str, name: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(dsn)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()


async def count(settings: Settings, topic: Topic) -> int:
    """How many messages were ever put on a topic."""
    async with _looking_at(settings, topic) as count_now:
        return await count_now()


async def wait_for(
    settings: Settings, topic: Topic, number: int, watched: Sequence[Watched], patience: float = 600.0
) -> float:
    """The moment (``time.perf_counter``) at which a topic holds so many messages, while the processes run."""
    deadline = time.monotonic() + patience
    async with _looking_at(settings, topic) as count_now:
        while (there := await count_now()) < number:
            if ended := [one.name for one in watched if one.process.poll() is not None]:
                raise RuntimeError(f"ended: {', '.join(ended)}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{there} of {number} messages on {topic.name}")
            await asyncio.sleep(0.02)
        return time.perf_counter()


@asynccontextmanager
async def _looking_at(settings: Settings, topic: Topic) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    partitions = [TopicPartition(settings.topic(topic), partition) for partition in range(settings.partitions)]
    await consumer.start()
    consumer.assign(partitions)
    consumer.pause(*partitions)

    async def count_now() -> int:
        return sum((await consumer.end_offsets(partitions)).values())

    try:
        yield count_now
    finally:
        await consumer.stop()
