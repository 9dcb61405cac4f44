"""``python -m bench.lifecycle``: a full store, a release activated on it, live results beside that, reports, cohorts.

Runs on the embedded PostgreSQL with its safety against power loss on, or on ``--dsn``. There is no broker: what is
published is confirmed at once, so that the relay's own cost remains. ``--whole`` activates 2026.11, which changes the
advice of almost everyone; else a release is activated that differs from 2025.11 in TPMT and NUDT15 alone.
"""

import argparse
import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson

from bench.lifecycle import live, people
from bench.lifecycle.copies import multiply
from bench.lifecycle.live import Latencies
from bench.lifecycle.sweeping import sweep
from bench.store.__main__ import NoBroker
from cli.activation import reference
from cli.embedded import postgres
from cli.interpretation import Interpreter
from cli.sweep import Pace
from knowledge import site
from knowledge.loader import Releases
from knowledge.release import Release
from knowledge.writer import write
from runtime.settings import Settings
from schemas import clinical_context
from schemas.cloudevents import Event
from schemas.serialise import to_json
from schemas.topics import CLINICAL_CONTEXT
from services.recommender.cohort import cohort
from services.recommender.handler import Recommender, Taken
from services.recommender.interpretation import as_delivered
from services.recommender.migrations import migrate
from services.recommender.relay import Relay
from services.recommender.report import report
from services.recommender.store import Store
from services.recommender.store.activations import activations, add, finish
from tests.support.results import phenotyped

BEFORE, AFTER = "2025.11", "2026.11"
TOUCHED = ("TPMT", "NUDT15")
_TABLES = ("patients", "results", "statements", "inbox", "history", "lookups")
_LIVE = 300
"""Results that are timed on each store."""


class _Options(NamedTuple):
    patients: int
    originals: int
    processes: int
    whole: bool


def touching(releases: Releases) -> Release:
    """The earlier release with TPMT and NUDT15 as the later one has them: alleles, functions, phenotypes."""
    before, after = releases.load(BEFORE), releases.load(AFTER)
    text = "TPMT and NUDT15 of the later release."
    about = site.manifest(before, f"{BEFORE}-thiopurines", "2025-12-01", text, f"release {AFTER}")
    return site.overlay(before, about, genes=[after.genes[symbol] for symbol in TOUCHED])


async def _run(dsns: tuple[str, str], folder: Path, options: _Options) -> None:
    target = Releases().load(AFTER) if options.whole else touching(Releases())
    if not options.whole:
        write(target, folder)
    releases = Releases(None, folder)
    release = releases.load(BEFORE)
    async with AsyncExitStack() as stack:
        stores, recommenders = [], []
        for dsn in dsns:
            store = await stack.enter_async_context(_with_relay(_settings(dsn, folder)))
            await _activation(store, release)
            stores.append(store)
            recommenders.append(Recommender(store, releases.load, Interpreter(releases.load)))
        full, empty = stores
        await _fill(full, recommenders[0], release, options)
        await _sizes(full, options.patients)
        results = live.results(release)
        await live.warmed_up(recommenders, results)
        await empty.pool.execute("TRUNCATE patients, results, statements, inbox, history CASCADE")
        at_full, at_empty = await live.by_turns(recommenders, results, _LIVE)
        _say("live on an empty store", at_empty)
        _say("live on the full store", at_full)
        print(f"{'full to empty':<44}{at_full.median / at_empty.median:8.2f}", flush=True)
        await _readings(full, releases, release, options.patients)
        number = await _activation(full, target)
        during = await _activate(_settings(dsns[0], folder), full, number, options, recommenders[0], results)
        _say(f"live during the activation ({len(during.times)} results)", during)
        print(f"{'during to full':<44}{during.median / at_full.median:8.2f}", flush=True)


def _settings(dsn: str, folder: Path) -> Settings:
    return Settings.load(database_url=dsn, knowledge_folder=str(folder))


@asynccontextmanager
async def _with_relay(settings: Settings) -> AsyncIterator[Store]:
    await migrate(settings)
    relay = asyncio.create_task(Relay(settings, NoBroker(settings, "bench")).run())
    try:
        async with await Store.open(settings) as store:
            yield store
    finally:
        relay.cancel()
        await asyncio.wait({relay})


async def _activation(store: Store, release: Release) -> int:
    async with store.pool.acquire() as connection, connection.transaction():
        return await add(connection, None, reference(release))


