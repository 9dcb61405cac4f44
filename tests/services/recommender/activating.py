"""Releases activated on a store, and what it says then."""

import hashlib
from typing import Any

import orjson

from cli.interpretation import Interpreter
from schemas.clinical_context import parse
from schemas.cloudevents import Event
from schemas.genotype import KnowledgeRef
from schemas.phenotype import PhenotypeAssigned
from schemas.topics import CLINICAL_CONTEXT
from services.recommender.body import unpack
from services.recommender.dump import dump
from services.recommender.reinterpretation import Progress, Reinterpreter
from services.recommender.store import Store
from services.recommender.store.activations import activations, add, finish
from services.recommender.store.behind import Scope
from tests.services.recommender.builders import release
from tests.support.results import lab_result, phenotyped

OLD, NEW = "2025.11", "2026.11"
INTERPRETER = Interpreter(release)

NORMAL = {"TPMT": "*1/*1", "NUDT15": "*1/*1", "CYP2C19": "*1/*1"}


def assigned(calls: dict[str, str], knowledge: str = OLD, **about: Any) -> Event[PhenotypeAssigned]:
    """The phenotype event of a laboratory result with rows at the positions of the older release."""
    return phenotyped(lab_result(calls, release(OLD), **about), release(knowledge))


async def activated(
    store: Store,
    name: str,
    tenant: str | None = None,
    *,
    everyone: bool = False,
    follows: bool = False,
    finished: bool = False,
) -> Progress:
    """Activate a release and bring everybody under it."""
    known = KnowledgeRef(release=name, sha256=release(name).sha256)
    async with store.pool.acquire() as connection, connection.transaction():
        number = await add(connection, tenant, known, follows=follows)
    progress = await swept(store, tenant, everyone=everyone)
    if finished:
        await finish(store.pool, number)
    return progress


async def swept(store: Store, tenant: str | None = None, *, everyone: bool = False) -> Progress:
    made = await activations(store.pool, INTERPRETER)
    last = made.last(tenant)
    governing = made.of(last.number if last else None)
    assert governing is not None
    progress = Progress()
    work = Reinterpreter(store, release, INTERPRETER, governing, made)
    async for _ in work.run(Scope(tenant, () if tenant else made.own()), progress, everyone=everyone):
        pass
    return progress


async def current(store: Store) -> list[bytes]:
    return [line async for line in dump(store, release, current_only=True, interpret=INTERPRETER)]


async def published(store: Store, patient: str = "p-1") -> list[dict[str, Any]]:
    rows = await store.pool.fetch("SELECT body FROM outbox ORDER BY id")
    bodies = [orjson.loads(unpack(row["body"])) for row in rows]
    return [body for body in bodies if body["patient"] == patient]


def said(patient: str = "p-1", **facts: Any) -> Event[Any]:
    content = {
        "tenant": "mercy", "patient": patient, "source": "ehr", "statement": "s-1", "recorded": "2026-03-01T00:00:00Z",
    } | facts  # fmt: skip
    name = hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]
    return Event(name, "/ehr", CLINICAL_CONTEXT.name, "2026-03-01T00:00:00Z", parse(orjson.dumps(content)), name)
