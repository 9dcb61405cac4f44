"""Genes of which the worst alleles count: every variant is listed where phase is unknown.

Specification: "DPYD - matching" and "RYR1 - matching", paths A to C. A causal variant with a proxy (HapB3) takes no
part in ordinary matching as soon as the sample has a variant at either position; ``proxy`` adds what it contributes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from knowledge import names
from services.genotyper import proxy
from services.genotyper.combinations import StrandMatch, pair_matches, scored, strand_matches, with_alleles
from services.genotyper.definition import GeneDefinition, NamedAllele, ProxyPair
from services.genotyper.limits import MAX_LISTED, TooManyCombinations
from services.genotyper.matching import Candidate, Pair, candidates, orientations, pairs
from services.genotyper.observation import Observation
from services.genotyper.scoring import Scored, score_pairs
from services.genotyper.strands import Strands, strands


class Found(NamedTuple):
    """Diplotypes, or, where phase is unknown, the haplotypes that are there (a homozygous one twice)."""

    diplotypes: tuple[Scored, ...] = ()
    haplotypes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def match(definition: GeneDefinition, observation: Observation, among: Sequence[int]) -> Found:
    """Calls a lowest-function gene. Raises TooManyCombinations."""
    sample = strands(observation, definition.references)
    linked = definition.proxy
    if linked is not None and proxy.has_variant(linked, observation, definition.references):
        among = [index for index in among if index not in linked.alleles]
        ignored = linked.bits
    else:
        linked, ignored = None, 0
    if sample.effectively_phased:
        found = _exact(definition, observation, sample, among, linked)
        if found is not None:
            return found
    if sample.effectively_phased or observation.phase_sets:
        return _combined(definition, sample, among, linked, ignored)
    return _listed(definition, observation, sample, among)


def _exact(
    definition: GeneDefinition,
    observation: Observation,
    sample: Strands,
    among: Sequence[int],
    linked: ProxyPair | None,
) -> Found | None:
    """Path A: each strand is one named allele (and what the proxy rule adds); None where it is not."""
    if linked is None:
        found = pairs(sample, candidates(definition, sample, among))
        return Found(tuple(score_pairs(definition, sample, found))) if found else None
    if proxy.half_called(linked, observation):
        others = any(not linked.bits >> site.position & 1 for site in observation.sites)
        if others:
            return None
        reference = StrandMatch((), (), definition.alleles[definition.reference].score(sample.seen))
        pairings = [(reference, reference, 0)]
    else:
        found = pairs(sample, candidates(definition, sample, among, disregard=linked.bits))
        pairings = _pairings(definition, sample, found)
    return _with_proxy(definition, sample, linked, pairings) if pairings else None


def _pairings(
    definition: GeneDefinition, sample: Strands, found: Sequence[Pair]
) -> list[tuple[StrandMatch, StrandMatch, int]]:
    """Both strands' alleles with the side that the first one is on."""

    def on_strand(candidate: Candidate) -> StrandMatch:
        alleles = () if candidate.number == definition.reference else (candidate.number,)
        return StrandMatch(alleles, (), candidate.allele.score(sample.seen))

    return [
        (on_strand(pair.first), on_strand(pair.second or pair.first), side)
        for pair in found
        for side in orientations(sample, pair)
    ]


def _with_proxy(
    definition: GeneDefinition,
    sample: Strands,
    linked: ProxyPair,
    pairings: Sequence[tuple[StrandMatch, StrandMatch, int]],
) -> Found:
    warnings: list[str] = []
    merged = []
    for first, second, side in pairings:
        both = []
        for strand, on in ((first, side), (second, side ^ sample.whole)):
            contribution = proxy.on_strand(linked, definition, sample, on)
            warnings += contribution.warnings
            both.append(with_alleles(strand, contribution.alleles, contribution.score))
        merged.append((both[0], both[1]))
    unique = tuple(dict.fromkeys(scored(definition, merged)))
    return Found(unique, warnings=tuple(dict.fromkeys(warnings)))


def _combined(
    definition: GeneDefinition, sample: Strands, among: Sequence[int], linked: ProxyPair | None, ignored: int
) -> Found:
    """Path B: combinations on every possible strand."""
    if sample.listed > MAX_LISTED:
        raise TooManyCombinations
    warnings: list[str] = []
    by_side: dict[int, list[StrandMatch]] = {}
    for side in sample.sides():
        matches = strand_matches(definition, sample, side, among, disregard=ignored)
        if linked is not None:
            contribution = proxy.on_strand(linked, definition, sample, side)
            warnings += contribution.warnings
            matches = [with_alleles(each, contribution.alleles, contribution.score) for each in matches]
        by_side[side] = matches
    return Found(tuple(scored(definition, pair_matches(sample, by_side))), warnings=tuple(dict.fromkeys(warnings)))


def _listed(definition: GeneDefinition, observation: Observation, sample: Strands, among: Sequence[int]) -> Found:
    """Path C: which haplotypes are there, whatever the phase."""
    present: list[int] = []
    twice: list[int] = []
    differs, reference_positions = definition.differs_itself, sample.reference_positions
    for index in [index for index in among if not differs[index] & reference_positions]:
        fit = _fits_some_strand(definition.alleles[index], sample)
        if fit is None:
            continue
        present.append(index)
        if fit and index != definition.reference:
            twice.append(index)
    contribution = proxy.by_counts(definition, observation)
    if len(present) + len(contribution.alleles) > 2:
        present = [index for index in present if index != definition.reference]
    listed = [definition.alleles[index].printed for index in (*present, *twice, *contribution.alleles)]
    return Found(haplotypes=tuple(sorted(listed, key=names.order)), warnings=contribution.warnings)


def _fits_some_strand(allele: NamedAllele, sample: Strands) -> bool | None:
    """None where the allele's defined cells fit no possible strand; else whether they fit a strand and its
    complement. Of the positions where both strands have the reference this is known."""
    cells = allele.cells
    if any(position in cells and base not in cells[position] for position, base in sample.certain):
        return None
    both = True
    for unit in sample.units:
        shown = [(cells[p], first, second) for p, first, second in unit if p in cells]
        zero = all(first in cell for cell, first, _ in shown)
        one = all(second in cell for cell, _, second in shown)
        if not zero and not one:
            return None
        both = both and zero and one
    return both
