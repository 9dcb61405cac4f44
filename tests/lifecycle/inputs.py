"""Seeded random lives of results: laboratories that correct, withdraw, contradict and file results wrongly."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from schemas.clinical_context import StatementStatus, content_sha256
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


def arrival(said: list[Taken], seed: int, *, repeated: float = 0.1) -> Iterator[list[Taken]]:
    """The same in a random order, some of it twice or thrice, in batches of random sizes."""
    draw = random.Random(seed)
    coming = [*said, *(one for one in said if draw.random() < repeated), *(one for one in said if draw.random() < 0.02)]
    draw.shuffle(coming)
    while coming:
        size = draw.randint(1, 40)
        yield coming[:size]
        del coming[:size]


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
        changes = {draw.choice(("started", "stopped")): [draw.choice(_DRUGS)]}
        version, day = draw.randint(1, 2), draw.randint(1, 24)
        status = draw.choice((StatementStatus.ACTIVE, StatementStatus.ACTIVE, StatementStatus.ENTERED_IN_ERROR))
        one = statement(f"S-{number // 2}", day=day, version=version, status=status, **changes)
        said = one.said.model_copy(
            update={"tenant": tenant, "patient": patient, "recorded": on(day) + timedelta(minutes=draw.randint(0, 90))}
        )
        sha256 = content_sha256(said)
        yield Event(sha256[:32], f"/{tenant}/ward", "pgx.clinical-context.v1", "2026-11-24T09:00:00Z", said, sha256)
