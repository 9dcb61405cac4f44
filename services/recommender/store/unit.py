"""One transaction of the recommender: what a batch of events changes is read, locked and written together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import asyncpg

from services.recommender.discordance import Policy
from services.recommender.interpretation import Interpret, as_delivered
from services.recommender.merging import Identity
from services.recommender.patient import Numbered, Patient, Said
from services.recommender.store import rows
from services.recommender.store.activations import Activations, held
from services.recommender.store.numbers import Dictionaries, Known
from services.recommender.store.policies import POLICY
from services.recommender.store.rows import HistoryRow, InboxRow, OutboxRow, ResultRow, StatementRow
from services.recommender.store.writes import Writes
from services.recommender.view import View

PatientKey = tuple[str, str]
"""Tenant and pseudonym."""

WAKE_RELAY = "pgx_outbox"
"""Notification channel: something was put into the outbox."""
_WAKE = f"SELECT pg_notify('{WAKE_RELAY}', '')"

# Sorted, so that two transactions that share patients wait for one another instead of deadlocking.
_CREATE = """
INSERT INTO patients (tenant, pseudonym)
SELECT tenant, pseudonym FROM unnest($1::text[], $2::text[]) AS wanted (tenant, pseudonym)
ORDER BY tenant COLLATE "C", pseudonym COLLATE "C"
ON CONFLICT DO NOTHING
"""
_LOCK = f"""
SELECT id, tenant, pseudonym, sequence, inputs, activation, {POLICY}
FROM patients JOIN unnest($1::text[], $2::text[]) AS wanted (tenant, pseudonym) USING (tenant, pseudonym)
ORDER BY tenant COLLATE "C", pseudonym COLLATE "C"
FOR NO KEY UPDATE OF patients
"""  # noqa: S608 - a constant
_IDENTITY = rows.DELIVERY
for _facts in ("genotypes", "phenotypes", "observed"):
    _IDENTITY = _IDENTITY.replace(f"{_facts}::text", "''")
# Observed rows are large, and needed only where a result is to be read under another release than it was called under.
_FACTS = rows.DELIVERY.replace("observed::text", "CASE WHEN release = governing THEN '' ELSE observed::text END")
_RESULTS = f"""
SELECT patient_id, ordinal, superseded_by IS NULL AS counts, {_FACTS}
FROM results JOIN unnest($1::bigint[], $2::text[]) AS wanted (patient_id, governing) USING (patient_id)
WHERE superseded_by IS NULL
UNION ALL
SELECT patient_id, ordinal, false, {_IDENTITY}
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
                     body_sha256, activation, activation_before, policy)
SELECT patient_id, sequence, inputs, cause_type, cause_id, ordinal, release, keys, issued::int[], withdrawn::int[],
       body_sha256, activation, activation_before, policy
FROM unnest($1::bigint[], $2::int[], $3::int[], $4::text[], $5::text[], $6::int[], $7::text[], $8::json[], $9::text[],
            $10::text[], $11::bytea[], $12::int[], $13::int[], $14::text[])
     AS event (patient_id, sequence, inputs, cause_type, cause_id, ordinal, release, keys, issued, withdrawn,
               body_sha256, activation, activation_before, policy)
"""
_ADD_OUTBOX = """
INSERT INTO outbox (lane, key, headers, body, background)
SELECT lane, key, headers, body, background
FROM unnest($1::smallint[], $2::text[], $3::json[], $4::bytea[], $5::boolean[]) WITH ORDINALITY
     AS event (lane, key, headers, body, background, place)
ORDER BY place
"""
# A patient's events stay in order: one that cannot wait takes those before it along.
_HURRY = "UPDATE outbox SET background = false WHERE background AND key = ANY ($1::text[])"
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
UPDATE patients SET sequence = reached.sequence, inputs = reached.inputs, activation = reached.activation,
                    lookups = coalesce(reached.lookups::int[], patients.lookups),
                    medications = CASE WHEN reached.lookups IS NULL THEN patients.medications
                                       ELSE reached.medications::int[] END,
                    against = CASE WHEN reached.lookups IS NULL THEN patients.against
                                   ELSE string_to_array(reached.against, E'\n') END
FROM unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[])
     AS reached (id, sequence, inputs, activation, lookups, medications, against)
WHERE patients.id = reached.id
"""
_LOCK_UNCHANGED = """
SELECT id FROM patients
JOIN unnest($1::bigint[], $2::int[], $3::int[], $4::int[]) AS known (id, sequence, inputs, activation) USING (id)
WHERE patients.sequence = known.sequence AND patients.inputs = known.inputs
      AND patients.activation IS NOT DISTINCT FROM known.activation
ORDER BY tenant COLLATE "C", pseudonym COLLATE "C"
FOR NO KEY UPDATE OF patients
"""
_FORGET_EMPTY = "DELETE FROM patients WHERE id = ANY ($1::bigint[]) AND inputs = 0"


@dataclass(slots=True)
class Stored:
    """A patient with the row that is locked for it. ``patient`` is replaced as events are taken in."""

    id: int
    patient: Patient
    was: Patient
    view: View | None = None
    """What holds now; None: nothing of it has changed."""


