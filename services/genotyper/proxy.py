"""What a causal variant and the linked variant used as its proxy contribute to a call.

Specification: "Per-strand HapB3 rule (phased data, table P)" and "Counts rule (unphased, table C)". The joint allele
has both variants; the causal one alone is an allele of its own; the proxy alone, with the causal position seen, is
nothing.
"""

from typing import NamedTuple

from services.genotyper.definition import GeneDefinition, ProxyPair
from services.genotyper.observation import MISSING, Observation, SiteCall
from services.genotyper.strands import Strands

MISMATCH = "proxy-mismatch"
PROXY_ONLY = "proxy-only"
UNCOUNTED = "allele-count"

MESSAGES = {
    MISMATCH: "the proxy variant is there without the causal variant that it stands for; the proxy is not used",
    PROXY_ONLY: "the causal position was not seen; the proxy variant alone decides",
    UNCOUNTED: "half-called genotypes leave open how many copies carry the variant; it is not called",
}
"""Warnings of this rule, by their code."""


class Contribution(NamedTuple):
    """Alleles that the rule adds (indices), the defined cells they explain, and warnings."""

    alleles: tuple[int, ...] = ()
    score: int = 0
    warnings: tuple[str, ...] = ()


def has_variant(linked: ProxyPair, observation: Observation, references: tuple[str, ...]) -> bool:
    """Whether either position shows something other than the reference."""
    return any(
        base not in (None, MISSING, references[site.position])
        for site in observation.sites
        if linked.bits >> site.position & 1
        for base in (site.first, site.second)
    )


def half_called(linked: ProxyPair, observation: Observation) -> bool:
    """Whether either position has a half call."""
    return any(site.half for site in observation.sites if linked.bits >> site.position & 1)


def on_strand(linked: ProxyPair, definition: GeneDefinition, sample: Strands, side: int) -> Contribution:
    """What one strand with known bases carries."""
    bases = sample.bases(side)

    def shows(position: int) -> bool | None:
        if not sample.seen >> position & 1:
            return None
        base = bases.get(position, definition.references[position])
        return None if base == MISSING else base != definition.references[position]

    causal, proxy = shows(linked.causal), shows(linked.proxy)
    if causal:
        return _add(definition, sample.seen, linked.joint_allele if proxy else linked.causal_allele)
    if not proxy:
        return Contribution()
    if causal is None:
        added = _add(definition, sample.seen, linked.joint_allele)
        return Contribution(added.alleles, added.score, (PROXY_ONLY,))
    return Contribution(warnings=(MISMATCH,))


def _add(definition: GeneDefinition, seen: int, allele: int) -> Contribution:
    return Contribution((allele,), definition.alleles[allele].score(seen))


def by_counts(definition: GeneDefinition, observation: Observation) -> Contribution:
    """What both strands together carry where phase is unknown, from the numbers of variant copies."""
    linked = definition.proxy
    if linked is None:
        return Contribution()
    sites = {site.position: site for site in observation.sites}
    if any((site := sites.get(position)) is not None and site.half for position in (linked.causal, linked.proxy)):
        return Contribution(warnings=(UNCOUNTED,))
    causal = _copies(linked.causal, sites, observation.seen, definition.references)
    proxy = _copies(linked.proxy, sites, observation.seen, definition.references)
    if causal is None:
        if proxy is None:
            return Contribution()
        return Contribution((linked.joint_allele,) * proxy, warnings=(PROXY_ONLY,))
    if proxy is None:
        return Contribution((linked.causal_allele,) * causal)
    joint = min(causal, proxy)
    alleles = (linked.joint_allele,) * joint + (linked.causal_allele,) * (causal - joint)
    return Contribution(alleles, warnings=(MISMATCH,) if proxy > causal else ())


def _copies(position: int, sites: dict[int, SiteCall], seen: int, references: tuple[str, ...]) -> int | None:
    """Number of strands with a variant at the position; None where it was not seen."""
    if not seen >> position & 1:
        return None
    site = sites.get(position)
    return 0 if site is None else sum(base not in (None, references[position]) for base in (site.first, site.second))
