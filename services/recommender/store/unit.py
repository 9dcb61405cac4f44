"""One transaction of the recommender: what a batch of events changes is read, locked and written together."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import asyncpg

from services.recommender.merging import Identity
from services.recommender.patient import Numbered, Patient, Said
from services.recommender.store import rows
from services.recommender.store.rows import HistoryRow, InboxRow, OutboxRow, ResultRow, StatementRow

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
_STATEMENTS = f"""
SELECT patient_id, ordinal, source, statement, superseded_by IS NULL AS counts, {rows.STATEMENT}
FROM statements WHERE patient_id = ANY ($1::bigint[])
"""  # noqa: S608 - a constant
_HANDLED = "SELECT event FROM inbox WHERE event = ANY ($1::uuid[])"
_ADD_RESULTS = """
INSERT INTO results (patient_id, ordinal, laboratory, accession, version, status, issued, sex, event_source, event_id,
                     content_sha256, release, release_sha256, software, superseded_by, genotypes, phenotypes, observed,
                     warnings)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[],
                     $8::text[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::bytea[], $14::text[],
                     $15::int[], $16::json[], $17::json[], $18::json[], $19::json[])
"""
_ADD_STATEMENTS = """
INSERT INTO statements (patient_id, ordinal, source, statement, version, event_source, event_id, content_sha256,
                        superseded_by, content)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
                     $8::bytea[], $9::int[], $10::json[])
"""
_ADD_INBOX = """
INSERT INTO inbox (event, cause_source, cause_id, patient_id, ordinal, sequence)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::int[], $6::int[])
"""
_ADD_HISTORY = """
INSERT INTO history (patient_id, sequence, inputs, cause_type, cause_id, ordinal, release, keys, issued, withdrawn,
                     body_sha256)
SELECT patient_id, sequence, inputs, cause_type, cause_id, ordinal, release, keys, issued::int[], withdrawn::int[],
       body_sha256
