"""Brings patients under an activated release, beside the live path: small batches, each patient exactly once.

A patient's row says which activation governs it, and that is written in the transaction that publishes what changed: so
nothing is done twice, whatever is killed, and nothing else has to be remembered. Work is done on what was read without
a lock; a patient that an event has changed meanwhile is under the newest release by that event already.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, Protocol
from uuid import NAMESPACE_URL, uuid5

import asyncpg

from runtime.stage import attempt
from schemas.errors import Rejected
from schemas.genotype import KnowledgeRef
from schemas.phenotype import Phenotype
from schemas.recommendation import Change
from services.recommender.body import body_of
from services.recommender.changes import compare
from services.recommender.discordance import Policy
from services.recommender.impact import Impact
from services.recommender.interpretation import Governing
from services.recommender.merging import Delivery
from services.recommender.patient import Patient, Reinterpretation, Releases, release_of
from services.recommender.publication import history_row, outbox_row
from services.recommender.store import Store
from services.recommender.store.activations import Activations, count
from services.recommender.store.policies import POLICY
from services.recommender.store.unit import Stored, Unit
from services.recommender.view import Lookup, lookups, stored_lookup, view

_LOOKED_AT = 1000
"""Patients read at a time."""
_EVALUATED = 50
"""Patients evaluated and written at a time: what a live event of one of them may have to wait for."""

_BEHIND = f"""
SELECT id, tenant, pseudonym, sequence, inputs, activation, lookups, medications IS NULL AS plain, {POLICY}
FROM patients
WHERE id > $1 AND (activation IS NULL OR activation < $2) AND id % $3 = $4
      AND CASE WHEN $5::text IS NULL THEN tenant <> ALL ($6::text[]) ELSE tenant = $5 END
ORDER BY id LIMIT {_LOOKED_AT}
"""  # noqa: S608 - a constant
_LOOKUPS = "SELECT number, gene, content::text AS content FROM lookups WHERE number = ANY ($1::int[])"
_RESULTS = """
SELECT patient_id, sex, release, encode(release_sha256, 'hex') AS sha256, genotypes::text AS genotypes,
       phenotypes::text AS phenotypes, observed::text AS observed
FROM results WHERE patient_id = ANY ($1::bigint[]) AND superseded_by IS NULL
"""
_COME_UNDER = """
UPDATE patients SET activation = $1, lookups = coalesce(known.moved::int[], patients.lookups)
FROM unnest($2::bigint[], $3::int[], $4::int[], $5::text[]) AS known (id, inputs, activation, moved)
WHERE patients.id = known.id AND patients.inputs = known.inputs
      AND patients.activation IS NOT DISTINCT FROM known.activation
"""


class StoredResult(NamedTuple):
    """A current result as it is stored."""

    sex: str
    knowledge: KnowledgeRef
    genotypes: str
    phenotypes: str
    observed: str


class Reader(Protocol):
    """What reads stored results under another release."""

    def __call__(self, delivery: Delivery, knowledge: KnowledgeRef) -> Delivery:
        """The delivery as it reads under the release."""

    def phenotypes(
        self, result: StoredResult, knowledge: KnowledgeRef, genes: frozenset[str]
    ) -> Mapping[str, Sequence[Phenotype]]:
        """Of these genes alone, the phenotypes of a result under the release, without provenance."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose patients: one tenant's, or those of all tenants but the ones that choose for themselves."""

    tenant: str | None
    but: tuple[str, ...] = ()
    part: int = 0
    parts: int = 1
    """Several processes share the patients."""


class Outlook(NamedTuple):
    """What would come of a patient. ``changes``: none where its advice would stay."""

    patient: Patient
    changes: tuple[Change, ...]


@dataclass(slots=True)
class Progress:
    """What was done so far."""

    examined: int = 0
    recomputed: int = 0
    published: int = 0
    failed: list[str] = field(default_factory=list)
    """Patients that could not be evaluated, as ``tenant/pseudonym``: they stay under the release before."""


@dataclass(slots=True)
class _Behind:
    """A patient that is not under the release yet."""

    stored: Stored
    lookups: tuple[int, ...] | None
    plain: bool
    """No clinical context is known, and no result is kept from speaking."""
    moved: tuple[Lookup, ...] | None = None
    """Its lookups under the release, where they are others."""


