"""``python -m bench.lifecycle``: a full store, a release activated on it, live results beside that, reports, cohorts.

Runs on the embedded PostgreSQL with its safety against power loss on, or on ``--dsn``. There is no broker: what is
published is confirmed at once, so that the relay's own cost remains. ``--whole`` activates 2026.11, which changes the
advice of almost everyone; else a release is activated that differs from 2025.11 in TPMT and NUDT15 alone.
"""

import argparse
import asyncio
import hashlib
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bench.lifecycle import people
from bench.lifecycle.copies import multiply
from bench.store.__main__ import NoBroker
from cli.activation import reference
from cli.embedded import postgres
from cli.interpretation import Interpreter
from cli.sweep import Pace, spread
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
_LIVE = 150
_LIVE_EVERY_SECONDS = 0.05


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


async def _run(dsn: str, folder: Path, options: _Options) -> None:
    target = Releases().load(AFTER) if options.whole else touching(Releases())
    if not options.whole:
        write(target, folder)
    settings = Settings.load(database_url=dsn, knowledge_folder=str(folder))
    releases = Releases(None, folder)
    await migrate(settings)
    release = releases.load(BEFORE)
    async with await Store.open(settings) as store:
        recommender = Recommender(store, releases.load, Interpreter(releases.load))
        relay = asyncio.create_task(Relay(settings, NoBroker(settings, "bench")).run())
        await _activation(store, release)
        live = [phenotyped(one, release) for one in _live(release, 4)]
        await _latencies(recommender, live[:20])
        _say("live on an empty store", *await _latencies(recommender, live[20 : _LIVE + 20]))
        await store.pool.execute("TRUNCATE patients, results, statements, inbox, history CASCADE")
        await _fill(store, recommender, release, options)
        await _sizes(store, options.patients)
        empty = live[_LIVE + 20 : 2 * _LIVE + 20]
        _say("live on the full store", *await _latencies(recommender, empty))
        await _readings(store, releases, release, options.patients)
        number = await _activation(store, target)
        await _activate(settings, store, recommender, number, options, live[2 * _LIVE + 20 :])
        relay.cancel()
        await asyncio.wait({relay})


def _live(release: Release, runs: int) -> list[dict[str, Any]]:
    made = people.results(release, runs * _LIVE, seed=9)
    return [one | {"patient": f"live-{n}", "accession": f"L-{n}"} for n, one in enumerate(made)]


async def _activation(store: Store, release: Release) -> int:
    async with store.pool.acquire() as connection, connection.transaction():
        return await add(connection, None, reference(release))


async def _fill(store: Store, recommender: Recommender, release: Release, options: _Options) -> None:
    began = time.perf_counter()
    originals = min(options.originals, options.patients)
    events: list[Taken] = [phenotyped(one, release) for one in people.results(release, originals)]
    events += [_stated(one) for one in people.statements(release, originals)]
    for start in range(0, len(events), 100):
        assert not await recommender.handle(events[start : start + 100])
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


async def _latencies(recommender: Recommender, events: Sequence[Taken]) -> tuple[float, float]:
    """Median and 95th percentile of the time from a result to its committed effect, one at a time, in ms."""
    times = []
    for event in events:
        began = time.perf_counter()
        assert not await recommender.handle([event])
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times), sorted(times)[int(0.95 * len(times))]


def _say(what: str, median: float, late: float) -> None:
    print(f"{what:<44}{median:8.2f} ms median {late:8.2f} ms 95th percentile", flush=True)


async def _readings(store: Store, releases: Releases, release: Release, patients: int) -> None:
    times = []
    interpreter = Interpreter(releases.load)
    for number in range(0, patients, max(1, patients // 50)):
        began = time.perf_counter()
        known = await report(store, releases.load, people.TENANT, f"p-{number}", interpreter)
        assert known
        to_json(known)
        times.append(1000 * (time.perf_counter() - began))
    _say("report", statistics.median(times), max(times))
    began = time.perf_counter()
    figures = await cohort(store, release, people.TENANT)
    print(f"{f'cohort of {figures.patients:,}':<44}{time.perf_counter() - began:8.2f} s", flush=True)


async def _activate(
    settings: Settings, store: Store, recommender: Recommender, number: int, options: _Options, live: Sequence[Taken]
) -> None:
    made = (await activations(store.pool, as_delivered)).made
    activated = next(one for one in made if one.number == number)
    began = time.perf_counter()
    work = asyncio.create_task(spread(settings, store, activated, Pace(max(2, options.processes)), lambda one: None))
    times: list[float] = []
    for event in live:
        if work.done():
            break
        times.append((await _latencies(recommender, [event]))[0])
        await asyncio.sleep(_LIVE_EVERY_SECONDS)
    progress = await work
    await finish(store.pool, number)
    seconds = time.perf_counter() - began
    print(
        f"{f'activation of {activated.knowledge.release}':<44}{seconds:8.1f} s  {progress.examined:,} patients "
        f"({progress.examined / seconds:,.0f} a second), {progress.recomputed:,} evaluated, "
        f"{progress.published:,} changed"
    )
    if times:
        _say(f"live during it ({len(times)} results)", statistics.median(times), sorted(times)[int(0.95 * len(times))])
    assert not progress.failed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lifecycle", description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument(
        "--originals", type=int, default=4_000, help="so many come through the stages, the rest is copied"
    )
    parser.add_argument("--processes", type=int, default=2, help="at the activation")
    parser.add_argument("--whole", action="store_true", help=f"activate {AFTER}")
    parser.add_argument("--dsn", help="an empty database to use instead of the embedded one")
    given = parser.parse_args()
    options = _Options(given.patients, given.originals, given.processes, given.whole)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgx-bench-")))
        (folder / "releases").mkdir()
        dsn = given.dsn or stack.enter_context(postgres.start(folder / "postgres")).dsn
        asyncio.run(_run(dsn, folder / "releases", options))


if __name__ == "__main__":
    main()
