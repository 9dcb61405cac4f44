"""Strands that no single named allele explains: combinations of named alleles, and variants outside all of them.

Specification: research feature "combinations". The lowest-function genes use it for strands with several variants.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from knowledge import names
from services.genotyper.definition import GeneDefinition, NamedAllele
from services.genotyper.observation import MISSING
from services.genotyper.scoring import Scored
from services.genotyper.strands import Strands


class StrandMatch(NamedTuple):
    """One reading of one strand. Without alleles it is the reference allele, or partials alone."""

    alleles: tuple[int, ...]
    """Indices of the combined alleles, in name order; never the reference."""
    partials: tuple[tuple[int, str], ...]
    """Variants that no allele of the combination has: position and name, in column order."""
    score: int


def strand_matches(
    definition: GeneDefinition, sample: Strands, side: int, among: Sequence[int], disregard: int = 0
) -> list[StrandMatch]:
    """All readings of one strand. Positions of ``disregard`` count neither for alleles nor as partials."""
    bases = sample.bases(side)
    variant = [p for p, base in sorted(bases.items()) if base != definition.references[p] and not disregard >> p & 1]
    covering = [
        i for i in among if i != definition.reference and _covers(definition, definition.alleles[i], sample, bases)
    ]
    readings = [tuple(covering)] if len(covering) <= 1 else _groups(definition, covering, sample.seen)
    return [_strand_match(definition, sample, reading, bases, variant) for reading in readings]


def _covers(definition: GeneDefinition, allele: NamedAllele, sample: Strands, bases: dict[int, str]) -> bool:
    """Whether all defined cells that were seen fit the strand."""
    references = definition.references
    return all(
        bases.get(position, references[position]) in cell
        for position, cell in allele.cells.items()
        if sample.seen >> position & 1
    )


@dataclass(slots=True)
class _Group:
    members: list[int] = field(default_factory=list)
    core: int = 0


def _groups(definition: GeneDefinition, covering: Sequence[int], seen: int) -> list[tuple[int, ...]]:
    """Combinations of alleles that share no position: the largest first, equals in conflict side by side, subsets
    dropped."""
    alleles = definition.alleles
    size = {i: alleles[i].score(seen) for i in covering}
    groups: list[_Group] = []
    for index in sorted(covering, key=lambda i: (-size[i], alleles[i].name)):
        core = alleles[index].core & seen
        added = subset = False
        for group in groups:
            if not group.core & core:
                group.members.append(index)
                group.core |= core
                added = True
            elif any(size[member] != size[index] for member in group.members if alleles[member].core & core):
                subset = True
        if not added and not subset:
            groups.append(_Group([index], core))
    return [tuple(sorted(group.members)) for group in groups]


def _strand_match(
    definition: GeneDefinition, sample: Strands, reading: tuple[int, ...], bases: dict[int, str], variant: Sequence[int]
) -> StrandMatch:
    core = 0
    for index in reading:
        core |= definition.alleles[index].core
    partials = tuple((p, _partial(definition, p, bases[p])) for p in variant if not core >> p & 1)
    cells = (core & sample.seen) if reading else (definition.alleles[definition.reference].core & sample.seen)
    return StrandMatch(reading, partials, cells.bit_count() - len(partials))


def _partial(definition: GeneDefinition, position: int, base: str) -> str:
    """The name of a variant outside the definitions: genomic HGVS without the sequence, or plain text where there is
    none."""
    site = definition.gene.definition.positions[position]
    if base == MISSING:
        return f"g.{site.pos}?"
    if base in site.alts and len(site.hgvs) == len(site.alts):
        return site.hgvs[site.alts.index(base)].rpartition(":")[2]
    return f"g.{site.pos}{site.ref}>{base}"


def name(definition: GeneDefinition, match: StrandMatch) -> str:
    """What the strand is called: components in name order, then variants by position; the reference is not written."""
    parts = [definition.alleles[i].printed for i in match.alleles] + [partial for _, partial in match.partials]
    return names.join(parts) if parts else definition.alleles[definition.reference].printed


def pair_matches(
    sample: Strands, by_side: dict[int, list[StrandMatch]]
) -> list[tuple[StrandMatch, StrandMatch | None]]:
    """Readings of complementary strands, paired; every pair once."""
    if not sample.units:
        matches = by_side[0]
        if sample.haploid and len(matches) == 1:
            return [(matches[0], None)]
        return [(first, second) for i, first in enumerate(matches) for second in matches[i:]]
    return [
        (first, second)
        for side in sample.sides()
        if side < side ^ sample.whole
        for first in by_side[side]
        for second in by_side[side ^ sample.whole]
    ]


def scored(definition: GeneDefinition, found: Sequence[tuple[StrandMatch, StrandMatch | None]]) -> list[Scored]:
    """The pairs by name and score, best first."""
    diplotypes = []
    for first, second in found:
        matches = [first] if second is None else [first, second]
        labels = sorted((name(definition, match) for match in matches), key=names.order)
        diplotypes.append(Scored(tuple(labels), sum(match.score for match in matches)))
    return sorted(diplotypes, key=lambda each: each.order)


def combine(definition: GeneDefinition, sample: Strands, among: Sequence[int]) -> list[Scored]:
    """All combination calls of a sample."""
    usable = [i for i in among if i not in definition.not_in_combinations]
    by_side = {side: strand_matches(definition, sample, side, usable) for side in sample.sides()}
    return scored(definition, pair_matches(sample, by_side))


def with_alleles(match: StrandMatch, extra: tuple[int, ...], score: int) -> StrandMatch:
    """The same strand with further alleles on it; replaces the bare reference."""
    if not extra:
        return match
    own = match.score if match.alleles or match.partials else 0
    return match._replace(alleles=tuple(sorted((*match.alleles, *extra))), score=own + score)
