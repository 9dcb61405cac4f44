"""One transaction of the recommender: what a batch of events changes is read, locked and written together."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.recommender.merging import Identity
from services.recommender.patient import Numbered, Patient
from services.recommender.store import rows
from services.recommender.store.rows import HistoryRow, InboxRow, OutboxRow, ResultRow

PatientKey = tuple[str, str]
"""Tenant and pseudonym."""

WAKE_RELAY = "pgx_outbox"
"""Notification channel: something was put into the outbox."""

# Sorted, so that two transactions that share patients wait for one another instead of deadlocking.
_CREATE = """
INSERT INTO patients (tenant, pseudonym)
SELECT tenant, pseudonym FROM unnest($1::text[], $2::text[]) AS wanted (tenant, pseudonym)
ORDER BY tenant COLLATE "C", pseudonym COLLATE "C"
ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT id, tenant, pseudonym, sequence, inputs
FROM patients JOIN unnest($1::text[], $2::text[]) AS wanted (tenant, pseudonym) USING (tenant, pseudonym)
ORDER BY tenant COLLATE "C", pseudonym COLLATE "C"
FOR NO KEY UPDATE OF patients
"""
_RESULTS = f"""
SELECT patient_id, ordinal, superseded_by IS NULL AS counts, {rows.DELIVERY}
FROM results WHERE patient_id = ANY ($1::bigint[]) AND superseded_by IS NULL
UNION ALL
SELECT patient_id, ordinal, false, {rows.DELIVERY.replace("genotypes::text", "''").replace("phenotypes::text", "''")}
FROM results WHERE patient_id = ANY ($1::bigint[]) AND superseded_by IS NOT NULL
"""  # noqa: S608 - a constant
_HANDLED = "SELECT event FROM inbox WHERE event = ANY ($1::uuid[])"
_ADD_RESULTS = """
INSERT INTO results (patient_id, ordinal, laboratory, accession, version, status, issued, sex, event_source, event_id,
                     content_sha256, release, release_sha256, software, superseded_by, genotypes, phenotypes, observed,
                     warnings)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::int[], $6::text[], $7::timestamptz[],
                     $8::text[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::bytea[], $14::text[],
                     $15::int[], $16::json[], $17::json[], $18::json[], $19::json[])
"""
_ADD_INBOX = """
INSERT INTO inbox (event, cause_source, cause_id, patient_id, ordinal, sequence)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::int[], $6::int[])
"""
_ADD_HISTORY = """
INSERT INTO history (patient_id, sequence, inputs, cause_type, cause_id, ordinal, release, issued, withdrawn,
                     body_sha256)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[], $4::text[], $5::text[], $6::int[], $7::text[], $8::json[],
                     $9::json[], $10::bytea[])
"""
_ADD_OUTBOX = """
INSERT INTO outbox (lane, key, headers, body)
SELECT lane, key, headers, body
FROM unnest($1::smallint[], $2::text[], $3::json[], $4::bytea[]) WITH ORDINALITY
     AS event (lane, key, headers, body, place)
ORDER BY place
"""
_SUPERSEDE = """
UPDATE results SET superseded_by = newer.ordinal
FROM unnest($1::bigint[], $2::int[], $3::int[]) AS newer (patient_id, superseded, ordinal)
WHERE results.patient_id = newer.patient_id AND results.ordinal = newer.superseded
"""
_ADVANCE = """
UPDATE patients SET sequence = reached.sequence, inputs = reached.inputs
FROM unnest($1::bigint[], $2::int[], $3::int[]) AS reached (id, sequence, inputs)
WHERE patients.id = reached.id
"""
_FORGET_EMPTY = "DELETE FROM patients WHERE id = ANY ($1::bigint[]) AND inputs = 0"


@dataclass(slots=True)
class Stored:
    """A patient with the row that is locked for it. ``patient`` is replaced as events are taken in."""

    id: int
    patient: Patient
    was: Patient


@dataclass(slots=True)
class Unit:
    """What is collected in one transaction and written at its end by ``save``."""

    connection: "asyncpg.pool.PoolConnectionProxy[Any]"
    results: list[ResultRow] = field(default_factory=list)
    superseded: dict[tuple[int, int], int] = field(default_factory=dict)
    inbox: list[InboxRow] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    locked: list[Stored] = field(default_factory=list)

    async def lock(self, keys: Collection[PatientKey]) -> dict[PatientKey, Stored]:
        """The patients, each locked until the end of the transaction, with what has been accepted about them."""
        wanted = [list(column) for column in zip(*sorted(set(keys)), strict=True)]
        await self.connection.execute(_CREATE, *wanted)
        found = await self.connection.fetch(_LOCK, *wanted)
        known = [row["id"] for row in found if row["inputs"] > 0]
        accepted = await self.connection.fetch(_RESULTS, known) if known else []
        by_patient: dict[int, list[asyncpg.Record]] = {id_: [] for id_ in known}
        for row in accepted:
            by_patient[row["patient_id"]].append(row)
        for row in found:
            patient = _patient(row, by_patient.get(row["id"], []))
            self.locked.append(Stored(row["id"], patient, patient))
        return {(one.patient.tenant, one.patient.pseudonym): one for one in self.locked}

    async def handled(self, events: Iterable[UUID]) -> set[UUID]:
        """Which of these events have had their effect already. To be asked after ``lock``."""
        return {UUID(int=row["event"].int) for row in await self.connection.fetch(_HANDLED, list(events))}

    def supersede(self, patient_id: int, ordinal: int, successor: int) -> None:
        """``successor`` counts in place of ``ordinal``."""
        self.superseded[patient_id, ordinal] = successor

    async def save(self) -> None:
        """Write what was collected; the relay is woken when the transaction commits."""
        added = [row._replace(superseded_by=self._successor(row)) for row in self.results]
        fresh = {(row.patient_id, row.ordinal) for row in added}
        older = [(id_, old, new) for (id_, old), new in self.superseded.items() if (id_, old) not in fresh]
        moved = [one for one in self.locked if one.patient is not one.was]
        await self._write(_ADD_RESULTS, added)
        await self._write(_ADD_INBOX, self.inbox)
        await self._write(_ADD_HISTORY, self.history)
        await self._write(_ADD_OUTBOX, self.outbox)
        await self._write(_SUPERSEDE, older)
        await self._write(_ADVANCE, [(one.id, one.patient.sequence, one.patient.inputs) for one in moved])
        if empty := [one.id for one in self.locked if one.patient.inputs == 0]:
            await self.connection.execute(_FORGET_EMPTY, empty)
        if self.outbox:
            await self.connection.execute(f"NOTIFY {WAKE_RELAY}")

    def _successor(self, row: ResultRow) -> int | None:
        return self.superseded.get((row.patient_id, row.ordinal))

    async def _write(self, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
        if values:
            await self.connection.execute(statement, *(list(column) for column in zip(*values, strict=True)))


def _patient(row: asyncpg.Record, accepted: Sequence[asyncpg.Record]) -> Patient:
    current = {
        (one["laboratory"], one["accession"]): Numbered(one["ordinal"], rows.delivery(one))
        for one in accepted
        if one["counts"]
    }
    known: dict[Identity, int] = {rows.identity(one): one["ordinal"] for one in accepted}
    return Patient(row["tenant"], row["pseudonym"], row["sequence"], row["inputs"], current, known)
