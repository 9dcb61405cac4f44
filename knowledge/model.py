"""What a knowledge release holds, as the services see it: small, strict, immutable, ready to use.

The compiler (``knowledge.compiler``) is the forgiving part that reads the source tables; nothing here repairs anything.
Domain code names no gene and no drug: whatever is special about one stands here as data.
"""

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

_SCORE = re.compile(r"≥?\d+(\.\d+)?")


class Fact(BaseModel):
    """A part of a release. Unknown fields are errors: a release is written and read by the same format version."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ploidy(StrEnum):
    AUTOSOMAL = "autosomal"
    X_LINKED = "X-linked"
    MITOCHONDRIAL = "mitochondrial"


class Matching(StrEnum):
    """How a gene is called from genotypes."""

    STANDARD = "standard"
    LOWEST_FUNCTION = "lowest-function"
    """Variants are listed rather than paired when phase is unknown; the worst two are looked up (DPYD, RYR1)."""
    RESEARCH = "research"
    """Defined, but called from genotypes only on request (CYP2D6: blind to copy number)."""
    REPORTED_ONLY = "reported-only"
    """No definition: known from the laboratory's own call alone (HLA)."""


class Position(Fact):
    """A GRCh38 position, spelt as a left-normalised VCF row."""

    pos: int
    ref: str
    alts: tuple[str, ...]
    rsid: str | None = None
    hgvs: tuple[str, ...] = ()
    """One genomic HGVS name (``NC_000010.11:g.94761900C>T``) for each alternative, in their order; empty if unnamed."""
    grch37_pos: int | None = None
    """The same position on GRCh37, to recognise results of the wrong build and to read historical ones."""
    grch37_ref: str | None = None
    """The GRCh37 reference base where it is another one."""


class Allele(Fact):
    """A named allele. ``calls`` maps indices of the gene's positions to the bases there; several bases are a wobble.

    Positions not listed are not part of the allele's definition. An allele without calls that is not the reference can
    only be reported (structural, or defined elsewhere).
    """

    name: str
    calls: dict[int, tuple[str, ...]] = {}
    function: str | None = None
    activity_value: str | None = None
    """As text with at least one decimal (``1.0``, ``0.25``, ``≥3.0``); None where the allele has none."""
    public_name: str | None = None
    """The name to print where this is a concrete spelling of another allele (SLCO1B1 ``*45.001`` is ``*45``)."""
    copies: str | None = None
    copies_of: str | None = None
    """For a duplication as its own named allele: copy count (``2``, ``≥3``) and the duplicated allele."""
    tandem: tuple[str, ...] = ()
    """For several gene copies on one chromosome as their own named allele: the copies in their order."""
    structure: str | None = None
    """Kind of structural variation (``gene deletion``, ``hybrid``, ``conversion``), where the source says."""
    notes: tuple[str, ...] = ()
    curator: bool = False
    """The allele itself (its existence or function) comes from expert memory: it needs a source before use."""


class Priority(Fact):
    """Of unphased ``candidates`` that the data cannot tell apart, ``pick`` is reported."""

    candidates: tuple[str, ...]
    pick: str


class Proxy(Fact):
    """A causal variant and a linked one used as its proxy (DPYD HapB3: intronic rs75017182 and exonic rs56038477)."""

    causal_pos: int
    proxy_pos: int
    causal_allele: str
    """Named allele of the causal variant alone."""
    joint_allele: str
    """Named allele with both variants."""


class SingleVariant(Fact):
    """The variant that still decides when no diplotype matches, and the allele each of its bases stands for."""

    pos: int
    alleles: dict[str, str]


class Definition(Fact):
    """How a gene's named alleles are told apart."""

    positions: tuple[Position, ...] = ()
    alleles: tuple[Allele, ...]
    """The reference allele first, then as the source orders them; alleles that can only be reported stand last."""
    reference: str | None = None
    matching: Matching
    undocumented_as_reference: bool = False
    required_positions: tuple[int, ...] = ()
    unphased_priorities: tuple[Priority, ...] = ()
    extra_positions: tuple[Position, ...] = ()
    """Read and reported, not used for matching."""
    proxy: Proxy | None = None
    single_variant: SingleVariant | None = None
    not_in_combinations: tuple[str, ...] = ()
    """Alleles that combination calling leaves out."""
    source: str
    version: str


