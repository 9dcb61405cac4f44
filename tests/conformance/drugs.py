"""Samples with the guideline annotations that the reference engine matched, and our answers for them."""

import json
import lzma
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from schemas.recommendation import Recommendation
from services.genotyper.options import Options
from services.genotyper.release_caller import ReleaseCaller
from services.phenotyper.assignment import assign
from services.recommender.guidance import recommend
from tests.conformance import cases
from tests.conformance.cases import Case

POPULATIONS = {
    None: "general",
    "general": "general",
    "adults": "adults",
    "pediatrics": "children",
    "child >40kg_adult": "adults and children over 40 kg",
    "CBZ naive": "never used carbamazepine",
    "CBZ-no alternatives": "never used carbamazepine, no alternative",
    "CBZ use >3mos": "used carbamazepine over 3 months",
    "OXC naive": "never used oxcarbazepine",
    "OXC use >3 mos": "used oxcarbazepine over 3 months",
    "PHT naive": "never used phenytoin",
    "PHT use >3mos": "used phenytoin over 3 months",
    "CVI ACS PCI": "cardiovascular, ACS or PCI",
    "CVI non-ACS non-PCI": "cardiovascular, no ACS or PCI",
    "NVI": "neurovascular",
}
"""The engine's names of populations, and ours."""

Advice = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""Drug, source, population, and the key of each gene."""


class Answer(NamedTuple):
    calls: dict[str, GeneCall]
    phenotypes: tuple[Phenotype, ...]
    recommendations: tuple[Recommendation, ...]


@lru_cache(maxsize=1)
def _lines() -> tuple[Sequence[Case], tuple[Case, ...]]:
    with lzma.open(cases.DATA / "drugs.jsonl.xz", "rt", encoding="utf-8") as lines:
        first, *samples = map(json.loads, lines)
    return first["rows"], tuple(samples)


def samples() -> tuple[Case, ...]:
    return _lines()[1]


def matched(sample: Case) -> list[dict[str, Any]]:
    """The annotations that the engine matched."""
    rows = _lines()[0]
    return [rows[index] for index in sample["matches"]]


def advice(row: dict[str, Any]) -> Advice:
    return (row["drug"], row["source"], POPULATIONS[row["population"]], tuple(sorted(row["lookup"].items())))


def ours(recommendation: Recommendation) -> Advice:
    r = recommendation
    return (r.drug, r.source, r.population, tuple(sorted(r.genes.items())))


@lru_cache(maxsize=1)
def _caller() -> ReleaseCaller:
    return ReleaseCaller(cases.release(), Options())


@lru_cache(maxsize=8)
def _answer(sample_id: str) -> Answer:
    sample = next(sample for sample in samples() if sample["id"] == sample_id)
    calls = _caller().call(cases.lab_result(sample)).genotypes
    phenotypes = assign(cases.release(), calls)
    return Answer({call.gene: call for call in calls}, phenotypes, recommend(cases.release(), calls, phenotypes))


def answer(sample: Case) -> Answer:
    """What we say about a sample, from its rows and reported calls on."""
    return _answer(sample["id"])


def without_diplotype(sample: Case) -> set[str]:
    """Lowest-function genes reported as phenotype or score alone: the engine drops what was reported, we use it."""
    return {
        call["gene"]
        for call in sample["outside_calls"]
        if call["gene"] in ("DPYD", "RYR1") and not call.get("diplotype")
    }
