"""Recommendations: what hospitals read on ``pgx.recommendation.v1`` and ``pgx evaluate`` prints."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.base import Model
from schemas.genotype import KnowledgeRef
from schemas.phenotype import Phenotype
from schemas.phenotype import ResultNote as ResultNote


class Citation(Model):
    guideline: str
    url: str | None = None
    pmid: tuple[str, ...] = ()
    edition: str | None = None
    """State of the source that the row was read in."""


class Recommendation(Model):
    """One guideline's advice on one drug for one population and one combination of the patient's keys."""

    drug: str
    rxnorm: str | None
    atc: tuple[str, ...] = ()
    source: str
    population: str
    genes: dict[str, str]
    actions: tuple[str, ...]
    dose_change: tuple[dict[str, Any], ...] = ()
    dose_fixed: tuple[dict[str, Any], ...] = ()
    dose_limit: tuple[dict[str, Any], ...] = ()
    alternatives: tuple[str, ...] = ()
    strength: str
    implication: str | None = None
    notes: tuple[str, ...] = ()
    text: str
    citation: Citation
    rule: str
    priority: int
    """What a clinician must see first: 1 avoid or use another drug, 2 change the dose or consider another, 3 monitor or
    take care, 4 nothing to change."""
    confidence: str
    """``high``, or ``reduced`` with the reasons beside it."""
    confidence_reasons: tuple[str, ...] = ()
    conflict: tuple[str, ...] = ()
    """Rule ids of other sources' advice on this drug that contradicts this one."""
    diplotypes: dict[str, str] = Field(default_factory=dict)
    """By gene: the patient's diplotypes behind the key (several joined by `` or ``), where one is known."""
    results: tuple[ResultNote, ...] = ()
    """The laboratory results behind the keys, in order of accession; a preliminary one lowers the confidence."""
    preliminary: bool = False
    """One of the results behind it is preliminary."""


class ChangeKind(StrEnum):
    ISSUED = "issued"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"


class Change(Model):
    change: ChangeKind
    rule: str
    before: Recommendation | None = None
    after: Recommendation | None = None
    reason: str


class Cause(Model):
    """The input that made an event: for a lab result its event id, accession and version."""

    type: str
    id: str
    accession: str | None = None
    version: int | None = None


class RecommendationsChanged(Model):
    """The state of a patient's advice after one input, and how it differs from before."""

    tenant: str
    patient: str
    sequence: int
    cause: Cause
    knowledge: KnowledgeRef
    changes: tuple[Change, ...] = ()
    phenotypes: tuple[Phenotype, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    results: tuple[ResultNote, ...] = Field(default=())
