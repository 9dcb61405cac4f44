"""CPU time and memory of calling: ``python -m bench.genotyper``. One process; times are milliseconds, medians first."""

import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import orjson

from bench.genotyper.samples import HEADER, heterozygous, whole_panel
from knowledge.loader import Releases
from schemas.cloudevents import Event
from schemas.lab_result import LabResult, parse
from schemas.serialise import to_json
from services.genotyper.handler import Genotyper
from services.genotyper.options import Options
from services.genotyper.release_caller import ReleaseCaller
from services.phenotyper.assignment import assign

SAMPLES = 200

T = TypeVar("T")


def main() -> None:
    release = Releases().load("2025.11")
    values = [orjson.dumps(whole_panel(release, seed)) for seed in range(SAMPLES)]
    positions = len(orjson.loads(values[0])["genotypes"])
    print(f"whole panel: {positions} positions, {len(values[0]):,} bytes, {SAMPLES} samples")
    results = [parse(value) for value in values]
    show("yardstick: orjson.loads of the same bytes", each(values, orjson.loads))
    show("bytes to model", each(values, parse))

    caller = ReleaseCaller(release, Options())

    def forget_all() -> None:
        caller.forget(layouts=True)

    show("matching, first sample of a layout", each(results[:50], caller.call, forget_all))
    caller.call(results[0])
    show("matching, cold (memo emptied)", each(results, caller.call, caller.forget))
    for result in results:
        caller.call(result)
    show("matching, warm", each(results, caller.call))

    def with_phenotypes(result: LabResult) -> None:
        assign(release, caller.call(result).genotypes)

    show("matching and phenotype, matching cold", each(results, with_phenotypes, caller.forget))
    for result in results:
        caller.call(result)
    show("matching and phenotype, warm", each(results, with_phenotypes))

    genotyper = Genotyper(lambda _: release)
    for result in results:
        genotyper.handle(Event("", "bench", "pgx.lab-result.v1", "", result, ""))
    events = [Event(str(i), "bench", "pgx.lab-result.v1", "", result, "") for i, result in enumerate(results)]
    show("whole handler to bytes, warm", each(events, lambda event: to_json(genotyper.handle(event))))

    ryr1, cftr = release.genes["RYR1"], release.genes["CFTR"]
    for name, gene, count in (
        ("RYR1, 5 unphased", ryr1, 5),
        ("RYR1, 20", ryr1, 20),
        ("RYR1, 40", ryr1, 40),
        ("CFTR, 40", cftr, 40),
    ):
        value = orjson.dumps(HEADER | {"accession": "bench", "genotypes": heterozygous(gene, count)})
        show(f"{name} heterozygotes, cold", each([parse(value)] * 10, caller.call, caller.forget))
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", file=sys.stdout)


def each(inputs: list[T], measured: Callable[[T], object], before: Callable[[], object] = lambda: None) -> list[float]:
    times = []
    for value in inputs:
        before()
        start = time.process_time()
        measured(value)
        times.append((time.process_time() - start) * 1000)
    return times


def show(what: str, times: list[float]) -> None:
    print(f"{what:42} {statistics.median(times):8.3f} ms   worst {max(times):8.3f}")


if __name__ == "__main__":
    main()