class PhenotypeMethod(StrEnum):
    """How alleles become a phenotype. All methods but score, presence and none look the functions up in ``rules``."""

    FUNCTION_PAIR = "function-pair"
    ACTIVITY_SCORE = "activity-score"
    HAPLOID_CLASS = "haploid-class"
    ALLELE_PRESENCE = "allele-presence"
    ALLELE_COUNT = "allele-count"
    GENOTYPE = "genotype"
    """The guideline names genotypes, no phenotype: the lookup key is ``n/a``, the rules only describe (IFNL3)."""
    NONE = "none"


class FunctionRule(Fact):
    """Allele functions (unordered; one entry for a hemizygous or mitochondrial gene) that give a phenotype."""

    phenotype: str
    functions: tuple[tuple[str, ...], ...]


class ScoreBin(Fact):
    phenotype: str
    minimum: float
    minimum_included: bool
    maximum: float | None
    maximum_included: bool

    def holds(self, score: float) -> bool:
        above = score > self.minimum or (self.minimum_included and score == self.minimum)
        below = self.maximum is None or score < self.maximum or (self.maximum_included and score == self.maximum)
        return above and below


class PhenotypeTable(Fact):
    """How a gene's alleles become a phenotype and a lookup key."""

    method: PhenotypeMethod
    rules: tuple[FunctionRule, ...] = ()
    bins: tuple[ScoreBin, ...] = ()
    no_score: str | None = None
    """The phenotype where a score cannot be formed."""
    presence_alleles: tuple[str, ...] = ()
    """Allele-presence genes: each of these gives one key, ``<allele> positive`` or ``<allele> negative``."""
    source: str
    notes: tuple[str, ...] = ()

    def phenotype_of_score(self, score: str) -> str | None:
        """The phenotype of an activity score (``1.0``, ``≥3.0``); None where it is no number or lies in no bin."""
        if _SCORE.fullmatch(score) is None:
            return None
        value = float(score.removeprefix("≥"))
        return next((bin_.phenotype for bin_ in self.bins if bin_.holds(value)), None)


class Ranking(StrEnum):
    """By what the worst alleles of a gene called by its lowest function are chosen."""

    ACTIVITY_VALUE = "activity-value"
    """The lowest activity values (DPYD)."""
    FUNCTION = "function"
    """Alleles with the function named in ``worst_function`` first (RYR1)."""


class Gene(Fact):
    symbol: str
    chromosome: str
    refseq: str | None = None
    ploidy: Ploidy
    ranking: Ranking | None = None
    worst_function: str | None = None
    """For lowest-function genes: how the two worst alleles are found."""
    variant_labels: bool = False
    """Labels say ``c.62G>A (heterozygous)`` instead of naming the reference allele (CACNA1S, CFTR, DPYD, RYR1)."""
    definition: Definition
    phenotype: PhenotypeTable


class ResearchAllele(Fact):
    """An allele of a research gene. ``calls`` are its differences from the GRCh38 sequence; without any it is that."""

    name: str
    calls: dict[int, str] = {}
    function: str


class ResearchGene(Fact):
    """A gene outside the clinical definitions, called on request only and never shown beside clinical results.

    Unlike in ``Definition``, alleles say how they differ from the GRCh38 sequence; the named reference need not be it.
    """

    symbol: str
    chromosome: str | None
    """None where the source gives no place on the primary assembly."""
    reference: str
    grch38: tuple[str, ...]
    """The alleles that the GRCh38 sequence itself stands for."""
    positions: tuple[Position, ...]
    alleles: tuple[ResearchAllele, ...]
    source: str


class Drug(Fact):
    name: str
    rxnorm: str | None = None
    """RxNorm ingredient (RxCUI)."""
    atc: tuple[str, ...] = ()
    curator: bool = False
    """A code here comes from expert memory."""


class Guideline(Fact):
    id: str
    source: str
    name: str
    url: str | None = None
    pmid: tuple[str, ...] = ()


