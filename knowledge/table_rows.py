"""The rows of the source tables (``knowledge/tables``), field for field: their form, and nothing else.

An unknown or missing field or a wrong type is an error: see :mod:`knowledge.sources`, which reads them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from knowledge.model import (
    DoseChange,
    DoseFixed,
    DoseLimit,
    Matching,
    PhenotypeMethod,
    Ploidy,
    Proxy,
    Ranking,
    Significance,
    SingleVariant,
)

Bases = Annotated[str, StringConstraints(pattern="^[ACGT]+$")]
Words = Annotated[str, StringConstraints(min_length=1)]


class Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PositionRow(Row):
    pos: Annotated[int, Field(ge=1)]
    rsid: str | None
    ref: Bases
    alts: tuple[Bases, ...]
    hgvs: str | None = None
    pos_grch37: int | None = None
    grch37_src: str | None = None
    ref_grch37: str | None = None
    hgvs_pos: int | None = None
    alts_norm: list[list[int | str]] | None = None
    use: str | None = None


class AlleleRow(Row):
    name: Words
    function: str | None = None
    activity_value: float | str | None = None
    reference: bool = False
    structural: bool
    calls: dict[int, Bases | tuple[Bases, ...]] = {}
    clinpgx_id: str | None = None
    note: str | None = None
    source: str | None = None
    function_before_2026: str | None = None
    """Counts only where given; null then means that the function was not assigned before."""
    note_before_2026: str | None = None
    suballele_of: str | None = None
    structure: str | None = None
    structure_note: str | None = None
    structure_source: str | None = None
    copies: str | None = None
    of: str | None = None
    tandem: tuple[str, ...] = ()
    guideline_drugs: tuple[str, ...] = ()
    tag_snp: dict[str, str] | None = None


class Priorities(Row):
    candidates: tuple[str, ...]
    pick: str


class GeneTable(Row):
    gene: Words
    chromosome: Words
    build: Literal["GRCh38"]
    refseq: str | None = None
    grch37_offset: int | None = None
    reference_allele: str | None
    source: Words
    version: Words
    modified: str | None = None
    positions: tuple[PositionRow, ...]
    alleles: tuple[AlleleRow, ...]
    structural_alleles: tuple[AlleleRow, ...] = ()
    undefined_alleles: tuple[AlleleRow, ...] = ()
    extra_positions: tuple[PositionRow, ...] = ()
    required_positions: tuple[int, ...] = ()
    unphased_pick: tuple[Priorities, ...] = ()
    function_source: str | None = None
    amp_tier1_alleles: tuple[str, ...] = ()
    pharmcat_ignored_positions: tuple[int, ...] = ()
    outside_call_only: bool = False
    status_key: str | None = None
    notes: tuple[str, ...] = ()

    def all_alleles(self) -> tuple[AlleleRow, ...]:
        """Defined, structural and undefined ones."""
        return (*self.alleles, *self.structural_alleles, *self.undefined_alleles)


class RuleRow(Row):
    phenotype: Words
    pairs: tuple[tuple[str, ...], ...]


class BinRow(Row):
    phenotype: Words
    min: float
    min_incl: bool
    max: float | None
    max_incl: bool


class PhenotypeRow(Row):
    gene: Words
    method: PhenotypeMethod
    lookup: dict[str, str]
    source: Words
    rules: tuple[RuleRow, ...] = ()
    bins: tuple[BinRow, ...] = ()
    no_score: str | None = None
    notes: tuple[str, ...] = ()
    proof: dict[str, Any] = {}
    pypgx_bins: Any = None
    pypgx_activity_differences: Any = None
    self_check_value_differences: Any = None
    pypgx_terms: dict[str, str] = {}


class ResearchAlleleRow(Row):
    name: Words
    function: Words
    activity_value: None
    structural: bool
    calls: dict[int, Bases]
    grch38_default: bool = False


class ResearchTable(Row):
    gene: Words
    chromosome: str | None
    build: Literal["GRCh38"]
    reference_allele: Words
    source: Words
    calls_semantics: Literal["difference from GRCh38 base; empty = GRCh38 sequence"]
    positions: tuple[PositionRow, ...]
    alleles: tuple[ResearchAlleleRow, ...]


class RecordRow(Row):
    """A guideline row. ``releases`` alone decides which releases serve it."""

    id: Words
    drug: Words
    guideline: str | None = None
    source: Literal["CPIC", "DPWG", "FDA"]
    edition: Words
    status: Literal["current", "superseded", "table-only"]
    releases: tuple[str, ...]
    genes: dict[str, tuple[str, ...]]
    genes_logic: Literal["any"] | None = None
    population: Words
    action: tuple[str, ...]
    dose_change: tuple[DoseChange, ...] = ()
    dose_fixed: tuple[DoseFixed, ...] = ()
    dose_limit: tuple[DoseLimit, ...] = ()
    alternatives: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    strength: str | None
    evidence_implication: str
    source_ref: tuple[str, ...]
    template: str
    phenotypes: dict[str, tuple[str, ...]] = {}
    fact_source: str | None = None
    update_note: str | None = None
    fda_section: int | None = None
    pypgx_rows: tuple[Any, ...] = ()


class DrugRow(Row):
    name: Words
    rxnorm: str | None
    atc: tuple[str, ...]
    pairs: tuple[dict[str, Any], ...]
    top_level: str | None
    in_scope: bool
    not_in_cpic_table: bool = False
    atc_source: str | None = None
    rxnorm_source: str | None = None
    clinpgx_id: str | None = None
    drugbank: str | None = None
    guidelines: dict[str, tuple[str, ...]] = {}


class GuidelineRow(Row):
    id: Words
    source: Words
    name: Words
    drugs: tuple[str, ...]
    genes: tuple[str, ...]
    url: Words
    pmids: tuple[str, ...]
    in_2022_09: bool = False
    in_2024: bool = False
    in_2025_11: bool = False
    in_2026_07: bool = False
    in_2026_09: bool = False


class DpwgPairRow(Row):
    drug: Words
    gene: Words
    id: Words
    advice_2022: bool
    rows_in_this_kb: bool
    advice_2026: bool = False


class FindingReferenceRow(Row):
    """A source by title and address, or a guideline of ``guidelines.json``."""

    id: Words
    title: str | None = None
    url: str | None = None
    pmid: tuple[str, ...] = ()
    guideline: str | None = None


class FindingRow(Row):
    id: Words
    condition: Words
    gene: Words
    phenotypes: tuple[Words, ...]
    significance: Significance
    meaning: Words
    care: tuple[Words, ...]
    limits: tuple[Words, ...]
    references: tuple[Words, ...]


class FindingTable(Row):
    references: tuple[FindingReferenceRow, ...]
    findings: tuple[FindingRow, ...]


class Special(Row):
    """What matching and labelling need to know about a gene beyond its definition."""

    ploidy: Ploidy = Ploidy.AUTOSOMAL
    matching: Matching = Matching.STANDARD
    ranking: Ranking | None = None
    worst_function: str | None = None
    undocumented_as_reference: bool = False
    variant_labels: bool = False
    proxy: Proxy | None = None
    single_variant: SingleVariant | None = None
    not_in_combinations: tuple[str, ...] = ()
    hgvs: dict[int, tuple[str, ...]] = {}
    """HGVS names by position where the definition table lists other names than one for each alternative."""
    source: Words


class ReleaseRow(Row):
    """What a release is composed of."""

    release: Words
    in_force: Words
    follows: str | None = None
    """Serves the records of this release as well, except ``withdrawn``."""
    withdrawn: tuple[str, ...] = ()
    functions_before_2026: bool = False
    frozen: bool = False
    """Tables that it shares with later releases have moved on: its folder stands and is not compiled any more."""
    undefined_alleles: tuple[str, ...] | None = None
    """Genes whose alleles named without a definition are part of it; None: of all genes."""
    description: Words


class Composition(Row):
    sources: tuple[str, ...]
    licences: tuple[str, ...]
    genes_since: dict[str, str]
    """Genes that only later releases have, and the first one that has them."""
    exceptions: dict[str, dict[str, str]]
    """By gene (``*``: any), then key (``*``: any): why a lookup key that the gene's own tables cannot give is right."""
    releases: tuple[ReleaseRow, ...]
