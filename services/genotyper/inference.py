"""The two alleles that decide, where a call names more than two or none at all.

Specification: "Recommendation diplotype of lowest-function genes".
"""

from collections.abc import Sequence

from knowledge.model import Ranking
from services.genotyper import names
from services.genotyper.definition import GeneDefinition

_VALUE_OF_UNKNOWN = 2.0
"""What a missing activity value counts when pairs are compared (it sorts first among single alleles)."""


def worst_pair(definition: GeneDefinition, diplotypes: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Of the worst alleles on each strand of each diplotype, the worst pair, in name order.

    Variants outside named alleles do not count; a strand with nothing else counts as the reference.
    """
    reference = definition.alleles[definition.reference].printed
    pairs = []
    for diplotype in diplotypes:
        worst = []
        for strand in diplotype:
            named = [part for part in names.components(strand) if not names.is_partial(part)]
            worst.append(min(named or [reference], key=lambda allele: _rank(definition, allele)))
        pairs.append(tuple(sorted(worst, key=names.order)))
    return min(pairs, key=lambda pair: _pair_rank(definition, pair))


def worst_two(definition: GeneDefinition, haplotypes: Sequence[str]) -> tuple[str, ...]:
    """The two worst of a list of haplotypes (a homozygous one is listed twice), in name order; one where there is
    one."""
    worst = sorted(haplotypes, key=lambda allele: _rank(definition, allele))[:2]
    return tuple(sorted(worst, key=names.order))


def _rank(definition: GeneDefinition, allele: str) -> tuple[object, ...]:
    if definition.gene.ranking is Ranking.ACTIVITY_VALUE:
        value = definition.activity_values.get(allele)
        return (value is not None, value or 0.0, names.order(allele))
    return (definition.functions.get(allele) != definition.gene.worst_function, names.order(allele))


def _pair_rank(definition: GeneDefinition, pair: Sequence[str]) -> tuple[object, ...]:
    order = tuple(names.order(allele) for allele in pair)
    if definition.gene.ranking is Ranking.ACTIVITY_VALUE:
        values = [definition.activity_values.get(allele) for allele in pair]
        return (sum(_VALUE_OF_UNKNOWN if value is None else value for value in values), order)
    worst = sum(definition.functions.get(allele) == definition.gene.worst_function for allele in pair)
    return (-worst, order)