class Doubt(Fact):
    """What the source tables leave doubtful, and where it applies: to what has all of the properties given."""

    id: str
    topic: str
    """``definitions``, ``functions``, ``phenotypes`` and ``guidelines`` are about calls and guideline rows; the others
    about the uses of their tables alone: ``phenoconversion``, ``warfarin`` (dose equations), ``drugs``, ``codes``."""
    genes: tuple[str, ...] = ()
    alleles: tuple[str, ...] = ()
    """Only calls with one of these alleles."""
    functions: tuple[str, ...] = ()
    """Only calls with an allele of one of these functions."""
    scores: tuple[str, ...] = ()
    """Only calls with one of these activity scores."""
    drugs: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """Only advice of these guideline sources."""
    text: str
    lowers_confidence: bool
    """Advice to which it applies is given with reduced confidence and ``text`` as the reason."""


class DoseChange(Fact):
    """Dose as a factor of the usual one: 0.5 is half. ``basis`` says of which dose, and on what condition."""

    basis: str
    factor_low: float
    factor_high: float | None
    """None: the source sets no upper end (at least ``factor_low``)."""


class DoseFixed(Fact):
    """A dose in figures: ``dose``, or from ``dose_low`` (at least) to ``dose_high`` (at most); one end may be open."""

    basis: str
    dose: float | None = None
    dose_low: float | None = None
    dose_high: float | None = None
    unit: str


class DoseLimit(Fact):
    basis: str
    max: float
    unit: str
    strict: bool = False
    """The dose must stay below ``max``, not only not exceed it."""


class Rule(Fact):
    """One row of a guideline: for these keys of these genes, in this population, do this.

    ``genes`` maps each gene to its alternatives; all genes must match one of theirs, or any gene where ``any_gene`` is
    set. Keys are the tables' own texts: phenotype, activity score, allele presence, genotype (``*1/*3``),
    ``No Result``, ``any``.
    """

    id: str
    """Made by ``knowledge.identity.rule_id`` from source, drug, population, genes and the row's keys in order, and from
    nothing else: the same in every release that has such a row, whatever it advises. One id for each row, not for each
    combination of a patient's keys: where a release regroups keys into other rows, these rows have new ids, and
    ``knowledge.diff`` pairs them by the keys they share. Between 2025.11 and 2026.11 that is so for one row only (DPWG
    on gefitinib: the row for any result became four by score). The same function, given one key for each gene, makes an
    id for a combination of a patient's keys that no regrouping changes."""
    drug: str
    source: str
    guideline: str
    population: str
    genes: dict[str, tuple[str, ...]]
    any_gene: bool = False
    actions: tuple[str, ...]
    dose_change: tuple[DoseChange, ...] = ()
    dose_fixed: tuple[DoseFixed, ...] = ()
    dose_limit: tuple[DoseLimit, ...] = ()
    alternatives: tuple[str, ...] = ()
    strength: str
    implication: str | None = None
    notes: tuple[str, ...] = ()
    edition: str
    source_ref: tuple[str, ...] = ()
    curator: bool = False
    record: str
    """The source table's row id (``r0001``), for audit."""
    verbatim: str | None = None
    """The guideline's own text. Only in a site's release, from its own import; never in the releases shipped here."""


class Significance(StrEnum):
    """What a result says about an inherited condition."""

    FOUND = "found"
    """A cause of the condition or of the susceptibility."""
    POSSIBLE = "possible"
    """It fits the condition, which something else has to decide."""
    UNCLEAR = "unclear"
    """The condition is neither shown nor made less likely."""
    NOT_FOUND = "not-found"
    """None of the causes that were looked for; never rules the condition out."""


class FindingReference(Fact):
    title: str
    url: str
    pmid: tuple[str, ...] = ()


class Finding(Fact):
    """What a gene's phenotype says about an inherited condition, beside all drugs. All texts are our own wording."""

    id: str
    condition: str
    gene: str
    phenotypes: tuple[str, ...]
    """Phenotypes of the gene that it holds for."""
    significance: Significance
    meaning: str
    care: tuple[str, ...]
    """What follows for care."""
    limits: tuple[str, ...]
    """What the result does not show."""
    references: tuple[FindingReference, ...]


class Manifest(Fact):
    """First file of a release: what it is and the SHA-256 of every other file."""

    format: int
    release: str
    in_force: str
    description: str
    files: dict[str, str]
    sources: tuple[str, ...]
    licences: tuple[str, ...]
    base: str | None = None
    base_sha256: str | None = None
    """For a site's release: the release it was made from."""
