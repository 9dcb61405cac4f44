"""Patients that an activation has not reached yet: who they are, what their results hold, bringing them under it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from schemas.genotype import KnowledgeRef
from schemas.lab_result import ResultRef, Status
from services.recommender.store.policies import POLICY
from services.recommender.store.rows import result_ref

_LOOKED_AT = 1000
"""Patients read at a time."""
_BLOCK = 1024
"""Neighbouring ids go to one part: they share pages."""

# By id alone, whatever the statistics say of the conditions: a plan that sorts all patients for some of them is slow.
_BEHIND = f"""
WITH looked_at AS MATERIALIZED (SELECT * FROM patients WHERE id > $1 ORDER BY id LIMIT {_LOOKED_AT} * $3::int)
SELECT reached, id, tenant, pseudonym, sequence, inputs, activation, lookups, medications IS NOT NULL AS in_context,
       {POLICY}
FROM (SELECT max(id) AS reached FROM looked_at) AS cursor
LEFT JOIN looked_at AS patients
     ON (activation IS NULL OR activation < $2) AND id / {_BLOCK} % $3::int = $4
        AND CASE WHEN $5::text IS NULL THEN tenant <> ALL ($6::text[]) ELSE tenant = $5 END
ORDER BY id
"""  # noqa: S608 - constants
_WITHDRAWN = ", ".join(f"'{status}'" for status in Status if status.withdrawn)
_SPEAKING = f"""
WITH speaking AS (
    SELECT *, count(*) OVER (PARTITION BY patient_id) = 1 AS alone FROM results
    WHERE patient_id = ANY ($1::bigint[]) AND superseded_by IS NULL AND status NOT IN ({_WITHDRAWN})
)
SELECT patient_id, laboratory, accession, version, status, issued, sex, event_source, event_id,
       encode(content_sha256, 'hex') AS content_sha256, release, encode(release_sha256, 'hex') AS sha256,
       CASE WHEN alone AND release_sha256 = ANY ($2::bytea[]) THEN '' ELSE genotypes::text END AS genotypes,
       CASE WHEN alone AND release_sha256 = ANY ($3::bytea[]) THEN '' ELSE phenotypes::text END AS phenotypes,
       CASE WHEN alone AND release_sha256 = ANY ($2::bytea[]) THEN '' ELSE observed::text END AS observed
FROM speaking
"""  # noqa: S608 - constants
# Locked in the order in which live transactions lock patients: they wait for one another instead of deadlocking.
_COME_UNDER = """
WITH still AS MATERIALIZED (
    SELECT patients.id, known.lookups
    FROM patients
    JOIN unnest($2::bigint[], $3::int[], $4::int[], $5::text[]) AS known (id, inputs, activation, lookups)
         ON patients.id = known.id
    WHERE patients.inputs = known.inputs AND patients.activation IS NOT DISTINCT FROM known.activation
    ORDER BY tenant COLLATE "C", pseudonym COLLATE "C"
    FOR NO KEY UPDATE OF patients
)
UPDATE patients SET activation = $1, lookups = coalesce(still.lookups::int[], patients.lookups)
FROM still WHERE patients.id = still.id
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose patients: one tenant's, or those of all tenants but the ones that choose for themselves."""

    tenant: str | None
    but: tuple[str, ...] = ()
    part: int = 0
    parts: int = 1
    """Several processes share the patients."""


class Behind(NamedTuple):
    """A patient's row, before the activation reaches it."""

    id: int
    tenant: str
    pseudonym: str
    sequence: int
    inputs: int
    activation: int | None
    """That governs until then."""
    lookups: list[int] | None
    in_context: bool
    """Clinical context is known."""
    policy: str


class StoredResult(NamedTuple):
    """What a current result that is not withdrawn holds, as it is stored.

    Where a patient has no other, a text may be empty that is not needed.
    """

    result: Callable[[], ResultRef]
    """Which one it is."""
    sex: str
    knowledge: KnowledgeRef
    genotypes: str
    phenotypes: str
    observed: str


class Needed(NamedTuple):
    """Which texts of a result are needed."""

    calls: bool
    """Genotypes and observed rows."""
    phenotypes: bool


async def behind(connection: Any, scope: Scope, number: int) -> AsyncIterator[list[Behind]]:
    """Who is not under the activation of this number yet, by id, some at a time."""
    cursor = 0
    shared = (number, scope.parts, scope.part, scope.tenant, list(scope.but))
    while (reached := (rows := await connection.fetch(_BEHIND, cursor, *shared))[0]["reached"]) is not None:
        cursor = reached
        if rows[0]["id"] is not None:
            yield [Behind(*row[1:]) for row in rows]


async def speaking(
    connection: Any, patients: Collection[int], needed: Mapping[KnowledgeRef, Needed]
) -> Mapping[int, list[StoredResult]]:
    """By patient: the current results. ``needed``: of those called under these releases that stand alone; of others all
    is read."""
    spared = [
        [bytes.fromhex(knowledge.sha256) for knowledge, texts in needed.items() if not texts[index]]
        for index in range(len(Needed._fields))
    ]
    known = {(knowledge.release, knowledge.sha256): knowledge for knowledge in needed}
    found: dict[int, list[StoredResult]] = defaultdict(list)
    for row in await connection.fetch(_SPEAKING, list(patients), *spared):
        release, sha256 = row["release"], row["sha256"]
        if (knowledge := known.get((release, sha256))) is None:
            knowledge = known[release, sha256] = KnowledgeRef(release=release, sha256=sha256)
        texts = (row["genotypes"], row["phenotypes"], row["observed"])
        found[row["patient_id"]].append(StoredResult(partial(result_ref, row), row["sex"], knowledge, *texts))
    return found


async def come_under(connection: Any, number: int, patients: Iterable[tuple[Behind, Iterable[int] | None]]) -> int:
    """Patients come under the activation, with these numbers of lookups where they are others; how many did.

    Those that an event has changed meanwhile are left to that event.
    """
    columns: tuple[list[Any], ...] = ([], [], [], [])
    for one, lookups in patients:
        array = None if lookups is None else f"{{{','.join(map(str, sorted(lookups)))}}}"
        for column, value in zip(columns, (one.id, one.inputs, one.activation, array), strict=True):
            column.append(value)
    done = await connection.execute(_COME_UNDER, number, *columns)
    return int(done.rpartition(" ")[2])
