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
    genes: tuple[str, ...]
    """Genes whose phenotypes speak about the enzyme."""
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
    """RxNorm ingredient, where the tables have it."""
    names: tuple[str, ...] = ()
    """Further names of the drug."""
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


class InputKind(StrEnum):
    """What a term of a dose equation is multiplied by."""

    AGE_DECADES = "age-decades"
    AGE_YEARS = "age-years"
    HEIGHT_CM = "height-cm"
    WEIGHT_KG = "weight-kg"
    BODY_SURFACE_M2 = "body-surface-m2"
    TARGET_INR = "target-inr"
    SMOKER = "smoker"
    """1 for a current smoker, else 0."""
    INDICATION = "indication"
    """1 if treatment has one of ``values``, else 0."""
    ANCESTRY = "ancestry"
    """1 if the patient's ancestry is one of ``values``, else 0."""
    MEDICATION = "medication"
    """1 if one of ``values`` is taken, else 0."""
    GENOTYPE = "genotype"
    """1 if the gene's alleles are ``values``, in any order, else 0."""
    ALLELE_COUNT = "allele-count"
    """How many of the gene's alleles are among ``values``."""
    GENE_UNKNOWN = "gene-unknown"
    """1 where the gene has no result, else 0."""


class DoseInput(Fact):
    """Where the value of a term comes from."""

    kind: InputKind
    gene: str | None = None
    values: tuple[str, ...] = ()


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
    inputs: dict[str, DoseInput]
    """Where the value of each term comes from."""
    genes: tuple[str, ...] = ()
    """Genes that the equation cannot do without, in this software; empty for a clinical equation."""
    alleles: dict[str, tuple[str, ...]] = Field(default={})
    """By gene: the alleles that the equation tells apart, the reference first. Another allele of normal function is
    taken as the reference; with any other the equation does not hold, unless a ``DoseAdjustment`` is about it."""
    target_inr: tuple[float, float] | None = None
    """The range of treatment that the equation is for, where it has no term for it."""
    typical_error: float | None = None
    """Mean absolute error in mg per week on the cohort of ``Warfarin.accuracy``."""
    notes: tuple[str, ...] = ()
    certainty: str
    provenance: str


class DoseAdjustment(Fact):
    """A change of the calculated dose for something that the equations do not know, from the guideline's flow."""

    step: int
    """Of the flow."""
    gene: str
    alleles: tuple[str, ...] = ()
    """Carriers of these; empty where ``variant`` says what is looked at."""
    variant: str | None = None
    """A position of interest outside the gene's definition, by its rs number."""
    bases: tuple[str, ...] = ()
    """Of the variant: the bases that count."""
    one: tuple[float, float]
    """Factor of the dose for a carrier, from and to."""
    two: tuple[float, float]
    """Factor with two such alleles."""
    ancestry: tuple[str, ...] = ()
    """Only for these; empty: for all."""
    not_ancestry: tuple[str, ...] = ()
    strength: dict[str, str]
    """By ancestry; ``*`` for all others."""


class BodySurface(Fact):
    """Body surface in m2: factor times weight in kg and height in cm to their powers."""

    name: str
    factor: float
    weight_power: float
    height_power: float
    reference: str


class FlowStep(Fact):
    """A step of the CPIC warfarin flow, in our words; percentages are of the calculated dose."""

    step: int
    condition: str
    advice: str
    note: str | None = None


class FlowSteps(Fact):
    """Numbers of the steps that are not named by an adjustment."""

    genes_unknown: int
    calculate: int
    other_drug: int


class WarfarinCheck(Fact):
    """A worked case that an implementation must reproduce."""

    algorithm: str
    input: str
    expected: float
    unit: str
    origin: str


class Untested(Fact):
    """Patients of some ancestry whose dose is not calculated from genes unless these alleles were looked for."""

    ancestry: tuple[str, ...]
    gene: str
    alleles: tuple[str, ...]
    step: int


class Warfarin(Fact):
    source: str
    drug: str
    """The drug that the equations and the flow are about."""
    advised_by: dict[str, str]
    """Source and population of the guideline rows that leave the dose to the equations."""
    adults_from: int
    """Age in years."""
    assumed_inr: float
    """Where no target is stated."""
    body_surface: BodySurface
    untested: tuple[Untested, ...]
    adjustments: tuple[DoseAdjustment, ...]
    other_drug_if: dict[str, tuple[str, ...]]
    """By gene: phenotypes with which another drug is to be considered."""
    steps: FlowSteps
    interactions: str
    """The enzyme whose inhibitors and inducers change the dose although no term knows them."""
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
