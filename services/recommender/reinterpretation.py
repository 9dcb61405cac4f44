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

from runtime.stage import attempt
from schemas.errors import Rejected
from schemas.genotype import KnowledgeRef
from schemas.recommendation import Change
from services.recommender.body import body_of
from services.recommender.changes import compare
from services.recommender.discordance import Policy
from services.recommender.expectation import Expectations, Expected
from services.recommender.impact import Impact
from services.recommender.interpretation import Governing
from services.recommender.merging import Delivery
from services.recommender.patient import Patient, Reinterpretation
from services.recommender.publication import history_row, outbox_row
from services.recommender.state import Releases, release_of
from services.recommender.store import Store
from services.recommender.store.activations import Activations, count
from services.recommender.store.behind import Behind, Needed, Scope, StoredResult, behind, come_under, speaking
from services.recommender.store.unit import Stored, Unit
from services.recommender.view import Lookup, stored_lookup, view

_EVALUATED = 50
"""Patients evaluated and written at a time: what a live event of one of them may have to wait for."""
_MARKED = 250
"""Patients whose advice stays, written at a time, for the same reason."""

_LOOKUPS = "SELECT number, gene, content::text AS content FROM lookups WHERE number = ANY ($1::int[])"


class Reader(Protocol):
    """What reads stored results under another release."""

    def __call__(self, delivery: Delivery, knowledge: KnowledgeRef) -> Delivery:
        """The delivery as it reads under the release."""

    def needed(self, called_under: KnowledgeRef, knowledge: KnowledgeRef, genes: frozenset[str]) -> Needed:
        """What of a result ``lookups`` looks at."""

    def lookups(
        self, results: Sequence[StoredResult], knowledge: KnowledgeRef, genes: frozenset[str]
    ) -> tuple[Lookup, ...]:
        """Of these genes alone, what advice sees of a patient's results under the release, if the newest speak."""


class Outlook(NamedTuple):
    """What would come of a patient. ``changes``: none where its advice would stay."""

    pseudonym: str
    changes: tuple[Change, ...]


