"""Runs samples through the real services and reads what they cost: processors, memory, disks."""

import asyncio
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from bench.pipeline.machine import Machine, Watched, count, wait_for
from bench.pipeline.samples import lab_results, message
from bench.recovery.flow import small
from bench.sizing.figures import Kind
from knowledge.release import Release
from runtime.message import Outgoing
from runtime.producer import Producer
from runtime.settings import Settings
from schemas.topics import GENOTYPE, LAB_RESULT, RECOMMENDATION, TOPICS

WARM_UP = 16
_AT_ONCE = 200
_TICKS = os.sysconf("SC_CLK_TCK")
_TABLES = "SELECT sum(pg_total_relation_size(relid))::bigint FROM pg_stat_user_tables"


def whole_panels(settings: Settings, release: Release, number: int, run: str) -> list[Outgoing]:
    values = lab_results(release, number, "different", run)
    return [message(settings, value, place, run) for place, value in enumerate(values)]


def small_panels(settings: Settings, number: int) -> list[Outgoing]:
    topic = settings.topic(LAB_RESULT)
    return [Outgoing(topic, one.key, one.value, one.all_headers) for one in map(small, range(number))]


def kind(here: Machine, settings: Settings, name: str, messages: Sequence[Outgoing]) -> tuple[Kind, dict[str, float]]:
    """The figures of one kind of sample, and the highest memory of each service."""
    services = here.services(settings)
    asyncio.run(_through(settings, messages[:WARM_UP], services))
    before, written = _processors(here, services), asyncio.run(_store(settings))
    disk = _disk(here, settings)
    measured = messages[WARM_UP:]
    asyncio.run(_through(settings, measured, services))
    after, now = _processors(here, services), asyncio.run(_store(settings))
    used = _disk(here, settings)
    peaks = {one.name: one.peak_megabytes() for one in services}
    here.stop(services)
    many = len(measured)
    figures = Kind(
        name=name,
        samples=many,
        value_bytes=round(sum(len(one.value or b"") for one in measured) / many),
        processor_ms={process: round(1000 * (after[process] - before[process]) / many, 2) for process in after},
        topic_bytes={topic: round((used[topic] - disk[topic]) / many) for topic in used if used[topic] > disk[topic]},
        store_bytes=round((now[0] - written[0]) / many),
        write_ahead_bytes=round((now[1] - written[1]) / many),
    )
    return figures, peaks


def genotypers(here: Machine, release: Release, copies: int, number: int) -> float:
    """Whole panels a second that so many genotypers call, beside the broker and the publisher."""
    settings = here.settings(f"copies-{copies}.", "faust")
    here.set_up(settings)
    running = [here.service("genotyper", settings, f"-{copy}") for copy in range(copies)]
    rate = asyncio.run(_rate(settings, whole_panels(settings, release, number, f"copies-{copies}"), running))
    here.stop(running)
    return rate


async def _rate(settings: Settings, messages: Sequence[Outgoing], running: Sequence[Watched]) -> float:
    """All messages lie on the topic before the first copy has its partitions: the rate is that of working them off."""
    await _publish(settings, messages)
    first = await wait_for(settings, GENOTYPE, max(WARM_UP, len(messages) // 10), running)
    begun = await count(settings, GENOTYPE)
    last = await wait_for(settings, GENOTYPE, len(messages), running)
    return (len(messages) - begun) / (last - first)


async def _through(settings: Settings, messages: Sequence[Outgoing], services: Sequence[Watched]) -> None:
    there = await count(settings, RECOMMENDATION)
    await _publish(settings, messages)
    await wait_for(settings, RECOMMENDATION, there + len(messages), services, patience=3600)


async def _publish(settings: Settings, messages: Sequence[Outgoing]) -> None:
    producer = Producer(settings, "bench")
    await producer.start()
    for start in range(0, len(messages), _AT_ONCE):
        await producer.send(messages[start : start + _AT_ONCE])
    await producer.stop()


def _processors(here: Machine, services: Sequence[Watched]) -> dict[str, float]:
    """Processor seconds so far of each process."""
    used = {one.name: one.processor_seconds() for one in services}
    guards = {"broker": here.kafka._process.pid, "database": here.database._guard.pid}
    return used | {name: _tree_seconds(pid) for name, pid in guards.items()}


def _tree_seconds(pid: int) -> float:
    """Processor seconds of a process with all its children, also those that have ended."""
    children: dict[int, list[int]] = {}
    own: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        own[int(folder.name)] = sum(map(int, fields[11:15])) / _TICKS
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        total += own.get(one, 0.0)
        waiting += children.get(one, [])
    return total


def _disk(here: Machine, settings: Settings) -> dict[str, int]:
    """Bytes of the segments of each topic on the broker's disk."""
    found = {topic.name: 0 for topic in TOPICS}
    for topic in TOPICS:
        for segment in here.kafka.folder.glob(f"data/{settings.topic(topic)}-*/*.log"):
            found[topic.name] += segment.stat().st_size
    return found


async def _store(settings: Settings) -> tuple[int, int]:
    """Bytes of the store's tables with their indexes, and bytes of write-ahead log so far."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        tables = await connection.fetchval(_TABLES)
        written = await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        return tables, written
    finally:
        await connection.close()


def described() -> str:
    """This machine in words, with what else it had to do."""
    model = ""
    with Path("/proc/cpuinfo").open() as lines:
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    load = os.getloadavg()[2]
    cpu = model or platform.machine()
    return f"{os.cpu_count()} processors ({cpu}), Python {platform.python_version()}, load {load:.0f} before"
