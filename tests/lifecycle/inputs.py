"""Seeded random lives of results: laboratories that correct, withdraw, contradict and file results wrongly."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from schemas.clinical_context import ClinicalContext, StatementStatus, content_sha256
from schemas.cloudevents import Event
from schemas.lab_result import Status
from services.recommender.handler import Taken
from tests.services.recommender.builders import NO_CALL, NOT_ASSAYED, assigned
from tests.services.recommender.context.statements import on, statement

LABORATORIES = ("north", "south", "acme-genomics")
CALLS = {
    "CYP2C19": ("*1/*1", "*1/*2", "*2/*2", "*1/*17", NO_CALL, NOT_ASSAYED),
    "CYP2D6": ("*1/*1", "*1/*4", "*4/*4", NO_CALL),
    "TPMT": ("*1/*1", "*1/*3A", NO_CALL),
}
RELEASES = ("2025.11", "2026.11")
_DRUGS = ("paroxetine", "omeprazole", "bupropion", "fluvoxamine")


AFTERWARDS = "2027-01-01T09:00:00Z"
"""When what erased patients say anew is published."""

T = TypeVar("T")


class Erasure(NamedTuple):
    """Whom an operator erases."""

    tenant: str
    patient: str


def lives(patients: int, seed: int) -> list[Taken]:
    """Everything about so many patients of two tenants, in the order in which it was said."""
    draw = random.Random(seed)
    said: list[Taken] = []
    for number in range(patients):
        tenant = draw.choice(("mercy", "grace"))
        said += _context(draw, tenant, f"p-{number}")
        for laboratory in draw.sample(LABORATORIES, draw.choice((1, 1, 2, 3))):
            said += _accession(draw, tenant, number, laboratory)
    return said


def arrival(said: Sequence[T], seed: int, *, repeated: float = 0.1) -> Iterator[list[T]]:
    """The same in a random order, some of it twice or thrice, in batches of random sizes."""
    draw = random.Random(seed)
    coming = [*said, *(one for one in said if draw.random() < repeated), *(one for one in said if draw.random() < 0.02)]
    draw.shuffle(coming)
    while coming:
        size = draw.randint(1, 40)
        yield coming[:size]
        del coming[:size]


def erasing(said: Sequence[Taken], seed: int) -> tuple[list[Taken], Iterator[list[Taken | Erasure]]]:
    """Some patients are erased while everything comes in, and said something about anew: what is left to count, and
    how it all arrives. What was published before an erasure comes before it, after it, or both."""
    draw = random.Random(seed)
    patients = sorted(set(map(_whom, said)))
    erased = set(draw.sample(patients, max(1, len(patients) // 4)))
    anew = [replace(one, time=AFTERWARDS) for one in said if _whom(one) in erased and draw.random() < 0.3]
    left = [one for one in said if _whom(one) not in erased] + anew
    late = [one for one in said if draw.random() < 0.3]

    def coming() -> Iterator[list[Taken | Erasure]]:
        yield from arrival([*said, *sorted(erased)], seed + 1)
        yield from arrival([*anew, *late], seed + 2)

    return left, coming()


def _whom(event: Taken) -> Erasure:
    about = event.data if isinstance(event.data, ClinicalContext) else event.data.genotype
    return Erasure(about.tenant, about.patient)


def result(draw: random.Random, **about: Any) -> Taken:
    """One delivery of a result with random calls of some genes."""
    genes = draw.sample(sorted(CALLS), draw.randint(1, len(CALLS)))
    return assigned(
        {gene: draw.choice(CALLS[gene]) for gene in genes},
        missing=draw.randint(0, 2), day=draw.randint(0, 20), knowledge=draw.choice(RELEASES), **about,
    )  # fmt: skip


def _accession(draw: random.Random, tenant: str, number: int, laboratory: str) -> Iterator[Taken]:
    about = {"tenant": tenant, "laboratory": laboratory, "accession": f"{laboratory[0].upper()}-{number}"}
    patient, version = f"p-{number}", 1
    for _ in range(draw.choice((1, 1, 2, 3, 4))):
        yield result(draw, patient=patient, version=version, status=draw.choice(list(Status)), **about)
        version += draw.random() < 0.8
    if draw.random() < 0.15:  # the sample is another patient's
        if draw.random() < 0.8:
            yield result(draw, patient=patient, version=version, status=Status.ENTERED_IN_ERROR, **about)
        yield result(draw, patient=f"p-{draw.randrange(number + 1)}", version=version, **about)


def _context(draw: random.Random, tenant: str, patient: str) -> Iterator[Event[Any]]:
    for number in range(draw.choice((0, 0, 1, 2, 3))):
        yield said_of(draw, tenant, patient, f"S-{number // 2}")


def said_of(draw: random.Random, tenant: str, patient: str, document: str) -> Event[Any]:
    """One version of a statement of clinical context about a patient."""
    changes = {draw.choice(("started", "stopped")): [draw.choice(_DRUGS)]}
    version, day = draw.randint(1, 2), draw.randint(1, 24)
    status = draw.choice((StatementStatus.ACTIVE, StatementStatus.ACTIVE, StatementStatus.ENTERED_IN_ERROR))
    one = statement(document, day=day, version=version, status=status, **changes)
    said = one.said.model_copy(
        update={"tenant": tenant, "patient": patient, "recorded": on(day) + timedelta(minutes=draw.randint(0, 90))}
    )
    sha256 = content_sha256(said)
    return Event(sha256[:32], f"/{tenant}/ward", "pgx.clinical-context.v1", "2026-11-24T09:00:00Z", said, sha256)
