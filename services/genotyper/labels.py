"""How a diplotype is printed. Specification: "Diplotype object and label"."""

from collections.abc import Sequence

from knowledge.model import Gene
from schemas.genotype import Diplotype


def diplotype(gene: Gene, alleles: Sequence[str], score: int | None = None) -> Diplotype:
    """The diplotype of these alleles, in the given order, with its label."""
    return Diplotype(label=label(gene, alleles), alleles=tuple(alleles), score=score)


def label(gene: Gene, alleles: Sequence[str]) -> str:
    """``*1/*2``; for genes whose alleles are variants, ``c.62G>A (heterozygous)``."""
    if gene.variant_labels:
        variants = [allele for allele in alleles if allele != gene.definition.reference]
        if not variants:
            return "/".join("Reference" for _ in alleles)
        if len(variants) < len(alleles):
            return f"{variants[0]} (heterozygous)"
    return "/".join(alleles)