FROM unnest($1::bigint[], $2::int[], $3::int[], $4::text[], $5::text[], $6::int[], $7::text[], $8::json[], $9::text[],
            $10::text[], $11::bytea[])
     AS event (patient_id, sequence, inputs, cause_type, cause_id, ordinal, release, keys, issued, withdrawn,
               body_sha256)
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
_SUPERSEDE_STATEMENTS = """
UPDATE statements SET superseded_by = newer.ordinal
FROM unnest($1::bigint[], $2::int[], $3::int[]) AS newer (patient_id, superseded, ordinal)
WHERE statements.patient_id = newer.patient_id AND statements.ordinal = newer.superseded
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
    number_rules: Callable[[Collection[str]], Awaitable[Mapping[str, int]]]
    results: list[ResultRow] = field(default_factory=list)
    statements: list[StatementRow] = field(default_factory=list)
    superseded: dict[tuple[int, int], int] = field(default_factory=dict)
    inbox: list[InboxRow] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    locked: dict[PatientKey, Stored] = field(default_factory=dict)

    async def lock(self, keys: Collection[PatientKey]) -> None:
        """Lock the patients until the end of the transaction; who is new gets a row."""
        wanted = [list(column) for column in zip(*sorted(set(keys)), strict=True)]
        await self.connection.execute(_CREATE, *wanted)
        for row in await self.connection.fetch(_LOCK, *wanted):
            patient = Patient(row["tenant"], row["pseudonym"], row["sequence"], row["inputs"])
            self.locked[patient.tenant, patient.pseudonym] = Stored(row["id"], patient, patient)

    async def patients(self, keys: Collection[PatientKey]) -> Mapping[PatientKey, Stored]:
        """These of the locked patients, with what has been accepted about them."""
        wanted = {self.locked[key].id: self.locked[key] for key in keys}
        known = [id_ for id_, one in wanted.items() if one.patient.inputs > 0]
        accepted: dict[int, list[asyncpg.Record]] = {id_: [] for id_ in known}
        for row in await self.connection.fetch(_RESULTS, known) if known else ():
            accepted[row["patient_id"]].append(row)
        said: dict[int, list[asyncpg.Record]] = {id_: [] for id_ in known}
        for row in await self.connection.fetch(_STATEMENTS, known) if known else ():
            said[row["patient_id"]].append(row)
        for id_, found in accepted.items():
            patient = _with_statements(_with_results(wanted[id_].patient, found), said[id_])
            wanted[id_].patient = wanted[id_].was = patient
        return {key: self.locked[key] for key in keys}

    async def handled(self, events: Iterable[UUID]) -> set[UUID]:
        """Which of these events have had their effect already. To be asked after ``lock``."""
        return {UUID(int=row["event"].int) for row in await self.connection.fetch(_HANDLED, list(events))}

    def supersede(self, patient_id: int, ordinal: int, successor: int) -> None:
        """``successor`` counts in place of ``ordinal``."""
        self.superseded[patient_id, ordinal] = successor

    async def save(self) -> None:
        """Write what was collected; the relay is woken when the transaction commits."""
        added = [row._replace(superseded_by=self._successor(row)) for row in self.results]
        stated = [row._replace(superseded_by=self._successor(row)) for row in self.statements]
        fresh = {(row.patient_id, row.ordinal) for row in added} | {(row.patient_id, row.ordinal) for row in stated}
        older = [(id_, old, new) for (id_, old), new in self.superseded.items() if (id_, old) not in fresh]
        moved = [one for one in self.locked.values() if one.patient is not one.was]
        await self._write(_ADD_RESULTS, added)
        await self._write(_ADD_STATEMENTS, stated)
        await self._write(_ADD_INBOX, self.inbox)
        await self._write(_ADD_HISTORY, await self._numbered_history())
        await self._write(_ADD_OUTBOX, self.outbox)
        # Results and statements are numbered together, so that an ordinal is in one of the tables only.
        await self._write(_SUPERSEDE, older)
        await self._write(_SUPERSEDE_STATEMENTS, older)
        await self._write(_ADVANCE, [(one.id, one.patient.sequence, one.patient.inputs) for one in moved])
        if empty := [one.id for one in self.locked.values() if one.patient.inputs == 0]:
            await self.connection.execute(_FORGET_EMPTY, empty)
        if self.outbox:
            await self.connection.execute(f"NOTIFY {WAKE_RELAY}")

    async def _numbered_history(self) -> list[tuple[Any, ...]]:
        numbers = await self.number_rules({rule for row in self.history for rule in (*row.issued, *row.withdrawn)})

        def array(rules: Sequence[str]) -> str:
            # As text: PostgreSQL has no arrays of arrays of different lengths.
            return "{" + ",".join(str(number) for number in sorted(numbers[rule] for rule in rules)) + "}"

        return [(*row[:8], array(row.issued), array(row.withdrawn), row.body_sha256) for row in self.history]

    def _successor(self, row: ResultRow | StatementRow) -> int | None:
        return self.superseded.get((row.patient_id, row.ordinal))

    async def _write(self, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
        if values:
            await self.connection.execute(statement, *(list(column) for column in zip(*values, strict=True)))


def _with_results(patient: Patient, accepted: Sequence[asyncpg.Record]) -> Patient:
    current = {
        (one["laboratory"], one["accession"]): Numbered(one["ordinal"], rows.delivery(one))
        for one in accepted
        if one["counts"]
    }
    known: dict[Identity, int] = {rows.identity(one): one["ordinal"] for one in accepted}
    return replace(patient, current=current, known=known)


def _with_statements(patient: Patient, accepted: Sequence[asyncpg.Record]) -> Patient:
    if not accepted:
        return patient
    current = {
        (one["source"], one["statement"]): Said(one["ordinal"], rows.statement(one))
        for one in accepted
        if one["counts"]
    }
    known = {(one["source"], one["statement"], one["content_sha256"]): one["ordinal"] for one in accepted}
    return replace(patient, statements=current, known_statements=known)
