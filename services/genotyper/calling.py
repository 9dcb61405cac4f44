"""One gene's call from what a sample shows: the gates before matching, matching itself, and what becomes of the result.

Specification: "Gate", "Score, sort, select" and "Special genes".
"""

from collections.abc import Sequence
from typing import NamedTuple

from knowledge import names
from knowledge.model import Ploidy
from schemas.filled import unvalidated
from schemas.genotype import CallStatus, Diplotype, GeneCall
from schemas.warning import Warning
from services.genotyper import labels, lowest_function, priorities, proxy
from services.genotyper.combinations import combine
from services.genotyper.definition import GeneDefinition
from services.genotyper.limits import MAX_LISTED, MAX_UNITS, TooManyCombinations
from services.genotyper.matching import callable_alleles, candidates, pairs
from services.genotyper.observation import Observation
from services.genotyper.options import Options
from services.genotyper.scoring import Scored, score_pairs
from services.genotyper.strands import Strands, strands

REASONS = {
    "no-usable-position": "there are rows at the gene's positions, but none can be used",
    "missing-required-position": "a position without which the gene must not be called was not seen",
    "half-call": "one of the two alleles is missing at a position",
    "unexpected-ploidy": "one allele where two were expected",
    "mixed-ploidy": "one allele at some positions and two at others",
    "unequal-copies": "different bases at a position of a gene with one copy (heteroplasmy)",
    "no-match": "no pair of named alleles explains the genotypes",
    "copy-number-needed": "small variants alone cannot call this gene; the laboratory has to report it",
    "too-many-combinations": "phase is unknown at so many positions that the possible strands are not tried",
}
"""Why a gene has no call, by code."""

MESSAGES = {
    "missing-required-position": REASONS["missing-required-position"],
    "unphased-priority": "the data cannot tell several diplotypes apart; by convention this one is reported",
    **proxy.MESSAGES,
}
"""Warnings about a gene, by code."""


class _Found(NamedTuple):
    """What matching says about a gene."""

    diplotypes: Sequence[Scored] = ()
    haplotypes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str | None = None
    best: int | None = None
    """How many of the diplotypes are equally good; None: all."""
    left_out: tuple[int, ...] = ()
    """Alleles that this way of calling cannot show, besides those that the missing positions hide."""


def call_gene(definition: GeneDefinition, observation: Observation, options: Options) -> GeneCall:
    """Calls one gene. Never raises: what cannot be called is a call without diplotypes, with the reason."""
    if not observation.with_row:
        variants = dict(observation.extras)
        return unvalidated(GeneCall, gene=definition.symbol, status=CallStatus.NOT_ASSAYED, observed_variants=variants)
    can, cannot = callable_alleles(definition, observation.seen)
    try:
        found = _match(definition, observation, can, options)
    except TooManyCombinations:
        found = _Found(reason="too-many-combinations")
    return _call(definition, observation, cannot, found)


def _match(definition: GeneDefinition, observation: Observation, can: Sequence[int], options: Options) -> _Found:
    if not observation.seen:
        return _Found(reason="no-usable-position")
    if definition.required & ~observation.seen:
        return _Found(reason="missing-required-position", warnings=("missing-required-position",))
    if (reason := _wrong_ploidy(definition, observation)) is not None:
        return _Found(reason=reason)
    sample = strands(observation, definition.references)
    if len(sample.units) > MAX_UNITS:
        raise TooManyCombinations
    if definition.lowest_function:
        worst = lowest_function.match(definition, observation, can)
        return _Found(worst.diplotypes, worst.haplotypes, worst.warnings)
    if observation.half_called:
        return _combined(definition, sample, can) if options.combinations else _Found(reason="half-call")
    one_copy = definition.gene.ploidy is Ploidy.MITOCHONDRIAL
    found = pairs(sample, candidates(definition, sample, can), one_copy)
    scored = score_pairs(definition, sample, found)
    if not scored:
        return _combined(definition, sample, can) if options.combinations else _Found(reason="no-match")
    if definition.priorities and not sample.effectively_phased:
        picked = priorities.pick(scored, definition.priorities) if len(scored) > 1 else None
        return _Found(scored) if picked is None else _Found([picked], warnings=("unphased-priority",))
    best = 1 if len(scored) == 1 else sum(each.score == scored[0].score for each in scored)
    return _Found(scored if options.candidates == "all" else scored[:best], best=best)


