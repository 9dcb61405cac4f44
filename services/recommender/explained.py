"""One patient's advice on one drug, out of the store, explained."""

import asyncpg
from pydantic import TypeAdapter

from schemas.explanation import Explanation
from schemas.genotype import ObservedGene
from services.recommender.explain import Source, explain
from services.recommender.interpretation import Governing, Interpret, as_delivered
from services.recommender.report import current_state
from services.recommender.state import Releases, release_of
from services.recommender.store import Store, rows

_RESULTS = f"""
SELECT software, {rows.DELIVERY} FROM results
WHERE patient_id = $1 AND superseded_by IS NULL ORDER BY laboratory, accession
"""  # noqa: S608 - a constant
_OBSERVED = TypeAdapter(dict[str, ObservedGene])


class UnknownDrug(LookupError):
    """The patient is known, and the release that governs has nothing about the drug."""

    def __init__(self, drug: str, release: str | None) -> None:
        super().__init__(f"knowledge release {release} knows no drug {drug}" if release else f"no result about {drug}")


async def explained(
    store: Store, releases: Releases, tenant: str, patient: str, drug: str, interpret: Interpret = as_delivered
) -> Explanation | None:
    """Why the advice on the drug is what it is; None where nothing is known of the patient. Raises UnknownDrug."""
    async with store.snapshot() as connection:
        known = await current_state(connection, releases, tenant, patient, interpret)
        if known is None:
            return None
        results = await connection.fetch(_RESULTS, known.row["id"])
    sources = [_source(one, releases, known.governing) for one in results]
    explanation = explain(tenant, patient, known.row["sequence"], drug, known.state, sources, releases)
    if explanation is None:
        raise UnknownDrug(drug, known.state.knowledge.release if known.state.knowledge else None)
    return explanation


def _source(row: asyncpg.Record, releases: Releases, governing: Governing | None) -> Source:
    delivery = rows.delivery(row)
    read = delivery if governing is None else governing.read(delivery)
    observed = _OBSERVED.validate_json(row["observed"])
    return Source(read, release_of(delivery.knowledge, releases), observed, row["software"])