@dataclass(slots=True)
class Unit:
    """What is collected in one transaction and written at its end by ``save``."""

    connection: "asyncpg.pool.PoolConnectionProxy[Any]"
    numbers: Dictionaries
    results: list[ResultRow] = field(default_factory=list)
    statements: list[StatementRow] = field(default_factory=list)
    superseded: dict[tuple[int, int], int] = field(default_factory=dict)
    inbox: list[InboxRow] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    locked: dict[PatientKey, Stored] = field(default_factory=dict)
    known: Known | None = None
    """The numbers that what was saved refers to."""
    activations: Activations = field(default_factory=lambda: Activations((), as_delivered))

    async def lock(self, keys: Collection[PatientKey], interpret: Interpret) -> None:
        """Lock the patients until the end of the transaction; who is new gets a row."""
        self.activations = await held(self.connection, interpret)
        missing = set(keys)
        while missing:  # who was erased while we waited for the lock is new
            wanted = [list(column) for column in zip(*sorted(missing), strict=True)]
            await self.connection.execute(_CREATE, *wanted)
            for row in await self.connection.fetch(_LOCK, *wanted):
                governing = self.activations.of(row["activation"])
                known = (row["tenant"], row["pseudonym"], row["sequence"], row["inputs"])
                patient = Patient(*known, governing=governing, policy=Policy(row["policy"]))
                self.locked[patient.tenant, patient.pseudonym] = Stored(row["id"], patient, patient)
            missing -= self.locked.keys()

    async def patients(self, keys: Collection[PatientKey]) -> Mapping[PatientKey, Stored]:
        """These of the locked patients, with what has been accepted about them."""
        wanted = {self.locked[key].id: self.locked[key] for key in keys}
        known = [id_ for id_, one in wanted.items() if one.patient.inputs > 0]
        accepted: dict[int, list[asyncpg.Record]] = {id_: [] for id_ in known}
        governing = [self._release_before_and_after(wanted[id_].patient) for id_ in known]
        for row in await self.connection.fetch(_RESULTS, known, governing) if known else ():
            accepted[row["patient_id"]].append(row)
        said: dict[int, list[asyncpg.Record]] = {id_: [] for id_ in known}
        for row in await self.connection.fetch(_STATEMENTS, known) if known else ():
            said[row["patient_id"]].append(row)
        for id_, found in accepted.items():
            patient = _with_statements(_with_results(wanted[id_].patient, found), said[id_])
            wanted[id_].patient = wanted[id_].was = patient
        return {key: self.locked[key] for key in keys}

    async def lock_unchanged(self, patients: Iterable[Stored]) -> list[Stored]:
        """Those of these patients that are still as they were when they were read, locked until the end."""
        by_id = {one.id: one for one in patients}
        known = [
            (one.id, one.was.sequence, one.was.inputs, None if one.was.governing is None else one.was.governing.number)
            for one in by_id.values()
        ]
        columns = [list(column) for column in zip(*known, strict=True)]
        still = [by_id[row["id"]] for row in await self.connection.fetch(_LOCK_UNCHANGED, *columns)]
        self.locked = {(one.patient.tenant, one.patient.pseudonym): one for one in still}
        return still

    def _release_before_and_after(self, patient: Patient) -> str | None:
        """The release that governs the patient before this transaction and after it, where that is one."""
        after = self.activations.governing(patient.tenant)
        if patient.governing is None or after is None:
            return None
        return patient.governing.knowledge.release if patient.governing.knowledge == after.knowledge else None

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
        fresh = {row[:2] for rows_of in (added, stated) for row in rows_of}
        older = [(id_, old, new) for (id_, old), new in self.superseded.items() if (id_, old) not in fresh]
        moved = [one for one in self.locked.values() if one.patient is not one.was]
        self.known = known = await self._numbers([one.view for one in moved if one.view is not None])
        writes = Writes()
        writes.add_rows(_ADD_RESULTS, added)
        writes.add_rows(_ADD_STATEMENTS, stated)
        writes.add_rows(_ADD_INBOX, self.inbox)
        writes.add_rows(_ADD_HISTORY, self._numbered_history(known))
        if self.activations.several and (urgent := [row.key for row in self.outbox if not row.background]):
            writes.add(_HURRY, urgent)
        writes.add_rows(_ADD_OUTBOX, self.outbox)
        # All inputs are numbered together, so that an ordinal is in one of the two tables only.
        writes.add_rows(_SUPERSEDE, older)
        writes.add_rows(_SUPERSEDE_STATEMENTS, older)
        writes.add_rows(_ADVANCE, [_reached(one, known) for one in moved])
        await writes.execute(self.connection, _WAKE if self.outbox else "SELECT")
        if empty := [one.id for one in self.locked.values() if one.patient.inputs == 0]:
            await self.connection.execute(_FORGET_EMPTY, empty)

    async def _numbers(self, views: Sequence[View]) -> Known:
        return await self.numbers.of(
            rules={rule for row in self.history for rule in (*row.issued, *row.withdrawn)},
            lookups={one for each in views for one in each.lookups},
            medications={one for each in views for one in each.medications or ()},
        )

    def _numbered_history(self, known: Known) -> list[tuple[Any, ...]]:
        return [
            row[:8] + tuple(_array(known.rules[one] for one in ids) for ids in (row.issued, row.withdrawn)) + row[10:]
            for row in self.history
        ]

    def _successor(self, row: ResultRow | StatementRow) -> int | None:
        return self.superseded.get((row.patient_id, row.ordinal))


def _reached(one: Stored, known: Known) -> tuple[Any, ...]:
    """A patient's own row."""
    governing = None if one.patient.governing is None else one.patient.governing.number
    row = (one.id, one.patient.sequence, one.patient.inputs, governing)
    if one.view is None:
        return (*row, None, None, None)
    drugs = one.view.medications
    return (
        *row,
        _array(known.lookups[each] for each in one.view.lookups),
        None if drugs is None else _array(known.medications[each] for each in drugs),
        "\n".join(one.view.against) or None,
    )


def _array(numbers: Iterable[int]) -> str:
    # As text: PostgreSQL has no arrays of arrays of different lengths.
    return "{" + ",".join(map(str, sorted(numbers))) + "}"


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
