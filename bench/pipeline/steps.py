"""Where the time goes inside the services: each step alone, in one process, without broker and database."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from knowledge.loader import Releases
from schemas import cloudevents
from schemas.cloudevents import Event
from schemas.topics import GENOTYPE, PHENOTYPE
from services.genotyper.handler import Genotyper
from services.phenotyper.handler import Phenotyper
from services.recommender.guidance import recommend

T = TypeVar("T")


def steps(values: Sequence[bytes], keys: Sequence[str]) -> dict[str, float]:
    """Milliseconds a sample of each step."""
    releases = Releases()
    release = releases.load(releases.newest())
    genotyper = Genotyper(lambda tenant: release)
    phenotyper = Phenotyper(releases.load)
    taken: dict[str, float] = {}

    def each(name: str, step: Callable[[Any], T], inputs: Sequence[Any]) -> list[T]:
        began = time.process_time()
        made = [step(one) for one in inputs]
        taken[name] = 1000 * (time.process_time() - began) / len(inputs)
        return made

    def bytes_of(topic: Any, event: Event[Any]) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        return cloudevents.encode(topic, event.data, id=event.id, source="/bench", time=event.time)

    pairs = list(zip(keys, values, strict=True))
    results = each("genotyper: read", lambda pair: cloudevents.decode_lab_result(pair[0].encode(), pair[1], []), pairs)
    called = each("genotyper: call", genotyper.handle, results)
    genotypes = [replace(event, data=data) for event, data in zip(results, called, strict=True)]
    encoded = each("genotyper: write", lambda event: bytes_of(GENOTYPE, event), genotypes)
    read = each("phenotyper: read", lambda message: cloudevents.decode(GENOTYPE, *message), encoded)
    assigned = each("phenotyper: assign", phenotyper.handle, read)
    phenotypes = [replace(event, data=data) for event, data in zip(read, assigned, strict=True)]
    encoded = each("phenotyper: write", lambda event: bytes_of(PHENOTYPE, event), phenotypes)
    final = each("recommender: read", lambda message: cloudevents.decode(PHENOTYPE, *message), encoded)
    each(
        "recommender: guidelines",
        lambda event: recommend(release, event.data.genotype.genotypes, event.data.phenotypes),
        final,
    )
    return taken
