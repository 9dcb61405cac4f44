"""What is known and advised about one patient: now, and since an event. Rendered from facts through their releases."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
from pydantic import Field

from schemas.base import Model
from schemas.finding import Finding
from schemas.genotype import GeneCall, KnowledgeRef
from schemas.phenotype import Phenotype
from schemas.recommendation import (
    CurrentMedication,
    DoseEstimate,
    Recommendation,
    RecommendationsChanged,
    ResultNote,
    Silence,
)
from services.recommender.discordance import Policy
from services.recommender.interpretation import Governing, Interpret, as_delivered
from services.recommender.misfiled import Elsewhere, misfiled
from services.recommender.patient import Patient, cause_of, why
from services.recommender.state import Input, Releases, State, state_after, state_of
from services.recommender.store import Store, rows
from services.recommender.store.activations import Activations, activations
from services.recommender.store.elsewhere import elsewhere
from services.recommender.store.policies import POLICY

_PATIENT = f"""
SELECT id, tenant, pseudonym, sequence, activation, {POLICY} FROM patients WHERE tenant = $1 AND pseudonym = $2
"""  # noqa: S608 - a constant
_TENANTS = "SELECT tenant FROM patients WHERE pseudonym = $1 ORDER BY tenant"
_DELIVERIES = f"SELECT ordinal, {rows.DELIVERY} FROM results WHERE patient_id = $1 ORDER BY ordinal"  # noqa: S608
_STATEMENTS = f"""
SELECT ordinal, superseded_by IS NULL AS counts, {rows.STATEMENT} FROM statements WHERE patient_id = $1 ORDER BY ordinal
"""  # noqa: S608 - a constant
_CURRENT = f"SELECT {rows.DELIVERY} FROM results WHERE patient_id = $1 AND superseded_by IS NULL"  # noqa: S608
_HISTORY = """
SELECT sequence, inputs, cause_type, cause_id, ordinal, activation, activation_before,
       coalesce(policy, 'newest') AS policy
FROM history
WHERE patient_id = $1 AND sequence > $2 ORDER BY sequence
"""
_APPLIED = """
SELECT inbox.cause_source, tenant, pseudonym, laboratory, accession, version, status, release, inbox.sequence,
       results.event_source = inbox.cause_source AND results.event_id = inbox.cause_id AS brought,
       superseded_by IS NULL AS current
FROM inbox JOIN results USING (patient_id, ordinal) JOIN patients ON patients.id = inbox.patient_id
WHERE inbox.cause_id = $1 ORDER BY cause_source, tenant, pseudonym, laboratory, accession, inbox.ordinal
"""
_APPLIED_STATEMENTS = """
SELECT inbox.cause_source, tenant, pseudonym, source, statement, version, content->>'status' AS status, inbox.sequence,
       statements.event_source = inbox.cause_source AND statements.event_id = inbox.cause_id AS brought,
       superseded_by IS NULL AS current
FROM inbox JOIN statements USING (patient_id, ordinal) JOIN patients ON patients.id = inbox.patient_id
WHERE inbox.cause_id = $1 ORDER BY cause_source, tenant, pseudonym, source, statement, inbox.ordinal
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
    silent: tuple[Silence, ...]
    findings: tuple[Finding, ...]
    results: tuple[ResultNote, ...]
    """The current delivery of each accession, withdrawn ones included."""
    medications: tuple[CurrentMedication, ...] = Field(default=(), exclude_if=lambda taken: not taken)
    """What the patient takes, as far as it was stated; left out where nothing was."""
    dose_estimates: tuple[DoseEstimate, ...] = Field(default=(), exclude_if=lambda estimates: not estimates)
    """Doses by equations for drugs that no recommendation carries one for."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What an event from outside did in the store."""

    source: str
    tenant: str
    patient: str
    laboratory: str | None
    accession: str | None
    version: int
    status: str
    release: str | None
    sequence: int | None
    """The recommendation event it made; None: it changed nothing."""
    duplicate: bool
    """Another event had brought the same content before."""
    current: bool
    """Its content counts for its accession, or its document, now."""
    statement: str | None = None
    """For a statement of clinical context, with None for laboratory, accession and release: the one it is."""


async def tenants_of(store: Store, patient: str) -> tuple[str, ...]:
    """The tenants that have a patient of this pseudonym."""
    return tuple(row["tenant"] for row in await store.pool.fetch(_TENANTS, patient))


async def report(
    store: Store, releases: Releases, tenant: str, patient: str, interpret: Interpret = as_delivered
) -> Report | None:
    """The patient's current state; None where nothing is known of the patient."""
    async with store.snapshot() as connection:
        found = await current_state(connection, releases, tenant, patient, interpret)
    return None if found is None else report_of(found.row, found.state)


@dataclass(frozen=True, slots=True)
class Known:
    """One patient as the store has it now."""

    row: asyncpg.Record
    """The patient's own."""
    state: State
    """As it is shown."""
    governing: Governing | None


