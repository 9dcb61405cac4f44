"""What a knowledge release holds, as the services see it: small, strict, immutable, ready to use.

The compiler (``knowledge.compiler``) is the forgiving part that reads the source tables; nothing here repairs anything.
Domain code names no gene and no drug: whatever is special about one stands here as data.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


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
    """One genomic HGVS name for each alternative allele, in their order."""


class Allele(Fact):
    """A named allele. ``calls`` maps indices of the gene's positions to the bases it has there; several bases are a wobble.

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
    notes: tuple[str, ...] = ()
    curator: bool = False
    """Something about this allele comes from expert memory and needs a source before anyone relies on it."""


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
    FUNCTION_PAIR = "function-pair"
    ACTIVITY_SCORE = "activity-score"
    HAPLOID_CLASS = "haploid-class"
    ALLELE_PRESENCE = "allele-presence"
    ALLELE_COUNT = "allele-count"
    GENOTYPE = "genotype"
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


class Gene(Fact):
    symbol: str
    chromosome: str
    refseq: str | None = None
    ploidy: Ploidy
    variant_labels: bool = False
    """Labels say ``c.62G>A (heterozygous)`` instead of naming the reference allele (CACNA1S, CFTR, DPYD, RYR1)."""
    definition: Definition
    phenotype: PhenotypeTable


class Drug(Fact):
    name: str
    rxnorm: str | None = None
    atc: tuple[str, ...] = ()
    curator: bool = False


class Guideline(Fact):
    id: str
    source: str
    name: str
    url: str | None = None
    pmid: tuple[str, ...] = ()


class DoseChange(Fact):
    basis: str
    factor_low: float
    factor_high: float


class DoseFixed(Fact):
    basis: str
    dose: float
    unit: str


class DoseLimit(Fact):
    basis: str
    max: float
    unit: str


class Rule(Fact):
    """One row of a guideline: for these keys of these genes, in this population, do this.

    ``genes`` maps each gene to its alternatives; all genes must match one of theirs, or any gene where ``any_gene`` is set.
    Keys are the tables' own texts: phenotype, activity score, allele presence, genotype (``*1/*3``), ``No Result``, ``any``.
    """

    id: str
    """Made from what the rule is about (source, drug, population, genes and keys): the same in every release that has it."""
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


class Manifest(Fact):
    """First file of a release: what it is and the SHA-256 of every other file."""

    format: int
    release: str
    in_force: str
    description: str
    files: dict[str, str]
    sources: tuple[str, ...]
    licences: tuple[str, ...]
