"""Gene tables to genes of a release."""

from collections.abc import Iterator

from knowledge.model import (
    Allele,
    Definition,
    FunctionRule,
    Gene,
    PhenotypeMethod,
    PhenotypeTable,
    Position,
    Priority,
    ResearchAllele,
    ResearchGene,
    ScoreBin,
)
from knowledge.sources import TableError
from knowledge.table_rows import AlleleRow, GeneTable, PhenotypeRow, PositionRow, ReleaseRow, ResearchTable, Special

BASE_METHODS = {PhenotypeMethod.ALLELE_COUNT, PhenotypeMethod.GENOTYPE}
"""Methods whose tables pair bases of a single position; a release pairs the alleles' functions, as in other genes."""


def gene(table: GeneTable, phenotype: PhenotypeRow, special: Special | None, release: ReleaseRow) -> Gene:
    """The gene as the release has it."""
    special = special or Special(source=table.source)
    return Gene(
        symbol=table.gene,
        chromosome=table.chromosome,
        refseq=table.refseq,
        ploidy=special.ploidy,
        ranking=special.ranking,
        worst_function=special.worst_function,
        variant_labels=special.variant_labels,
        definition=_definition(table, special, release),
        phenotype=_phenotype(table, phenotype),
    )


def research_gene(table: ResearchTable) -> ResearchGene:
    """A gene of the research section, in its own meaning of calls."""
    return ResearchGene(
        symbol=table.gene,
        chromosome=table.chromosome,
        reference=table.reference_allele,
        grch38=tuple(row.name for row in table.alleles if row.grch38_default),
        positions=tuple(_position(row, {}) for row in table.positions),
        alleles=tuple(ResearchAllele(name=row.name, calls=row.calls, function=row.function) for row in table.alleles),
        source=table.source,
    )


def _definition(table: GeneTable, special: Special, release: ReleaseRow) -> Definition:
    return Definition(
        positions=tuple(_position(row, special.hgvs) for row in table.positions),
        alleles=tuple(_alleles(table, special, release)),
        reference=table.reference_allele,
        matching=special.matching,
        undocumented_as_reference=special.undocumented_as_reference,
        required_positions=table.required_positions,
        unphased_priorities=tuple(Priority(candidates=p.candidates, pick=p.pick) for p in table.unphased_pick),
        extra_positions=tuple(_position(row, special.hgvs) for row in table.extra_positions),
        proxy=special.proxy,
        single_variant=special.single_variant,
        not_in_combinations=special.not_in_combinations,
        source=table.source,
        version=table.version,
    )


def _position(row: PositionRow, hgvs: dict[int, tuple[str, ...]]) -> Position:
    names = hgvs.get(row.pos, tuple(row.hgvs.split("; ")) if row.hgvs else ())
    if names and len(names) != len(row.alts):
        raise TableError(f"position {row.pos}: {len(names)} HGVS names for {len(row.alts)} alternatives")
    return Position(
        pos=row.pos,
        ref=row.ref,
        alts=row.alts,
        rsid=row.rsid,
        hgvs=names,
        grch37_pos=row.pos_grch37,
        grch37_ref=row.ref_grch37,
    )


def _alleles(table: GeneTable, special: Special, release: ReleaseRow) -> Iterator[Allele]:
    """Reference first, then in the table's order; alleles that can only be reported last.

    An allele with concrete spellings of its own is matched by these and can itself only be reported.
    """
    spelt = {row.suballele_of for row in table.alleles}
    defined = [row for row in table.alleles if row.calls and row.name not in spelt]
    matched = {row.name for row in defined}
    reported = [row for row in table.alleles if row.name not in matched] + list(table.structural_alleles)
    if release.undefined_alleles is None or table.gene in release.undefined_alleles:
        reported += table.undefined_alleles
    for row in sorted(defined, key=lambda row: row.name != table.reference_allele):
        yield _allele(row, release, row.calls)
    for row in reported:
        yield _allele(row, release, {})


def _allele(row: AlleleRow, release: ReleaseRow, calls: dict[int, str | tuple[str, ...]]) -> Allele:
    before = release.functions_before_2026 and "function_before_2026" in row.model_fields_set
    notes = [row.note, row.note_before_2026 if before else None]
    if row.structure_note:
        notes.append(f"{row.structure_note} ({row.structure_source})")
    return Allele(
        name=row.name,
        calls={index: (call,) if isinstance(call, str) else call for index, call in calls.items()},
        function=row.function_before_2026 if before else row.function,
        activity_value=activity_text(row.activity_value),
        public_name=row.suballele_of,
        copies=row.copies,
        copies_of=row.of,
        tandem=row.tandem,
        structure=row.structure,
        notes=tuple(note for note in notes if note),
        curator=row.source == "curator",
    )


def activity_text(value: float | str | None) -> str | None:
    """Activity values as the guideline tables write them: at least one decimal, and the sign of open copy numbers.

    >>> activity_text(1), activity_text(0.25), activity_text("≥3.0")
    ('1.0', '0.25', '≥3.0')
    """
    return value if value is None or isinstance(value, str) else str(float(value))


def _phenotype(table: GeneTable, row: PhenotypeRow) -> PhenotypeTable:
    function = (
        {call: allele.function or "" for allele in table.alleles for call in allele.calls.values()}
        if row.method in BASE_METHODS
        else {}
    )
    return PhenotypeTable(
        method=row.method,
        rules=tuple(
            FunctionRule(
                phenotype=rule.phenotype,
                functions=tuple(tuple(sorted(function.get(f, f) for f in pair)) for pair in rule.pairs),
            )
            for rule in row.rules
        ),
        bins=score_bins(row),
        no_score=row.no_score,
        presence_alleles=tuple(a.name for a in table.alleles) if row.method is PhenotypeMethod.ALLELE_PRESENCE else (),
        source=row.source,
        notes=row.notes,
    )


def score_bins(row: PhenotypeRow) -> tuple[ScoreBin, ...]:
    """The ranges of activity scores and their phenotypes."""
    return tuple(
        ScoreBin(
            phenotype=b.phenotype,
            minimum=b.min,
            minimum_included=b.min_incl,
            maximum=b.max,
            maximum_included=b.max_incl,
        )
        for b in row.bins
    )
