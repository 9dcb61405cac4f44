"""All positions that a release looks at, found by chromosome and position."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.model import Gene, Ploidy, Position
from services.genotyper.definition import GeneDefinition, compile_gene

_HOMOZYGOUS_REFERENCE = frozenset({"0/0", "0|0"})
_HAPLOID_REFERENCE = _HOMOZYGOUS_REFERENCE | {"0"}


@dataclass(frozen=True, slots=True)
class Site:
    """One position of one gene, as rows are compared with it."""

    gene: int
    """Index of the gene in the panel."""
    position: int
    """Column in the gene's definition; for an extra position its index among those."""
    bit: int
    locus: str
    pos: int
    ref: str
    alts: list[str]
    rsid: str | None
    ploidy: Ploidy
    extra: bool
    undocumented_as_reference: bool
    reference_gts: frozenset[str]
    """Genotypes that, with the definition's own spelling, need no second look."""

    @property
    def indel(self) -> bool:
        """Whether the definition has an alternative of several bases here."""
        return any(len(alt) > 1 for alt in self.alts)


@dataclass(frozen=True)
class Panel:
    """The compiled definitions of a release's genes with an index of their positions."""

    genes: tuple[GeneDefinition, ...]
    sites: Mapping[tuple[str, int], Site]
    """Keyed by contig and position; contigs are found with and without ``chr``."""
    rsids: Mapping[str, tuple[str, int]]
    """Chromosome and position of each rs number."""


def build_panel(genes: Iterable[Gene], combinations: bool = False) -> Panel:
    """Compiles every gene that can be called from genotypes; of two genes that share a position the first one gets it.

    Where ``combinations`` are called, undocumented bases are named rather than treated as reference (but for the
    lowest-function genes).
    """
    compiled = tuple(definition for gene in genes if (definition := compile_gene(gene)) is not None)
    sites: dict[tuple[str, int], Site] = {}
    rsids: dict[str, tuple[str, int]] = {}
    for number, definition in enumerate(compiled):
        for extra, positions in (
            (False, definition.gene.definition.positions),
            (True, definition.gene.definition.extra_positions),
        ):
            for column, position in enumerate(positions):
                site = _site(number, definition, column, position, extra, combinations)
                for contig in _contigs(definition.gene.chromosome):
                    sites.setdefault((contig, position.pos), site)
                if position.rsid:
                    rsids[position.rsid] = (definition.gene.chromosome, position.pos)
    return Panel(compiled, sites, rsids)


def _site(
    number: int, definition: GeneDefinition, column: int, position: Position, extra: bool, combinations: bool
) -> Site:
    gene = definition.gene
    return Site(
        gene=number,
        position=column,
        bit=0 if extra else 1 << column,
        locus=f"{gene.chromosome}:{position.pos}",
        pos=position.pos,
        ref=position.ref,
        alts=list(position.alts),
        rsid=position.rsid,
        ploidy=gene.ploidy,
        extra=extra,
        undocumented_as_reference=gene.definition.undocumented_as_reference
        and (definition.lowest_function or not combinations),
        reference_gts=frozenset() if extra else _reference_gts(gene.ploidy),
    )


def _reference_gts(ploidy: Ploidy) -> frozenset[str]:
    if ploidy is Ploidy.MITOCHONDRIAL:
        return frozenset({"0"})
    return _HAPLOID_REFERENCE if ploidy is Ploidy.X_LINKED else _HOMOZYGOUS_REFERENCE


def _contigs(chromosome: str) -> tuple[str, ...]:
    bare = chromosome.removeprefix("chr")
    return (chromosome, bare, "chrMT", "MT") if bare == "M" else (chromosome, bare)