class Reinterpreter:
    """Patients under one release. ``releases`` gives releases, ``reader`` reads results under them."""

    def __init__(
        self, store: Store, releases: Releases, reader: Reader, governing: Governing, made: Activations
    ) -> None:
        self._store = store
        self._releases = releases
        self._reader = reader
        self._governing = governing
        self._made = made
        self._impacts: dict[str, Impact] = {}
        self._dictionary: dict[int, Lookup] = {}

    async def outlook(self, scope: Scope) -> AsyncIterator[Outlook]:
        """What would come of each patient that the release does not govern yet. Nothing is written."""
        async for behind in self._behind(scope):
            changes = {one.stored.id: found for one, found in await self._expected(behind)}
            for one in behind:
                if (found := changes.get(one.stored.id)) is not None:
                    yield Outlook(one.stored.patient, found)
            for some in _groups_of(_EVALUATED, [one for one in behind if one.stored.id not in changes]):
                for _, step in await self._evaluated(some, Progress()):
                    changed = compare(step.before.recommendations, step.after.recommendations, "")
                    yield Outlook(step.patient, changed)

    async def run(self, scope: Scope, progress: Progress, *, everyone: bool = False) -> AsyncIterator[int]:
        """Bring the patients of the scope under the release; after each step how many it evaluated one by one.

        ``everyone`` is evaluated, also who cannot be affected: slower, and the same in the end.
        """
        async for behind in self._behind(scope):
            expected = [] if everyone else await self._expected(behind)
            untouched = [one for one, changes in expected if not changes]
            await self._come_under(untouched, progress)
            yield 0
            done = {one.stored.id for one in untouched}
            for some in _groups_of(_EVALUATED, [one for one in behind if one.stored.id not in done]):
                await self._reinterpret(some, progress)
                yield len(some)

    async def _behind(self, scope: Scope) -> AsyncIterator[list[_Behind]]:
        """Who is not under the release yet, by id."""
        cursor = 0
        governing = self._governing.number
        while rows := await self._store.pool.fetch(
            _BEHIND, cursor, governing, scope.parts, scope.part, scope.tenant, list(scope.but)
        ):
            cursor = rows[-1]["id"]
            yield list(map(self._read, rows))

    def _read(self, row: asyncpg.Record) -> _Behind:
        under = self._made.of(row["activation"])
        policy = Policy(row["policy"])
        own = (row["tenant"], row["pseudonym"], row["sequence"], row["inputs"])
        patient = Patient(*own, governing=under, policy=policy)
        known = None if row["lookups"] is None else tuple(row["lookups"])
        # What a policy keeps from speaking is in no lookup.
        return _Behind(Stored(row["id"], patient, patient), known, row["plain"] and policy is Policy.NEWEST)

    async def _expected(self, behind: Sequence[_Behind]) -> list[tuple[_Behind, tuple[Change, ...]]]:
        """How advice changes for those of whom lookups tell it."""
        told = [one for one in behind if one.plain and one.lookups is not None and one.stored.was.governing is not None]
        await self._look_up(told)
        rereading = [one for one in told if self._impact(one).genes]
        results: dict[int, list[StoredResult]] = {one.stored.id: [] for one in rereading}
        if rereading:
            for row in await self._store.pool.fetch(_RESULTS, list(results)):
                knowledge = KnowledgeRef(release=row["release"], sha256=row["sha256"])
                facts = (row["genotypes"], row["phenotypes"], row["observed"])
                results[row["patient_id"]].append(StoredResult(row["sex"], knowledge, *facts))
        expected = []
        for one in told:
            of_patient = results.get(one.stored.id)
            # Of several results another one may speak for a gene when they are read again.
            if of_patient is None or len(of_patient) == 1:
                changes = attempt(partial(self._changes, one, of_patient))
                if not isinstance(changes, Rejected):
                    expected.append((one, changes))
        return expected

    def _changes(self, one: _Behind, results: Sequence[StoredResult] | None) -> tuple[Change, ...]:
        impact = self._impact(one)
        old = {lookup.gene: lookup for lookup in map(self._dictionary.__getitem__, one.lookups or ())}
        if not results:
            return impact.changes(old, old)
        again = self._reader.phenotypes(results[0], self._governing.knowledge, impact.genes)
        kept = {gene: lookup for gene, lookup in old.items() if gene not in impact.genes}
        read = lookups(phenotype for of_gene in again.values() for phenotype in of_gene)
        new = kept | {lookup.gene: lookup for lookup in read}
        one.moved = None if new == old else tuple(new.values())
        return impact.changes(old, new)

    def _impact(self, one: _Behind) -> Impact:
        former = one.stored.was.governing
        if former is None:
            raise ValueError("the impact is that of one release after another")
        known = self._impacts.get(former.knowledge.sha256)
        if known is None:
            releases = (release_of(each.knowledge, self._releases) for each in (former, self._governing))
            known = self._impacts[former.knowledge.sha256] = Impact(*releases)
        return known

    async def _look_up(self, behind: Iterable[_Behind]) -> None:
        """Make sure that the dictionary has what these patients are looked up with."""
        unknown = {number for one in behind for number in one.lookups or ()} - self._dictionary.keys()
        for row in await self._store.pool.fetch(_LOOKUPS, sorted(unknown)) if unknown else ():
            self._dictionary[row["number"]] = stored_lookup(row["gene"], row["content"])

    async def _come_under(self, behind: Sequence[_Behind], progress: Progress) -> None:
        """Whose advice is the same: the release governs, and that is all."""
        if not behind:
            return
        moved = {lookup for one in behind for lookup in one.moved or ()}
        numbers = await self._store.lookup_numbers(moved) if moved else {}
        columns: tuple[list[Any], ...] = ([], [], [], [])
        for one in sorted(behind, key=lambda each: (each.stored.was.tenant, each.stored.was.pseudonym)):
            under = one.stored.was.governing
            arrays = None if one.moved is None else ",".join(map(str, sorted(numbers[each] for each in one.moved)))
            values = (
                one.stored.id,
                one.stored.was.inputs,
                None if under is None else under.number,
                None if arrays is None else f"{{{arrays}}}",
            )
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        async with self._store.pool.acquire() as connection, connection.transaction():
            done = await connection.execute(_COME_UNDER, self._governing.number, *columns)
            examined = int(done.rpartition(" ")[2])
            await count(connection, self._governing.number, examined=examined, recomputed=0, published=0)
        progress.examined += examined

    async def _reinterpret(self, behind: Sequence[_Behind], progress: Progress) -> None:
        """Evaluate patients one by one, and publish where advice changed."""
        steps = {stored.id: step for stored, step in await self._evaluated(behind, progress)}
        if not steps:
            return
        rows = {one.stored.id: attempt(partial(self._rows, one.stored, steps[one.stored.id])) for one in behind
                if one.stored.id in steps}  # fmt: skip
        published = 0
        async with self._store.transaction() as unit:
            still = await unit.lock_unchanged([one.stored for one in behind if one.stored.id in steps])
            for stored in still:
                step, of_patient = steps[stored.id], rows[stored.id]
                if isinstance(of_patient, Rejected):
                    _failed(progress, stored)
                    continue
                for history, outbox in of_patient:
                    unit.history.append(history)
                    unit.outbox.append(outbox)
                published += len(of_patient)
                statements = [one.statement for one in step.patient.statements.values()]
                stored.view = view(step.after, statements)
                stored.patient = step.patient
            await unit.save()
            number, done = self._governing.number, len(still)
            await count(unit.connection, number, examined=done, recomputed=done, published=published)
        progress.examined += done
        progress.recomputed += done
        progress.published += published

    def _rows(self, stored: Stored, step: Reinterpretation) -> tuple[Any, ...]:
        event = step.event
        if event is None:
            return ()
        body = body_of(event, step.rows)
        # The same event however often it is made, as for every other cause.
        id_ = str(uuid5(NAMESPACE_URL, f"{self._governing.id}/{event.tenant}/{event.patient}"))
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = outbox_row(event, body, id_, time)._replace(background=True)
        return ((history_row(stored, step, event, body, None), row),)

    async def _evaluated(self, behind: Sequence[_Behind], progress: Progress) -> list[tuple[Stored, Reinterpretation]]:
        """Patients under the release, from all that is stored about them."""
        async with self._store.snapshot() as connection:
            unit = Unit(connection, self._store)
            unit.locked = {(one.stored.patient.tenant, one.stored.patient.pseudonym): one.stored for one in behind}
            patients = await unit.patients(list(unit.locked))
        evaluated = []
        for stored in patients.values():
            step = attempt(partial(stored.patient.activate, self._governing, self._releases))
            if isinstance(step, Rejected):
                _failed(progress, stored)
            else:
                evaluated.append((stored, step))
        return evaluated


def _failed(progress: Progress, stored: Stored) -> None:
    progress.failed.append(f"{stored.was.tenant}/{stored.was.pseudonym}")


def _groups_of(size: int, some: Sequence[_Behind]) -> Iterator[Sequence[_Behind]]:
    return (some[start : start + size] for start in range(0, len(some), size))