def _wrong_ploidy(definition: GeneDefinition, observation: Observation) -> str | None:
    if observation.unequal_copies:
        return "unequal-copies"
    if not observation.single:
        return None
    if definition.gene.ploidy is Ploidy.AUTOSOMAL:
        return "unexpected-ploidy"
    return None if observation.haploid else "mixed-ploidy"


def _combined(definition: GeneDefinition, sample: Strands, can: Sequence[int]) -> _Found:
    if sample.listed > MAX_LISTED:
        raise TooManyCombinations
    found = combine(definition, sample, can)
    left_out = tuple(definition.not_in_combinations)
    return _Found(found, left_out=left_out) if found else _Found(reason="no-match", left_out=left_out)


def _call(definition: GeneDefinition, observation: Observation, cannot: Sequence[int], found: _Found) -> GeneCall:
    diplotypes = tuple(_printed(definition, each) for each in found.diplotypes)
    listed = found.haplotypes or tuple(
        sorted({allele for each in diplotypes for allele in each.alleles}, key=names.order)
    )
    reason = found.reason if found.reason or diplotypes or found.haplotypes else "no-match"
    gene_warnings = tuple(Warning(code=code, message=MESSAGES[code]) for code in found.warnings)
    return unvalidated(
        GeneCall,
        gene=definition.symbol,
        source="matched",
        status=CallStatus.NO_CALL if reason else _status(found),
        diplotypes=diplotypes,
        haplotypes=listed,
        phased=observation.phased,
        reason=reason,
        missing_positions=missing_positions(definition, observation),
        uncallable_haplotypes=tuple(definition.alleles[index].name for index in sorted({*cannot, *found.left_out})),
        warnings=gene_warnings + observation.warnings,
        observed_variants=observed_variants(definition, observation, called=not reason),
    )


def _status(found: _Found) -> CallStatus:
    equal = len(found.diplotypes) if found.best is None else found.best
    return CallStatus.AMBIGUOUS if equal > 1 else CallStatus.CALLED


def _printed(definition: GeneDefinition, scored: Scored) -> Diplotype:
    printed = definition.printed
    alleles = scored.alleles
    if printed and any(name in printed for name in alleles):
        alleles = tuple(sorted((printed.get(name, name) for name in alleles), key=names.order))
    return labels.diplotype(definition.gene, alleles, scored.score)


def missing_positions(definition: GeneDefinition, observation: Observation) -> tuple[str, ...]:
    """Positions of the definition without a usable genotype."""
    return tuple(definition.locus(position) for position in definition.bits(definition.everything & ~observation.seen))


def observed_variants(definition: GeneDefinition, observation: Observation, called: bool) -> dict[str, str]:
    """Bases of the positions that matter beside the definition: extra ones, and where nothing was called the one that
    still decides."""
    decisive = None if called else _decisive_variant(definition, observation)
    return dict(observation.extras if decisive is None else (*observation.extras, decisive))


def _decisive_variant(definition: GeneDefinition, observation: Observation) -> tuple[str, str] | None:
    """Name and bases of the one variant that still decides where no diplotype matches, if its genotype is complete."""
    single = definition.gene.definition.single_variant
    if single is None:
        return None
    positions = definition.gene.definition.positions
    column = next(i for i, position in enumerate(positions) if position.pos == single.pos)
    if not observation.seen >> column & 1 or observation.single >> column & 1:
        return None
    site = next((site for site in observation.sites if site.position == column), None)
    if site is None:
        bases = f"{positions[column].ref}/{positions[column].ref}"
    elif site.half:
        return None
    else:
        bases = f"{site.first}/{site.second}"
    return (positions[column].rsid or definition.locus(column), bases)
