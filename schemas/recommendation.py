"""Recommendations: what hospitals read on ``pgx.recommendation.v1`` and ``pgx evaluate`` prints."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.base import Model
from schemas.finding import Finding
from schemas.genotype import KnowledgeRef
from schemas.phenotype import Phenotype
from schemas.phenotype import ResultNote as ResultNote


class Citation(Model):
    guideline: str
    url: str | None = None
    pmid: tuple[str, ...] = ()
    edition: str | None = None
    """State of the source that the row was read in."""


class DoseBasis(StrEnum):
    """What a dose is calculated from."""

    PHARMACOGENETIC = "pharmacogenetic"
    CLINICAL = "clinical"
    NONE = "none"
    """No dose is given; ``refused`` says why."""


class EquationDose(Model):
    """The dose by one published equation, before the guideline's adjustments."""

    equation: str
    basis: DoseBasis
    weekly_mg: float
    daily_mg: float
    typical_error_mg: float | None = None
    """Mean absolute error, mg per week, where it is known."""
    reference: str
    pmid: str


class DoseStep(Model):
    """A step of the guideline's flow that applies to the patient, with the factor it puts on the dose."""

    step: int
    advice: str
    factor_low: float | None = None
    factor_high: float | None = None
    strength: str | None = None


class DoseEstimate(Model):
    """A starting dose by published equations. Doses in mg, rounded to 0.1; they never replace measuring the effect."""

    drug: str
    basis: DoseBasis
    weekly_mg: float | None = None
    """The middle of what the first equation gives after the adjustments."""
    daily_mg: float | None = None
    weekly_low_mg: float | None = None
    weekly_high_mg: float | None = None
    """Plausible range: adjustments from their least to their greatest, and the equation's typical error both ways."""
    equations: tuple[EquationDose, ...] = ()
    """The first decides; all that could be calculated, for comparison."""
    steps: tuple[DoseStep, ...] = ()
    missing: tuple[str, ...] = ()
    """Facts that would allow an estimate, or a better one."""
    assumptions: tuple[str, ...] = ()
    not_considered: tuple[str, ...] = ()
    """Interactions that no equation knows."""
    refused: str | None = None
    confidence: str
    confidence_reasons: tuple[str, ...] = ()


class Phenoconverted(Model):
    """A gene whose key is not the genetic one, because of drugs that the patient takes."""

    gene: str
    genetic: str | None
    """Key, or keys joined by `` or ``, by the genes alone."""
    because: str
    """``paroxetine is a strong inhibitor``."""


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
    """Stable id, made from source, drug, population and the keys in ``genes`` and from nothing else: the same in every
    release, whatever it advises."""
    row: str = ""
    """Id of the knowledge release's row, which may be about several keys: for audit."""
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
    current_medication: bool = Field(default=False, exclude_if=lambda current: not current)
    """The patient takes the drug now; left out where that is not known."""
    phenoconverted: tuple[Phenoconverted, ...] = Field(default=(), exclude_if=lambda converted: not converted)
    """Genes that ``genes`` shows with their effective key; left out where there are none."""
    dose_estimate: DoseEstimate | None = Field(default=None, exclude_if=lambda estimate: estimate is None)
    """Where the row leaves the dose to published equations and something is known of the patient's body."""


class CurrentMedication(Model):
    """A drug that the patient takes now, as it was stated and as the knowledge release knows it."""

    name: str | None = None
    rxnorm: str | None = None
    atc: str | None = None
    since: str | None = None
    """RFC 3339, in UTC written as ``Z``."""
    drugs: tuple[str, ...] = ()
    """Drugs of the release that it is or contains."""
    interactions: dict[str, str] = Field(default_factory=dict)
    """By enzyme: ``strong inhibitor``."""
    recognised: bool
    """The release knows the drug, with advice or as a cause of interactions. An unknown one changes nothing: it may be
    named in a way that is not understood."""


class Silence(Model):
    """A source has rows about the drug by these genes, but none for the patient's keys: it says nothing, neither that
    the usual dose is right nor anything else."""

    drug: str
    source: str
    population: str
    genes: dict[str, str]


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
    """What made an event: an input, by its event id, or the activation of a knowledge release, by the id of its event
    on ``pgx.knowledge.v1``. ``type`` is ``lab-result``, ``clinical-context`` or ``knowledge-release``."""

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
    silent: tuple[Silence, ...] = ()
    """Where sources say nothing about the patient's results."""
    findings: tuple[Finding, ...] = ()
    """What the genes say about inherited conditions, what was found first."""
    results: tuple[ResultNote, ...] = Field(default=())
    medications: tuple[CurrentMedication, ...] = Field(default=(), exclude_if=lambda taken: not taken)
    """What the patient takes, as far as it was stated; left out where nothing was."""
    dose_estimates: tuple[DoseEstimate, ...] = Field(default=(), exclude_if=lambda estimates: not estimates)
    """Doses by equations for drugs that no recommendation of the list carries one for."""
