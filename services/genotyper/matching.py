"""Named-allele matching: which pairs of named alleles explain both strands of a sample completely.

Specification: sections "Missing positions" to "Form diplotypes". Definitions are filled up from the reference allele,
so an allele fixes its whole strand (but for wobbles), and the partner strand is the complement: pairs are found
without enumerating strands.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.genotyper.definition import GeneDefinition, NamedAllele
from services.genotyper.strands import Strands


class Candidate(NamedTuple):
    """A named allele that fits at least one possible strand."""

    number: int
    """Which allele of the definition; in name order."""
    allele: NamedAllele
    zero: int
    """Units of which it can show side 0, as bits."""
    one: int
    """Units of which it can show side 1."""

    @property
    def single_strand(self) -> bool:
        """Whether it fits exactly one strand."""
        return not self.zero & self.one


class Pair(NamedTuple):
    """Two alleles on complementary strands; ``second`` is None for a haploid sample."""

    first: Candidate
    second: Candidate | None


def callable_alleles(definition: GeneDefinition, seen: int) -> tuple[list[int], list[int]]:
    """Indices of the alleles that the seen positions can show, and of those they cannot."""
    if seen == definition.everything:
        return list(range(len(definition.alleles))), []
    can: list[int] = []
    cannot: list[int] = []
    for index, allele in enumerate(definition.alleles):
        (can if allele.core & seen else cannot).append(index)
    return can, cannot


def candidates(
    definition: GeneDefinition, sample: Strands, among: Sequence[int], disregard: int = 0
) -> list[Candidate]:
    """The alleles among the given ones that fit a possible strand, in name order.

    At positions of ``disregard`` every base fits.
    """
    reference_positions = sample.reference_positions & ~disregard
    alleles = definition.alleles
    differs = definition.differs
    found: list[Candidate] = []
    for index in [index for index in among if not differs[index] & reference_positions]:
        fit = _fit(definition, sample, alleles[index], disregard)
        if fit is not None:
            found.append(Candidate(index, alleles[index], *fit))
    return found


def _fit(definition: GeneDefinition, sample: Strands, allele: NamedAllele, disregard: int) -> tuple[int, int] | None:
    for position, base in sample.certain:
        if not disregard >> position & 1 and not definition.accepts(allele, position, base):
            return None
    zero = one = 0
    for number, unit in enumerate(sample.units):
        fits_zero = fits_one = True
        for position, first, second in unit:
            if disregard >> position & 1:
                continue
            fits_zero = fits_zero and definition.accepts(allele, position, first)
            fits_one = fits_one and definition.accepts(allele, position, second)
        if not fits_zero and not fits_one:
            return None
        zero |= fits_zero << number
        one |= fits_one << number
    return zero, one


def pairs(sample: Strands, found: Sequence[Candidate], one_copy: bool = False) -> list[Pair]:
    """All pairs of candidates that explain the sample, in name order.

    With one possible strand a single candidate stands on both copies (or alone where there is one copy); several
    candidates give all their pairs. So does the reference implementation for a haploid sample too, where the alleles
    cannot be told apart; genes that have ``one_copy`` in everybody never get pairs.
    """
    if not sample.units:
        if one_copy or (sample.haploid and len(found) == 1):
            return [Pair(candidate, None) for candidate in found]
        return [Pair(first, second) for i, first in enumerate(found) for second in found[i:]]
    whole = sample.whole
    return [
        Pair(first, second)
        for i, first in enumerate(found)
        for second in found[i:]
        if (first.zero & second.one | first.one & second.zero) == whole
    ]


def orientations(sample: Strands, pair: Pair) -> list[int]:
    """Every strand that the pair's first allele can stand on while the second stands on the complement."""
    first, second = pair.first, pair.second
    if second is None:
        return [0]
    sides = [0]
    for number in range(len(sample.units)):
        bit = 1 << number
        zero = bool(first.zero & bit and second.one & bit)
        one = bool(first.one & bit and second.zero & bit)
        sides = [side | extra for side in sides for extra in ([0] if zero else []) + ([bit] if one else [])]
    return sides
