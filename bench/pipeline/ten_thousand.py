"""``python -m bench.pipeline.ten_thousand``: many lab results through the services, each held against `pgx evaluate`.

On both engines: every result is applied, no dead letter, and every recommendation event has exactly the phenotypes and
recommendations that `pgx evaluate` prints for the same lab result. Exit status 1 and the first differences otherwise.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from bench.genotyper.samples import HEADER, gene_rows, whole_panel
from bench.pipeline.machine import Machine, count, machine, wait_for
from bench.pipeline.samples import message
from knowledge.loader import Releases
from knowledge.model import Gene
from knowledge.release import Release
from runtime.producer import Producer
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.topics import DEAD_LETTER, RECOMMENDATION

ENGINES = ("faust", "aiokafka")
WHOLE_PANELS = 10
"""One lab result in so many is a whole panel; the others are small panels and reported calls."""
AT_ONCE = 500
COMPARED = ("phenotypes", "recommendations")


def lab_results(release: Release, number: int) -> Iterator[dict[str, Any]]:
    """Lab results of as many patients: whole panels, panels of a few genes, reported calls, no-calls among them."""
    draw = random.Random(20_261_123)
    genes = [gene for gene in release.genes.values() if gene.definition.positions]
    for place in range(number):
        if place % WHOLE_PANELS == 0:
            content = whole_panel(release, draw.randrange(10**9))
        else:
            content = HEADER | {
                "genotypes": [row for gene in draw.sample(genes, draw.randint(0, 3)) for row in _rows(gene, draw)],
                "reported": [_reported(gene, draw) for gene in draw.sample(list(release.genes.values()), 2)],
            }
        yield content | {"patient": f"p-run-{place}", "accession": f"A-{place}"}


def _rows(gene: Gene, draw: random.Random) -> list[dict[str, Any]]:
    """A gene's rows, of which one may be missing and one may have no call."""
    rows = gene_rows(gene, draw)
    if draw.random() < 0.3:
        rows.pop(draw.randrange(len(rows)))
    if rows and draw.random() < 0.3:
        rows[draw.randrange(len(rows))]["gt"] = "./."
    return rows


def _reported(gene: Gene, draw: random.Random) -> dict[str, Any]:
    names = [allele.name for allele in gene.definition.alleles] or ["*1"]
    return {"gene": gene.symbol, "diplotype": "/".join(draw.choice(names) for _ in range(2))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--engine", choices=ENGINES, action="append", help="default: one after the other")
    arguments = parser.parse_args()
    releases = Releases()
    values = [orjson.dumps(content) for content in lab_results(releases.load(releases.newest()), arguments.number)]
    faults = 0
    with machine() as here:
        answers = evaluated(here.folder, values)
        for engine in arguments.engine or ENGINES:
            faults += run(here, engine, values, answers)
    return 1 if faults else 0


def evaluated(folder: Path, values: list[bytes]) -> list[dict[str, bytes]]:
    """What `pgx evaluate` answers for each lab result, the compared parts as bytes."""
    began = time.perf_counter()
    (folder / "results.jsonl").write_bytes(b"\n".join(values) + b"\n")
    command = [sys.executable, "-m", "cli.main", "evaluate", str(folder / "results.jsonl")]
    command += ["--processes", str(os.cpu_count() or 1)]
    printed = subprocess.run(command, check=True, capture_output=True).stdout.splitlines()
    answers = [orjson.loads(line) for line in printed]
    print(f"pgx evaluate: {len(answers)} answers in {time.perf_counter() - began:.0f} s", flush=True)
    return [_compared(answer) for answer in answers]


def run(here: Machine, engine: str, values: list[bytes], answers: list[dict[str, bytes]]) -> int:
    """The number of faults found."""
    settings = here.settings(f"{engine}.", engine)
    services = here.services(settings)
    began = time.perf_counter()
    said = [number for number, answer in enumerate(answers) if any(part != b"[]" for part in answer.values())]
    asyncio.run(_published(settings, values))
    asyncio.run(wait_for(settings, RECOMMENDATION, len(said), services, patience=3600))
    asyncio.run(_applied(settings, len(values)))
    took = time.perf_counter() - began
    events = asyncio.run(_events(settings))
    letters = asyncio.run(count(settings, DEAD_LETTER))
    peaks = ", ".join(f"{one.name} {one.peak_megabytes():.0f} MB" for one in services)
    here.stop(services)
    keys = {f"bench/p-run-{number}".encode(): number for number in said}
    missing = keys.keys() - events.keys()
    unexpected = events.keys() - keys.keys()
    different = [key for key, number in keys.items() if key in events and events[key] != answers[number]]
    print(
        f"{engine}: {len(values)} lab results in, {len(events)} patients with events out, {len(said)} expected;"
        f" {letters} dead letters; {len(different)} differ from pgx evaluate, {len(missing)} missing,"
        f" {len(unexpected)} unexpected; {took:.0f} s, {len(values) / took:.0f} a second; peak memory: {peaks}",
        flush=True,
    )
    for key in different[:3]:
        print(f"  {key.decode()}:\n    published {events[key]}\n    evaluated {answers[keys[key]]}")
    return letters + len(different) + len(missing) + len(unexpected)


async def _published(settings: Settings, values: list[bytes]) -> None:
    producer = Producer(settings, "bench")
    await producer.start()
    messages = [message(settings, value, number, "run") for number, value in enumerate(values)]
    for start in range(0, len(messages), AT_ONCE):
        await producer.send(messages[start : start + AT_ONCE])
    await producer.stop()


async def _applied(settings: Settings, number: int) -> None:
    """Returns when the store has accepted every lab result."""
    connection = await asyncpg.connect(settings.database_url)
    deadline = time.monotonic() + 600
    while (there := await connection.fetchval("SELECT count(*) FROM results")) < number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{there} of {number} results in the store")
        await asyncio.sleep(0.1)
    await connection.close()


async def _events(settings: Settings) -> dict[bytes, dict[str, bytes]]:
    """The last recommendation event of each patient, the compared parts as bytes."""
    found = {}
    async with reading(settings, RECOMMENDATION) as reader:
        async for received in reader.existing():
            found[received.key or b""] = _compared(orjson.loads(received.value or b""))
    return found


def _compared(content: dict[str, Any]) -> dict[str, bytes]:
    return {part: orjson.dumps(content.get(part)) for part in COMPARED}


if __name__ == "__main__":
    sys.exit(main())
