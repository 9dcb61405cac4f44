"""The tables beside the guideline rules: phenoconversion, warfarin dosing, LOINC codes, silent sources."""

from enum import StrEnum

from pydantic import Field

from knowledge.model import Fact


class Reference(Fact):
    id: str
    text: str
    pmid: str | None = None
    certainty: str | None = None


class ConversionMethod(StrEnum):
    ACTIVITY_SCORE_MULTIPLIER = "activity-score-multiplier"
    PHENOTYPE_SHIFT = "phenotype-shift"
    FLAG_ONLY = "flag-only"
    """The interaction is reported; there is no accepted conversion of the genetic phenotype."""


class Conversion(Fact):
    """What a class of inhibitors or inducers does to the phenotype; without factor, target and steps: nothing."""

    factor: float | None = None
    """Multiplies the activity score."""
    becomes: str | None = None
    """The phenotype whatever the genetic one was."""
    steps: dict[str, str] = Field(default={})
    """Genetic phenotype to effective phenotype."""
    note: str | None = None


class ConversionRule(Fact):
    """How an enzyme's genetic phenotype changes under the strongest inhibitor or inducer taken."""

    enzyme: str
    method: ConversionMethod
    inhibitors: dict[str, Conversion] = Field(default={})
    """By strength: ``strong``, ``moderate``, ``weak``."""
    inducers: dict[str, Conversion] = Field(default={})
    several_inhibitors: str | None = None
    inhibitor_and_inducer: str | None = None
    """What is done when both are taken, in words; in none of the rules are they set off against each other."""
    notes: tuple[str, ...] = ()
    evidence: str
    references: tuple[str, ...]
    provenance: str | None = None


class Precipitant(Fact):
    """A drug that inhibits or induces an enzyme."""

    enzyme: str
    drug: str
    rxnorm: str | None = None
    """RxNorm ingredient, where the drug table has it under this name."""
    effect: str
    """``inhibitor`` or ``inducer``."""
    strength: str
    """``strong``, ``moderate`` or ``weak``; where it depends on the dose or product, the note says how."""
    class_by: str
    certainty: str
    sources: tuple[str, ...]
    note: str | None = None
    curator: bool = False


class Phenoconversion(Fact):
    version: str
    source: str
    note: str
    rules: tuple[ConversionRule, ...]
    precipitants: tuple[Precipitant, ...]
    references: tuple[Reference, ...]


class WarfarinAlgorithm(Fact):
    """A published dose equation: intercept plus the sum of coefficient times value, then ``transform``."""

    id: str
    reference: str
    pmid: str
    output: str
    """Unit of the dose: ``mg per week`` or ``mg per day``."""
    transform: str
    """``square of the sum`` or ``exp of the sum``."""
    intercept: float
    terms: dict[str, float]
    notes: tuple[str, ...] = ()
    certainty: str
    provenance: str


class FlowStep(Fact):
    """A step of the CPIC warfarin flow, in our words; percentages are of the calculated dose."""

    step: int
    condition: str
    advice: str
    note: str | None = None


class WarfarinCheck(Fact):
    """A worked case that an implementation must reproduce."""

    algorithm: str
    input: str
    expected: float
    unit: str
    origin: str


class Warfarin(Fact):
    source: str
    algorithms: tuple[WarfarinAlgorithm, ...]
    checks: tuple[WarfarinCheck, ...]
    accuracy: dict[str, dict[str, float]]
    """By algorithm, on the IWPC cohort: ``n``, ``mae`` and ``bias`` in mg per week, ``r2``, ``within20`` in percent."""
    clinic_rule: str
    genotypes_used: tuple[str, ...]
    adult_flow: tuple[FlowStep, ...]
    target_inr: str
    strengths: dict[str, str]
    paediatric: dict[str, str]


class Code(Fact):
    code: str | None
    """None: no such term was found, as ``evidence`` says."""
    text: str
    certainty: str
    evidence: str
    component: str | None = None
    """LOINC's component name where it differs from the text."""


class Loinc(Fact):
    source: str
    warning: str
    gene_interpretation: dict[str, Code]
    """By gene symbol; the key ``*`` is the generic term for genes without an own one."""
    gene_allele: dict[str, Code]
    metabolizer_answers: dict[str, Code]
    """By the answer's text (``Poor metabolizer``)."""
    transporter_answers: dict[str, Code]
    other_answers: dict[str, Code]
    structure: dict[str, Code]
    """By LOINC code: what a genetic report is built of."""
    missing: tuple[Code, ...]
    not_pharmacogenomic: tuple[Code, ...]
    answer_lists: dict[str, str]


class Silence(Fact):
    """Combinations of keys that a source has rows about, but no row for: the source is silent there."""

    source: str
    drug: str
    population: str
    genes: tuple[str, ...]
    combinations: tuple[tuple[str, ...], ...]
    """Each one key for each gene, in the order of ``genes``."""
