"""Live results, taken in one at a time, and how long each takes until its effect is committed."""

import asyncio
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, cycle

from bench.lifecycle import people
from knowledge.release import Release
from schemas.cloudevents import Event
from schemas.phenotype import PhenotypeAssigned, ResultNote
from services.recommender.handler import Recommender
from tests.support.results import phenotyped

_DIFFERENT = 300
"""Results that differ in what was found; each comes again and again, for another patient each time."""
_PAUSE_SECONDS = 0.05

Result = Event[PhenotypeAssigned]


@dataclass(slots=True)
class Latencies:
    """Milliseconds of each result."""

    times: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def late(self) -> float:
        """The 95th percentile."""
        return sorted(self.times)[int(0.95 * len(self.times))]


def results(release: Release) -> Iterator[Result]:
    """Results of ever new patients, without end."""
    different: list[Result] = []
    for one in people.results(release, _DIFFERENT, seed=9):
        different.append(phenotyped(one, release))
        yield _of_another(different[-1], len(different))
    for number, event in zip(count(_DIFFERENT + 1), cycle(different), strict=False):
        yield _of_another(event, number)


async def warmed_up(recommenders: Sequence[Recommender], live: Iterator[Result]) -> None:
    """Every different result once to each: what is worked out once for many patients is, wherever time is taken."""
    for recommender in recommenders:
        for _ in range(_DIFFERENT):
            await _seconds(recommender, next(live))


async def by_turns(recommenders: Sequence[Recommender], live: Iterator[Result], each: int) -> list[Latencies]:
    """Latencies of each of several stores, taken by turns, so that all that goes on beside touches all of them."""
    found = [Latencies() for _ in recommenders]
    for turn in range(each):
        order = list(zip(recommenders, found, strict=True))
        for recommender, latencies in order if turn % 2 else reversed(order):
            latencies.times.append(await _seconds(recommender, next(live)) * 1000)
            await asyncio.sleep(_PAUSE_SECONDS)
    return found


async def until(done: Callable[[], bool], recommender: Recommender, live: Iterator[Result]) -> Latencies:
    """Latencies of one store until something is done."""
    found = Latencies()
    while not done():
        found.times.append(await _seconds(recommender, next(live)) * 1000)
        await asyncio.sleep(_PAUSE_SECONDS)
    return found


async def _seconds(recommender: Recommender, event: Result) -> float:
    began = time.perf_counter()
    if failures := await recommender.handle([event]):
        raise RuntimeError(str(failures[0].reason))
    return time.perf_counter() - began


def _of_another(event: Result, number: int) -> Result:
    """The same findings of another patient."""
    genotype = event.data.genotype
    of_result = {"accession": f"L-{number}", "event_id": f"live-{number}", "sha256": f"{number:064x}"}
    result = genotype.result.model_copy(update=of_result)
    called = genotype.model_copy(update={"patient": f"live-{number}", "result": result})
    note = {"result": ResultNote.of(result)}
    phenotypes = tuple(one.model_copy(update=note) for one in event.data.phenotypes)
    id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{event.id}/{number}"))
    return replace(event, id=id_, data=PhenotypeAssigned(genotype=called, phenotypes=phenotypes))
