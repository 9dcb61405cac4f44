"""What was known and advised about a patient at a moment, and what the same inputs say under another release."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from schemas.genotype import KnowledgeRef
from services.recommender.discordance import Policy
from services.recommender.interpretation import Governing, Interpret, as_delivered
from services.recommender.report import Report, accepted_inputs, patient_row, report_of, shown
from services.recommender.state import Input, Releases, state_after
from services.recommender.store import Store
from services.recommender.store.activations import Activations, activations
from services.recommender.store.elsewhere import elsewhere

_LATER = """
SELECT min(ordinal) FROM (
    SELECT ordinal, recorded FROM results WHERE patient_id = $1
    UNION ALL SELECT ordinal, recorded FROM statements WHERE patient_id = $1
) AS inputs WHERE recorded > $2
"""
_LAST = """
SELECT sequence, activation, coalesce(policy, 'newest') AS policy FROM history
WHERE patient_id = $1 AND recorded <= $2 AND inputs < $3 ORDER BY sequence DESC LIMIT 1
"""
_EVERYTHING = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Moment:
    """When, and under which release. ``at``: None: now; ``knowledge``: None: the one that governed then."""

    at: datetime | None = None
    knowledge: KnowledgeRef | None = None


async def report_at(
    store: Store, releases: Releases, tenant: str, patient: str, moment: Moment, interpret: Interpret = as_delivered
) -> Report | None:
    """The report of a moment; None where nothing was known of the patient.

    What others had of the patient's accessions is not kept: findings about that are in a report of now alone.

    The store never changes what it has accepted, so that the same moment gives the same report, until the patient is
    erased. Raises Rejected(UNKNOWN_RELEASE).
    """
    async with store.snapshot() as connection:
        row = await patient_row(connection, tenant, patient)
        if row is None:
            return None
        made = await activations(connection, interpret)
        inputs: Sequence[Input] = await accepted_inputs(connection, row["id"])
        others = await elsewhere(connection, [row["id"]]) if moment.at is None else {}
        then = _now(row, made) if moment.at is None else await _then(connection, row, moment.at, made)
    known = inputs[: then.inputs]
    if not known:
        return None
    governing = then.governing
    if moment.knowledge is not None:
        governing = Governing(0, moment.knowledge, interpret)
    state = state_after(known, releases, governing, then.policy)
    state = shown(state, others.get(row["id"], {}))
    return report_of(dict(row) | {"sequence": then.sequence}, state)


@dataclass(frozen=True, slots=True)
class _Then:
    inputs: int
    sequence: int
    governing: Governing | None
    policy: Policy


def _now(row: asyncpg.Record, made: Activations) -> _Then:
    return _Then(_EVERYTHING, row["sequence"], made.of(row["activation"]), Policy(row["policy"]))


async def _then(connection: Any, row: asyncpg.Record, at: datetime, made: Activations) -> _Then:
    later = await connection.fetchval(_LATER, row["id"], at) or _EVERYTHING
    last = await connection.fetchrow(_LAST, row["id"], at, later)
    # An activation that changed no advice left no event; it governs everybody once it has finished.
    reached = made.reached(row["tenant"], at)
    own = None if last is None else made.of(last["activation"])
    governing = max((one for one in (reached, own) if one is not None), key=lambda one: one.number, default=None)
    policy = Policy(row["policy"] if last is None else last["policy"])
    return _Then(later - 1, 0 if last is None else last["sequence"], governing, policy)