async def current_state(
    connection: Any, releases: Releases, tenant: str, patient: str, interpret: Interpret
) -> Known | None:
    """What is known and advised now; None where nothing is known of the patient."""
    row = await patient_row(connection, tenant, patient)
    if row is None:
        return None
    current = await connection.fetch(_CURRENT, row["id"])
    said = await connection.fetch(_STATEMENTS, row["id"])
    governing = (await activations(connection, interpret)).of(row["activation"])
    statements = (rows.statement(one) for one in said if one["counts"])
    state = state_of(map(rows.delivery, current), releases, statements, governing, Policy(row["policy"]))
    others = (await elsewhere(connection, [row["id"]])).get(row["id"], {})
    return Known(row, shown(state, others), governing)


async def patient_row(connection: Any, tenant: str, patient: str) -> asyncpg.Record | None:
    """The patient's own row."""
    row: asyncpg.Record | None = await connection.fetchrow(_PATIENT, tenant, patient)
    return row


def shown(state: State, others: Elsewhere) -> State:
    """A state as it is read now: with findings about results that others have as well, which are never published."""
    return replace(state, findings=(*misfiled(state.results, others), *state.findings))


def report_of(patient: asyncpg.Record | Mapping[str, Any], state: State) -> Report:
    """A state as a report."""
    return Report(
        tenant=patient["tenant"],
        patient=patient["pseudonym"],
        sequence=patient["sequence"],
        knowledge=state.knowledge,
        genotypes=state.genotypes,
        phenotypes=state.phenotypes,
        recommendations=state.recommendations,
        silent=state.silent,
        findings=state.findings,
        results=state.results,
        medications=state.medications,
        dose_estimates=state.dose_estimates,
    )


async def events_since(
    store: Store,
    releases: Releases,
    tenant: str,
    patient: str,
    sequence: int = 0,
    interpret: Interpret = as_delivered,
) -> AsyncIterator[RecommendationsChanged]:
    """The patient's recommendation events after ``sequence``, in order, as they were published."""
    async with store.snapshot() as connection:
        row = await connection.fetchrow(_PATIENT, tenant, patient)
        if row is None:
            return
        history = await connection.fetch(_HISTORY, row["id"], sequence)
        accepted = await accepted_inputs(connection, row["id"]) if history else []
        made = await activations(connection, interpret)
    for event in history:
        yield rendered(tenant, patient, event, accepted, releases, made)


async def accepted_inputs(connection: Any, patient_id: int) -> list[Input]:
    """All of the patient's inputs in order of acceptance."""
    numbered: dict[int, Input] = {
        one["ordinal"]: rows.delivery(one) for one in await connection.fetch(_DELIVERIES, patient_id)
    }
    numbered |= {one["ordinal"]: rows.statement(one) for one in await connection.fetch(_STATEMENTS, patient_id)}
    return [numbered[ordinal] for ordinal in sorted(numbered)]


def rendered(
    tenant: str,
    patient: str,
    event: asyncpg.Record,
    accepted: Sequence[Input],
    releases: Releases,
    made: Activations,
) -> RecommendationsChanged:
    """A published event out of its row of history and the patient's inputs in order of acceptance."""
    governing, governing_before = made.of(event["activation"]), made.of(event["activation_before"])
    known, policy = accepted[: event["inputs"]], Policy(event["policy"])
    if event["ordinal"] is None:
        if governing is None:
            raise ValueError("an event without an input comes from an activation")
        numbered = Patient(tenant, patient, event["sequence"] - 1, event["inputs"])
        before = state_after(known, releases, governing_before, policy)
        return numbered.reinterpreted(before, state_after(known, releases, governing, policy), governing).event
    cause = accepted[event["ordinal"] - 1]
    before = state_after(known[:-1], releases, governing_before, policy)
    after = state_after(known, releases, governing, policy)
    numbered = Patient(tenant, patient, event["sequence"], event["inputs"])
    of_cause = cause_of(cause).model_copy(update={"type": event["cause_type"], "id": event["cause_id"]})
    return numbered.notice(of_cause, before, after, why(cause)).event


async def applied(store: Store, event_id: str) -> tuple[Applied, ...]:
    """What an event from outside did in the store, for each source and release; nothing where it was not applied."""
    results = [_applied(row) for row in await store.pool.fetch(_APPLIED, event_id)]
    statements = [_applied_statement(row) for row in await store.pool.fetch(_APPLIED_STATEMENTS, event_id)]
    return (*results, *statements)


def _applied_statement(row: asyncpg.Record) -> Applied:
    return Applied(
        source=row["cause_source"],
        tenant=row["tenant"],
        patient=row["pseudonym"],
        laboratory=None,
        accession=None,
        version=row["version"],
        status=row["status"],
        release=None,
        sequence=row["sequence"],
        duplicate=not row["brought"],
        current=row["current"],
        statement=f"{row['source']}/{row['statement']}",
    )


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
