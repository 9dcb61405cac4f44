"""Scores of matched pairs: how many defined cells they explain, so that well-known alleles win over exotic ones.

Specification: "Score, sort, select".
"""

from collections.abc import Iterable
from typing import NamedTuple

from knowledge import names
from services.genotyper.definition import GeneDefinition
from services.genotyper.matching import Candidate, Pair, orientations
from services.genotyper.strands import Strands


class Scored(NamedTuple):
    """A diplotype in the making: its names in order (one for a haploid sample) and its score."""

    alleles: tuple[str, ...]
    score: int

    @property
    def order(self) -> tuple[object, ...]:
        return (-self.score, *(names.order(name) for name in self.alleles))


def score_pairs(definition: GeneDefinition, sample: Strands, found: Iterable[Pair]) -> list[Scored]:
    """Scores the pairs and puts the best first; equal scores in name order. Names are still those of the definition."""
    scored = [Scored(_names(pair), pair_score(definition, sample, pair)) for pair in found]
    return scored if len(scored) < 2 else sorted(scored, key=lambda each: each.order)


def _names(pair: Pair) -> tuple[str, ...]:
    return (pair.first.allele.name,) if pair.second is None else (pair.first.allele.name, pair.second.allele.name)


def pair_score(definition: GeneDefinition, sample: Strands, pair: Pair) -> int:
    """The best score of the pair over the ways it can lie on the strands."""
    first, second = pair.first, pair.second
    alone = first.allele.score(sample.seen)
    if second is None:
        return alone - _wobbles_at_reference(definition, sample, first, {0})
    total = alone + second.allele.score(sample.seen)
    if not first.allele.wobbles and not second.allele.wobbles:
        return total
    return total - min(_deduction(definition, sample, pair, side) for side in orientations(sample, pair))


def _deduction(definition: GeneDefinition, sample: Strands, pair: Pair, side: int) -> int:
    first, second = pair.first, pair.second
    other = side ^ sample.whole
    if second is None:
        return 0
    if first.number == second.number:
        sides_first, sides_second = {side}, {other}
    else:
        sides_first = _considered(sample, first, side, other)
        sides_second = _considered(sample, second, other, side)
    return _wobbles_at_reference(definition, sample, first, sides_first) + _wobbles_at_reference(
        definition, sample, second, sides_second
    )


def _considered(sample: Strands, candidate: Candidate, own: int, other: int) -> set[int]:
    """The strands whose bases decide about an allele's wobbles: its own, and the other one too where it fits both."""
    fits_both = bool(sample.units) and candidate.zero & candidate.one == sample.whole
    return {own, other} if fits_both else {own}


def _wobbles_at_reference(definition: GeneDefinition, sample: Strands, candidate: Candidate, sides: set[int]) -> int:
    """Number of wobble cells at which all considered strands show the VCF reference base."""
    wobbles = [position for position in candidate.allele.wobbles if sample.seen >> position & 1]
    if not wobbles:
        return 0
    shown = [sample.bases(side) for side in sides]
    references = definition.references
    return sum(all(bases.get(p, references[p]) == references[p] for bases in shown) for p in wobbles)
