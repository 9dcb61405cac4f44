"""Genes that are called on request only, kept apart from clinical output."""

from knowledge.model import Allele, Definition, Gene, Matching, PhenotypeMethod, PhenotypeTable, Ploidy, ResearchGene
from knowledge.release import Release
from services.genotyper.options import Research

BLIND_TO_COPY_NUMBER = "blind-to-copy-number"
NOT_CLINICAL = "not-clinical"

MESSAGES = {
    BLIND_TO_COPY_NUMBER: "called from small variants alone: deletions, duplications and hybrids are not seen",
    NOT_CLINICAL: "a gene outside the clinical definitions; for research only",
}
"""Warnings that every research call carries, by code."""


def research_genes(release: Release, wanted: frozenset[Research]) -> tuple[tuple[Gene, str], ...]:
    """The wanted genes of a release, in the order of their symbols, each with the code of its warning."""
    genes: list[tuple[Gene, str]] = []
    if Research.CYP2D6 in wanted:
        genes += [
            (gene, BLIND_TO_COPY_NUMBER)
            for gene in release.genes.values()
            if gene.definition.matching is Matching.RESEARCH
        ]
    if Research.EXTRA_GENES in wanted:
        genes += [
            (_as_gene(gene), NOT_CLINICAL)
            for symbol, gene in release.research.items()
            if symbol not in release.genes and gene.chromosome is not None and gene.positions
        ]
    return tuple(sorted(genes, key=lambda entry: entry[0].symbol))


def _as_gene(gene: ResearchGene) -> Gene:
    """The gene in the form of the clinical ones: the allele that GRCh38 has is what blank cells are filled from."""
    filled_from = gene.grch38[0] if gene.grch38 else "GRCh38"
    everything: dict[int, tuple[str, ...]] = {index: (position.ref,) for index, position in enumerate(gene.positions)}
    alleles = [Allele(name=filled_from, calls=everything)]
    alleles += [
        Allele(
            name=allele.name, calls={index: (base,) for index, base in allele.calls.items()}, function=allele.function
        )
        for allele in gene.alleles
        if allele.calls
    ]
    return Gene(
        symbol=gene.symbol,
        chromosome=gene.chromosome or "",
        ploidy=_PLOIDY.get(gene.chromosome or "", Ploidy.AUTOSOMAL),
        definition=Definition(
            positions=gene.positions,
            alleles=tuple(alleles),
            reference=filled_from,
            matching=Matching.STANDARD,
            source=gene.source,
            version=gene.source,
        ),
        phenotype=PhenotypeTable(method=PhenotypeMethod.NONE, source=gene.source),
    )


_PLOIDY = {"chrX": Ploidy.X_LINKED, "chrM": Ploidy.MITOCHONDRIAL}