@dataclass(slots=True)
class Progress:
    """What was done so far."""

    examined: int = 0
    recomputed: int = 0
    published: int = 0
    failed: list[str] = field(default_factory=list)
    """Patients that could not be evaluated, as ``tenant/pseudonym``: they stay under the release before."""


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
        self._expectations: dict[str, Expectations | None] = {}
        self._dictionary: dict[int, Lookup] = {}
        self._genes: frozenset[str] = frozenset()
        self._needed: dict[KnowledgeRef, Needed] = {}

    async def outlook(self, scope: Scope) -> AsyncIterator[Outlook]:
        """What would come of each patient that the release does not govern yet. Nothing is written."""
        async for some in self._behind(scope):
            expected = await self._expected(some)
            for one in some:
                if (found := expected.get(one.id)) is not None:
                    yield Outlook(one.pseudonym, found.changes)
            for few in _parts([one for one in some if one.id not in expected], _EVALUATED):
                for _, step in await self._evaluated(few, Progress()):
                    changed = compare(step.before.recommendations, step.after.recommendations, "")
                    yield Outlook(step.patient.pseudonym, changed)

    async def run(self, scope: Scope, progress: Progress, *, everyone: bool = False) -> AsyncIterator[int]:
        """Bring the patients of the scope under the release; after each step how many it evaluated one by one.

        ``everyone`` is evaluated, also who cannot be affected: slower, and the same in the end.
        """
        async for some in self._behind(scope):
            expected = {} if everyone else await self._expected(some)
            staying = [one for one in some if (found := expected.get(one.id)) is not None and not found.changes]
            for few in _parts(staying, _MARKED):
                await self._come_under(few, expected, progress)
                yield 0
            done = {one.id for one in staying}
            for few in _parts([one for one in some if one.id not in done], _EVALUATED):
                await self._reinterpret(few, progress)
                yield len(few)

    def _behind(self, scope: Scope) -> AsyncIterator[list[Behind]]:
        return behind(self._store.pool, scope, self._governing.number)

    async def _expected(self, some: Sequence[Behind]) -> Mapping[int, Expected]:
        """By id: what will come of those of whom lookups tell it."""
        # What a policy keeps from speaking is in no lookup.
        asked = [one for one in some if one.lookups is not None and one.policy == Policy.NEWEST]
        known = [(one, expectations) for one in asked if (expectations := self._expectations_of(one)) is not None]
        await self._look_up([one for one, _ in known])
        rereading = [one.id for one, expectations in known if expectations.genes]
        results = await speaking(self._store.pool, rereading, self._needed) if rereading else {}
        expected = {}
        for one, expectations in known:
            found = attempt(partial(self._expect, one, expectations, results.get(one.id, ())))
            if found is not None and not isinstance(found, Rejected):
                expected[one.id] = found
        return expected

    def _expect(self, one: Behind, expectations: Expectations, results: Sequence[StoredResult]) -> Expected | None:
        knowledge = self._governing.knowledge
        for result in results:
            if result.knowledge not in self._needed:
                self._needed[result.knowledge] = self._reader.needed(result.knowledge, knowledge, self._genes)
        read = self._reader.lookups(results, knowledge, expectations.genes)
        return expectations.of(one.lookups or (), read, one.in_context)

    def _expectations_of(self, one: Behind) -> Expectations | None:
        """None where lookups cannot tell: no activation has reached the patient, or its release is not installed."""
        former = self._made.of(one.activation)
        if former is None:
            return None
        sha256 = former.knowledge.sha256
        if sha256 not in self._expectations:
            self._expectations[sha256] = known = self._expectations_after(former.knowledge)
            if known is not None:
                self._genes |= known.genes
                self._needed.clear()
        return self._expectations[sha256]

    def _expectations_after(self, former: KnowledgeRef) -> Expectations | None:
        try:
            releases = [release_of(knowledge, self._releases) for knowledge in (former, self._governing.knowledge)]
        except Rejected:
            return None
        return Expectations(Impact(*releases), self._dictionary)

    async def _look_up(self, some: Iterable[Behind]) -> None:
        """Make sure that the dictionary has what these patients are looked up with."""
        unknown = {number for one in some for number in one.lookups or ()} - self._dictionary.keys()
        for row in await self._store.pool.fetch(_LOOKUPS, sorted(unknown)) if unknown else ():
            self._dictionary[row["number"]] = stored_lookup(row["gene"], row["content"])

    async def _come_under(self, some: Sequence[Behind], expected: Mapping[int, Expected], progress: Progress) -> None:
        """Whose advice is the same: the release governs, and that is all."""
        moved = {lookup for one in some for lookup in expected[one.id].moved or ()}
        numbers = await self._store.numbers.lookups.of(moved) if moved else {}
        patients = [(one, self._moved(one, expected[one.id], numbers)) for one in some]
        async with self._store.pool.acquire() as connection, connection.transaction():
            # Nobody waits for the disk. If PostgreSQL crashes before it is written, all of the transaction is lost and
            # its patients are found again: nothing of it has left the store. What publishes is not written so: the
            # relay could have sent an event whose sequence number a crash then gives away anew.
            await connection.execute("SET LOCAL synchronous_commit TO off")
            examined = await come_under(connection, self._governing.number, patients)
            await count(connection, self._governing.number, examined=examined, recomputed=0, published=0)
        progress.examined += examined

    def _moved(self, one: Behind, expected: Expected, numbers: Mapping[Lookup, int]) -> list[int] | None:
        expectations = self._expectations_of(one)
        if expected.moved is None or expectations is None:
            return None
        return expectations.kept(one.lookups or ()) + [numbers[lookup] for lookup in expected.moved]

    async def _reinterpret(self, some: Sequence[Behind], progress: Progress) -> None:
        """Evaluate patients one by one, and publish where advice changed."""
        evaluated = await self._evaluated(some, progress)
        if not evaluated:
            return
        steps = {stored.id: (step, attempt(partial(self._rows, stored, step))) for stored, step in evaluated}
        published = 0
        async with self._store.transaction() as unit:
            still = await unit.lock_unchanged([stored for stored, _ in evaluated])
            for stored in still:
                step, of_patient = steps[stored.id]
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
        notice = step.notice
        if notice is None:
            return ()
        body = body_of(notice)
        # The same event however often it is made, as for every other cause.
        id_ = str(uuid5(NAMESPACE_URL, f"{self._governing.id}/{notice.key}"))
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = outbox_row(notice, body, id_, time)._replace(background=True)
        return ((history_row(stored, step.patient, notice, body, None), row),)

    async def _evaluated(self, some: Sequence[Behind], progress: Progress) -> list[tuple[Stored, Reinterpretation]]:
        """Patients under the release, from all that is stored about them."""
        async with self._store.snapshot() as connection:
            unit = Unit(connection, self._store.numbers)
            unit.locked = {(one.tenant, one.pseudonym): self._stored(one) for one in some}
            patients = await unit.patients(list(unit.locked))
        evaluated = []
        for stored in patients.values():
            step = attempt(partial(stored.patient.activate, self._governing, self._releases))
            if isinstance(step, Rejected):
                _failed(progress, stored)
            else:
                evaluated.append((stored, step))
        return evaluated

    def _stored(self, one: Behind) -> Stored:
        under, policy = self._made.of(one.activation), Policy(one.policy)
        patient = Patient(one.tenant, one.pseudonym, one.sequence, one.inputs, governing=under, policy=policy)
        return Stored(one.id, patient, patient)


def _failed(progress: Progress, stored: Stored) -> None:
    progress.failed.append(f"{stored.was.tenant}/{stored.was.pseudonym}")


def _parts(some: Sequence[Behind], size: int) -> Iterator[Sequence[Behind]]:
    return (some[start : start + size] for start in range(0, len(some), size))
