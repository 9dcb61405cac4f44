"""Diplotypes with their labels."""

from collections.abc import Sequence

from knowledge.model import Gene
from knowledge.names import label
from schemas.filled import unvalidated
from schemas.genotype import Diplotype


def diplotype(gene: Gene, alleles: Sequence[str], score: int | None = None) -> Diplotype:
    """The diplotype of these alleles, in the given order, with its label."""
    return unvalidated(Diplotype, label=label(gene, alleles), alleles=tuple(alleles), score=score)
