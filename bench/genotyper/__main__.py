"""Calling, measured in one process against its goals: ``python -m bench.genotyper [--samples N] [--processes N]``.

Processor milliseconds a sample (median of the samples, best of a few runs each), and how often ``orjson.loads`` of the
same bytes fits into them: the machine's yardstick, taken in turn with every measurement. Goals are for a machine where
the yardstick takes 0.65 ms.
"""

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.genotyper.samples import HEADER, heterozygous, whole_panel
from cli.evaluation import Evaluator, Stage
from knowledge.loader import Releases
from schemas import lab_result
from schemas.cloudevents import Event, decode, decode_lab_result, encode, headers_of
from schemas.lab_result import LabResult, parse
from schemas.topics import GENOTYPE, LAB_RESULT, PHENOTYPE
from services.genotyper.handler import Genotyper
from services.genotyper.options import Options
from services.genotyper.release_caller import ReleaseCaller
from services.phenotyper.assignment import Assignment
from services.phenotyper.handler import Phenotyper

RUNS = 3
YARDSTICK = 0.65
"""Milliseconds that ``orjson.loads`` of a sample takes on the machine of the goals."""


class Bench:
    """Prints a line for each measurement."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._values = values

    def show(
        self,
        what: str,
        inputs: Sequence[Any],
        measured: Callable[[Any], object],
        goal: float | None = None,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        """Measures every input, and the yardstick in turn with it."""
        taken, yard = [], []
        for number, value in enumerate(inputs):
            taken.append(_best(measured, value, before))
            yard.append(_best(orjson.loads, self._values[number % len(self._values)]))
        median, ratio = statistics.median(taken), statistics.median(taken) / statistics.median(yard)
        aim = "" if goal is None else f"goal {goal:4.2f}: {'met' if ratio * YARDSTICK < goal else 'MISSED'}"
        print(f"{what:44} {median:8.3f} ms  {ratio:6.2f} x orjson = {ratio * YARDSTICK:6.2f} ms  {aim}", flush=True)


def _best(measured: Callable[[Any], object], value: Any, before: Callable[[], object] = lambda: None) -> float:
    fastest = float("inf")
    for _ in range(RUNS):
        before()
        start = time.process_time()
        measured(value)
        fastest = min(fastest, time.process_time() - start)
    return fastest * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    release = Releases().load("2025.11")
    contents = [whole_panel(release, seed) for seed in range(given.samples)]
    values = [orjson.dumps(content) for content in contents]
    print(f"{len(contents[0]['genotypes'])} positions, {len(values[0]):,} bytes, {given.samples} samples")
    bench = Bench(values)
    reading(bench, contents, values)
    matching(bench, release, [parse(value) for value in values])
    services(bench, release, values)
    worst_cases(bench, release)
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    scaling(values, given.processes)


def reading(bench: Bench, contents: Sequence[dict[str, Any]], values: Sequence[bytes]) -> None:
    """From bytes to the validated model, of rows that were met and rows that are new, plain and with more fields."""

    draw = random.Random(0)

    def with_fields(fields: Callable[[], dict[str, Any]]) -> list[bytes]:
        return [orjson.dumps(c | {"genotypes": [row | fields() for row in c["genotypes"]]}) for c in contents]

    depths = with_fields(
        lambda: {"ps": draw.randrange(10**8), "ad": [draw.randrange(60), draw.randrange(60)], "filter": "PASS"}
    )
    nulls = with_fields(lambda: {"ps": None, "ad": None, "filter": None})
    for name, kind in (("plain", values), ("depths, sets, filters", depths), ("nulls", nulls)):
        for value in kind:
            parse(value)
        bench.show(f"bytes to model, {name}", kind, parse, goal=1.2)
    whole = [(value, orjson.loads(value)) for value in values]
    bench.show("validation alone, no row met before", whole, lambda v: lab_result.parse_within(v[0], v[1], v[1]))


def matching(bench: Bench, release: Any, results: Sequence[LabResult]) -> None:
    """Matching and phenotypes; cold: nothing of the kind was seen before."""
    caller, assignment = ReleaseCaller(release, Options()), Assignment(release)

    def both(result: LabResult) -> None:
        assignment.assign(caller.call(result).genotypes)

    def forget() -> None:
        caller.forget()
        assignment.forget()

    for result in results:
        both(result)
    bench.show("matching and phenotype, warm", results, both, goal=0.3)
    bench.show("matching alone, cold", results, caller.call, before=caller.forget)
    bench.show("matching and phenotype, cold", results, both, goal=2.0, before=forget)

    def forget_layouts() -> None:
        caller.forget(layouts=True)
        assignment.forget()

    bench.show("the same, first sample of a layout", results, both, before=forget_layouts)


def services(bench: Bench, release: Any, values: Sequence[bytes]) -> None:
    """What the two services do for an event, but for the broker; and ``pgx evaluate`` for a line."""
    key = f"{HEADER['tenant']}/{HEADER['patient']}".encode()
    said = {"id": "1", "source": "/bench", "time": "2026-01-01T00:00:00Z"}
    genotyper, phenotyper = Genotyper(lambda _: release), Phenotyper(lambda _: release)

    def genotyped(value: bytes) -> bytes:
        event = decode_lab_result(key, value, headers_of(LAB_RESULT, **said))
        return encode(GENOTYPE, genotyper.handle(event), **said)[1]

    def phenotyped(value: bytes) -> bytes:
        event: Event[Any] = decode(GENOTYPE, key, value, headers_of(GENOTYPE, **said))
        return encode(PHENOTYPE, phenotyper.handle(event), **said)[1]

    between = [genotyped(value) for value in values]
    bench.show("genotyper, event to event", values, genotyped)
    bench.show("phenotyper, event to event", between, phenotyped)
    evaluator = Evaluator(release, Stage.PHENOTYPE, Options())
    bench.show("evaluate to phenotypes, warm", values, evaluator.evaluate)
    bench.show("evaluate to phenotypes, matching cold", values, evaluator.evaluate, goal=4.0, before=evaluator.forget)


def worst_cases(bench: Bench, release: Any) -> None:
    """Many heterozygotes of unknown phase in one gene."""
    caller = ReleaseCaller(release, Options())
    for symbol, count, goal in (("RYR1", 5, 50.0), ("RYR1", 20, None), ("RYR1", 40, None), ("CFTR", 40, None)):
        rows = heterozygous(release.genes[symbol], count)
        result = parse(orjson.dumps(HEADER | {"accession": "bench", "genotypes": rows}))
        bench.show(f"{symbol}, {count} unphased heterozygotes, cold", [result], caller.call, goal, caller.forget)


def scaling(values: Sequence[bytes], processes: int) -> None:
    """Samples a second through ``pgx evaluate``, of one process and of several (start included).

    Beside it the processor time that all of them took for a sample together: what of it grows with the number of
    processes is the cost of sharing, whatever else the machine does.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.jsonl"
        path.write_bytes(b"\n".join(values * 10) + b"\n")
        for number in sorted({1, processes}):
            command = [sys.executable, "-m", "cli.main", "evaluate", str(path), "--stage", "phenotype"]
            began, used = time.perf_counter(), _used_by_children()
            subprocess.run([*command, "--processes", str(number)], check=True, stdout=subprocess.DEVNULL)
            rate = 10 * len(values) / (time.perf_counter() - began)
            each = 1000 * (_used_by_children() - used) / (10 * len(values))
            print(f"pgx evaluate --processes {number}: {rate:7.1f} samples a second, {each:5.2f} ms of processor each")


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
