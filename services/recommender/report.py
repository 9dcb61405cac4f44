"""What is known and advised about one patient: now, and since an event. Rendered from facts through their releases."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from schemas.base import Model
from schemas.genotype import GeneCall, KnowledgeRef
from schemas.phenotype import Phenotype
from schemas.recommendation import Cause, Recommendation, RecommendationsChanged, ResultNote
from services.recommender.merging import Delivery
from services.recommender.patient import Patient, Releases, State, state_of, why
from services.recommender.store import Store, rows

_PATIENT = "SELECT id, tenant, pseudonym, sequence FROM patients WHERE tenant = $1 AND pseudonym = $2"
_TENANTS = "SELECT tenant FROM patients WHERE pseudonym = $1 ORDER BY tenant"
_DELIVERIES = f"SELECT ordinal, {rows.DELIVERY} FROM results WHERE patient_id = $1 ORDER BY ordinal"  # noqa: S608
_CURRENT = f"SELECT {rows.DELIVERY} FROM results WHERE patient_id = $1 AND superseded_by IS NULL"  # noqa: S608
_HISTORY = """
SELECT sequence, inputs, cause_type, cause_id, ordinal FROM history
WHERE patient_id = $1 AND sequence > $2 ORDER BY sequence
"""
_APPLIED = """
SELECT inbox.cause_source, tenant, pseudonym, laboratory, accession, version, status, release, inbox.sequence,
       results.event_source = inbox.cause_source AND results.event_id = inbox.cause_id AS brought,
       superseded_by IS NULL AS current
FROM inbox JOIN results USING (patient_id, ordinal) JOIN patients ON patients.id = inbox.patient_id
WHERE inbox.cause_id = $1 ORDER BY cause_source, tenant, pseudonym, laboratory, accession, inbox.ordinal
"""


class Report(Model):
    """A patient's current state, as ``pgx report --json`` prints it."""

    tenant: str
    patient: str
    sequence: int
    """Of the last recommendation event; 0 where nothing was ever advised."""
    knowledge: KnowledgeRef | None
    genotypes: tuple[GeneCall, ...]
    phenotypes: tuple[Phenotype, ...]
    recommendations: tuple[Recommendation, ...]
    results: tuple[ResultNote, ...]
    """The current delivery of each accession, withdrawn ones included."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a laboratory's event did in the store."""

    source: str
    tenant: str
    patient: str
    laboratory: str
    accession: str
    version: int
    status: str
    release: str
    sequence: int | None
    """The recommendation event it made; None: it changed nothing."""
    duplicate: bool
    """Another event had brought the same content before."""
    current: bool
    """Its content counts for its accession now."""


async def tenants_of(store: Store, patient: str) -> tuple[str, ...]:
    """The tenants that have a patient of this pseudonym."""
    return tuple(row["tenant"] for row in await store.pool.fetch(_TENANTS, patient))


async def report(store: Store, releases: Releases, tenant: str, patient: str) -> Report | None:
    """The patient's current state; None where nothing is known of the patient."""
    async with store.snapshot() as connection:
        row = await connection.fetchrow(_PATIENT, tenant, patient)
        if row is None:
            return None
        current = await connection.fetch(_CURRENT, row["id"])
    return report_of(row, state_of(map(rows.delivery, current), releases))


def report_of(patient: asyncpg.Record, state: State) -> Report:
    """A state as a report."""
    return Report(
        tenant=patient["tenant"],
        patient=patient["pseudonym"],
        sequence=patient["sequence"],
        knowledge=state.knowledge,
        genotypes=state.genotypes,
        phenotypes=state.phenotypes,
        recommendations=state.recommendations,
        results=state.results,
    )


async def events_since(
    store: Store, releases: Releases, tenant: str, patient: str, sequence: int = 0
) -> AsyncIterator[RecommendationsChanged]:
    """The patient's recommendation events after ``sequence``, in order, as they were published."""
    async with store.snapshot() as connection:
        row = await connection.fetchrow(_PATIENT, tenant, patient)
        if row is None:
            return
        history = await connection.fetch(_HISTORY, row["id"], sequence)
        accepted = [rows.delivery(one) for one in await connection.fetch(_DELIVERIES, row["id"])] if history else []
    for event in history:
        yield rendered(tenant, patient, event, accepted, releases)


def rendered(
    tenant: str, patient: str, event: asyncpg.Record, accepted: Sequence[Delivery], releases: Releases
) -> RecommendationsChanged:
    """A published event out of its row of history and the patient's deliveries in order of acceptance."""
    cause = accepted[event["ordinal"] - 1].result
    before = state_of(accepted[: event["inputs"] - 1], releases)
    after = state_of(accepted[: event["inputs"]], releases)
    numbered = Patient(tenant, patient, event["sequence"], event["inputs"])
    known = Cause(type=event["cause_type"], id=event["cause_id"], accession=cause.accession, version=cause.version)
    return numbered.event(known, before, after, why(cause))


async def applied(store: Store, event_id: str) -> tuple[Applied, ...]:
    """What a laboratory's event did in the store, for each source and release; nothing where it was not applied."""
    return tuple(_applied(row) for row in await store.pool.fetch(_APPLIED, event_id))


def _applied(row: asyncpg.Record) -> Applied:
    values: dict[str, Any] = dict(row)
    return Applied(
        source=values["cause_source"],
        tenant=values["tenant"],
        patient=values["pseudonym"],
        laboratory=values["laboratory"],
        accession=values["accession"],
        version=values["version"],
        status=values["status"],
        release=values["release"],
        sequence=values["sequence"],
        duplicate=not values["brought"],
        current=values["current"],
    )
