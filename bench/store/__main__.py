"""``python -m bench.store``: events a second through the recommender's handler, what they cost, and the store's size.

Runs on the embedded PostgreSQL with its safety against power loss on, or on ``--dsn``. One process, one connection.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import NamedTuple

from bench.store.panel import events
from cli.embedded import postgres
from knowledge.loader import Releases
from runtime.producer import Producer
from runtime.settings import Settings
from schemas.cloudevents import Event
from schemas.phenotype import PhenotypeAssigned
from schemas.serialise import to_json
from services.recommender.handler import Recommender
from services.recommender.migrations import migrate
from services.recommender.relay import Relay
from services.recommender.report import report
from services.recommender.store import Store

_TABLES = ("patients", "results", "inbox", "history", "outbox")


class _Options(NamedTuple):
    batch: int
    profile: Path | None


class NoBroker(Producer):
    """Confirms everything at once: the relay's own cost remains."""

    async def send(self, messages: object) -> None:
        return None


async def _server_seconds(store: Store) -> float:
    """CPU time that the server's sessions have used so far, where they run on this Linux machine; else 0."""
    sessions = await store.pool.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    return sum(_cpu_seconds(row["pid"]) for row in sessions)


def _cpu_seconds(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _timed(
    name: str, store: Store, recommender: Recommender, made: Iterator[Event[PhenotypeAssigned]], options: _Options
) -> None:
    count, wall, cpu = 0, 0.0, 0.0
    profiler = cProfile.Profile()
    server = await _server_seconds(store)
    while some := list(islice(made, options.batch)):
        if options.profile:
            profiler.enable()
        began, began_cpu = time.perf_counter(), time.process_time()
        failures = await recommender.handle(some)
        wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - began_cpu
        profiler.disable()
        assert not failures, failures[0].reason
        count += len(some)
    if options.profile:
        pstats.Stats(profiler).dump_stats(options.profile.with_suffix(f".{name.split()[0]}"))
    server = await _server_seconds(store) - server
    each, python, sessions = (1000 * seconds / count for seconds in (wall, cpu, server))
    print(
        f"{name:<28}{count / wall:8.0f} events/s {each:8.2f} ms each"
        f" (CPU: {python:.2f} ms Python, {sessions:.2f} ms PostgreSQL)"
    )


async def _drain(settings: Settings, store: Store) -> None:
    waiting = await store.pool.fetchval("SELECT count(*) FROM outbox")
    relay = Relay(settings, NoBroker(settings, "bench"))
    began = time.perf_counter()
    task = asyncio.create_task(relay.run())
    while await store.pool.fetchval("SELECT EXISTS (SELECT FROM outbox)"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    wall = time.perf_counter() - began
    task.cancel()
    await asyncio.wait({task})
    print(f"{'relay without a broker':<28}{waiting / wall:8.0f} events/s")


async def _sizes(store: Store, patients: int) -> None:
    for table in _TABLES:
        size = await store.pool.fetchval("SELECT pg_total_relation_size($1::regclass)", table)
        print(f"{table:<28}{size / 1e6:8.1f} MB {size / patients:10.0f} bytes a patient")


async def _reports(store: Store, releases: Releases, patients: int) -> None:
    times = []
    for number in range(0, patients, max(1, patients // 50)):
        began = time.perf_counter()
        known = await report(store, releases.load, "bench", f"p-{number}")
        assert known
        to_json(known)
        times.append(time.perf_counter() - began)
    print(f"{'report, median':<28}{1000 * sorted(times)[len(times) // 2]:8.2f} ms")


async def _run(dsn: str, count: int, options: _Options) -> None:
    settings = Settings.load(database_url=dsn)
    await migrate(settings)
    releases = Releases()
    release = releases.load(releases.newest())

    def made(seed: int, version: int) -> Iterator[Event[PhenotypeAssigned]]:
        return events(release, count, seed, version)

    print(f"{'phenotype event':<28}{len(to_json(next(made(1, 1)).data)) / 1e3:8.1f} kB")
    async with await Store.open(settings) as store:
        recommender = Recommender(store, releases.load)
        await recommender.handle([next(made(1, 1))])
        await store.pool.execute("TRUNCATE patients, results, inbox, history, outbox CASCADE")
        await _timed("new patients", store, recommender, made(1, 1), options)
        body = await store.pool.fetchval("SELECT avg(length(body)) FROM outbox")
        print(f"{'outbox body, compressed':<28}{float(body) / 1e3:8.1f} kB")
        await _drain(settings, store)
        await _timed("redelivered", store, recommender, made(1, 1), options)
        await _timed("corrections", store, recommender, made(2, 2), options)
        await _drain(settings, store)
        await store.pool.execute("VACUUM ANALYZE")
        await _sizes(store, count)
        await _reports(store, releases, count)
    print(f"{'peak memory':<28}{getrusage(RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == 'darwin' else 1e3):8.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--dsn", help="an empty database to use instead of the embedded one")
    parser.add_argument("--profile", type=Path, help="where to write a cProfile file of each run")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        dsn = arguments.dsn
        if dsn is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pgx-bench-"))
            dsn = stack.enter_context(postgres.start(Path(folder))).dsn
        asyncio.run(_run(dsn, arguments.events, _Options(arguments.batch, arguments.profile)))


if __name__ == "__main__":
    main()