async def _fill(store: Store, recommender: Recommender, release: Release, options: _Options) -> None:
    began = time.perf_counter()
    originals = min(options.originals, options.patients)
    called: Iterator[Taken] = (phenotyped(one, release) for one in people.results(release, originals))
    events = chain(called, map(_stated, people.statements(release, originals)))
    while batch := list(islice(events, 100)):
        assert not await recommender.handle(batch)
    print(f"{f'{originals:,} patients through the stages':<44}{time.perf_counter() - began:8.1f} s", flush=True)
    began = time.perf_counter()
    await multiply(store, options.patients)
    print(f"{f'copied to {options.patients:,}':<44}{time.perf_counter() - began:8.1f} s", flush=True)


def _stated(content: dict[str, Any]) -> Event[Any]:
    name = hashlib.sha256(orjson.dumps(content)).hexdigest()
    said = clinical_context.parse(orjson.dumps(content))
    return Event(name, "/bench", CLINICAL_CONTEXT.name, content["recorded"], said, name)


async def _sizes(store: Store, patients: int) -> None:
    total = 0
    for table in _TABLES:
        size = await store.pool.fetchval("SELECT pg_total_relation_size($1::regclass)", table)
        total += size
        print(f"{f'size of {table}':<44}{size / 1e6:8.1f} MB {size / patients:8.0f} bytes a patient")
    print(f"{'size of all':<44}{total / 1e6:8.1f} MB {total / patients:8.0f} bytes a patient", flush=True)


def _say(what: str, found: Latencies) -> None:
    print(f"{what:<44}{found.median:8.2f} ms median {found.late:8.2f} ms 95th percentile", flush=True)


async def _readings(store: Store, releases: Releases, release: Release, patients: int) -> None:
    found = Latencies()
    interpreter = Interpreter(releases.load)
    for number in range(0, patients, max(1, patients // 50)):
        began = time.perf_counter()
        known = await report(store, releases.load, people.TENANT, f"p-{number}", interpreter)
        assert known
        to_json(known)
        found.times.append(1000 * (time.perf_counter() - began))
    _say("report", found)
    began = time.perf_counter()
    figures = await cohort(store, release, people.TENANT)
    print(f"{f'cohort of {figures.patients:,}':<44}{time.perf_counter() - began:8.2f} s", flush=True)


async def _activate(
    settings: Settings,
    store: Store,
    number: int,
    options: _Options,
    recommender: Recommender,
    results: Iterator[live.Result],
) -> Latencies:
    """Bring everybody under an activation; latencies of live results beside it."""
    activated = (await activations(store.pool, as_delivered)).numbered(number)
    began = time.perf_counter()
    # In a process of its own, as the command is.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        work = asyncio.get_running_loop().run_in_executor(pool, sweep, settings, activated, Pace(options.processes))
        during = await live.until(work.done, recommender, results)
        progress, processor = await work
    await finish(store.pool, number)
    seconds = time.perf_counter() - began
    print(
        f"{f'activation of {activated.knowledge.release}':<44}{seconds:8.1f} s  {progress.examined:,} patients "
        f"({progress.examined / seconds:,.0f} a second; {processor:,.0f} s processor), "
        f"{progress.recomputed:,} evaluated, {progress.published:,} changed",
        flush=True,
    )
    assert not progress.failed
    return during


async def _another(dsn: str) -> str:
    """An empty database beside one."""
    parts = urlsplit(dsn)
    name = f"{parts.path[1:]}_empty"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return urlunsplit(parts._replace(path=f"/{name}"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lifecycle", description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument(
        "--originals", type=int, default=4_000, help="so many come through the stages, the rest is copied"
    )
    parser.add_argument("--processes", type=int, default=1, help="at the activation")
    parser.add_argument("--whole", action="store_true", help=f"activate {AFTER}")
    parser.add_argument("--dsn", help="an empty database instead of the embedded one, of a superuser")
    given = parser.parse_args()
    options = _Options(given.patients, given.originals, given.processes, given.whole)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgx-bench-")))
        (folder / "releases").mkdir()
        dsn = given.dsn or stack.enter_context(postgres.start(folder / "postgres")).dsn
        asyncio.run(_run((dsn, asyncio.run(_another(dsn))), folder / "releases", options))


if __name__ == "__main__":
    main()
