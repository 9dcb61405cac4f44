"""How far a recommendation can be relied on, and why not further."""

from collections.abc import Iterable, Iterator, Mapping

from knowledge.model import Doubt, Gene, Matching, PhenotypeMethod, Rule
from schemas.genotype import CallStatus, GeneCall
from schemas.phenotype import Inference
from services.recommender.keys import State

HIGH = "high"
REDUCED = "reduced"
_APPLY_TO_GENETIC_ADVICE = frozenset({"definitions", "functions", "phenotypes", "guidelines", "drugs"})
_NAMED_POSITIONS = 3
_PROXY_ONLY = "proxy-only"
"""The genotyper's warning that a causal variant was not seen, only the one that usually goes with it."""

DISCORDANT = "discordant-results"
"""Code of the warning that stands beside a call because of other results."""
CONTRADICTED = "results contradict each other"


def of(reasons: tuple[str, ...]) -> str:
    return REDUCED if reasons else HIGH


def of_call(
    gene: Gene | None, call: GeneCall | None, state: State, *, several: bool, preliminary: bool
) -> Iterator[str]:
    """Reasons in a gene's call and in how its phenotype came about.

    ``several``: the gene has other states too; ``preliminary``: so is a result that it comes from.
    """
    symbol = state.gene
    if several or (call is not None and call.status is CallStatus.AMBIGUOUS):
        yield f"{symbol}: several diplotypes are possible"
    if call is not None:
        yield from _of_positions(gene, call, state)
    phenotype = state.phenotypes[0]
    if phenotype.inference is Inference.SINGLE_VARIANT:
        yield f"{symbol}: no diplotype could be called, known by one variant alone"
    for one in state.phenotypes:
        if one.warnings:
            yield f"{symbol}: the reported phenotype or score is not what the reported diplotype or score means"
            break
    for one in state.phenotypes:
        if one.effective is not None:
            yield from one.effective.reasons
    if phenotype.effective is not None and isinstance(phenotype.effective.lookup_key, tuple):
        yield f"{symbol}: the effective phenotype stands for several activity scores"
    elif isinstance(phenotype.lookup_key, tuple):
        yield f"{symbol}: reported as a phenotype that stands for several activity scores"
    presence = gene is not None and gene.phenotype.method is PhenotypeMethod.ALLELE_PRESENCE
    if presence and len(phenotype.alleles) == 1:
        yield f"{symbol}: only one allele is reported"
    if preliminary:
        yield f"{symbol}: the result is preliminary"
    if call is not None and any(warning.code == DISCORDANT for warning in call.warnings):
        yield f"{symbol}: {CONTRADICTED}"


def _of_positions(gene: Gene | None, call: GeneCall, state: State) -> Iterator[str]:
    missing = call.missing_positions
    if missing and call.status is not CallStatus.REPORTED:
        named = ", ".join(missing[:_NAMED_POSITIONS]) + (" …" if len(missing) > _NAMED_POSITIONS else "")
        total = f" of {len(gene.definition.positions)}" if gene is not None else ""
        yield f"{state.gene}: {len(missing)}{total} defining positions not assessed ({named})"
    if gene is None:
        return
    unphased = gene.definition.matching is Matching.LOWEST_FUNCTION and not call.diplotypes and call.source == "matched"
    if unphased and len({*call.haplotypes} - {gene.definition.reference}) > 1:
        yield f"{state.gene}: phase unknown, the variants found are taken as on different strands"
    proxy = gene.definition.proxy
    if proxy is not None and any(warning.code == _PROXY_ONLY for warning in call.warnings):
        yield f"{state.gene}: {proxy.joint_allele} is known by its proxy variant alone"
    if call.matched is not None and _differs(call):
        yield f"{state.gene}: the laboratory's call differs from the genotypes of the same result"


def _differs(call: GeneCall) -> bool:
    reported = {tuple(sorted(d.alleles)) for d in call.diplotypes}
    matched = {tuple(sorted(d.alleles)) for d in call.matched.diplotypes} if call.matched else set()
    return bool(reported and matched) and not reported & matched


def curated(genes: Mapping[str, Gene]) -> dict[str, frozenset[str]]:
    """By gene: the names of alleles that rest on expert memory."""
    return {
        symbol: frozenset(a.public_name or a.name for a in gene.definition.alleles if a.curator)
        for symbol, gene in genes.items()
    }


def of_curated(names: frozenset[str], state: State) -> Iterator[str]:
    found = sorted(names.intersection(state.phenotypes[0].alleles))
    if found:
        yield f"{state.gene}: {', '.join(found)} rests on expert memory that still needs a source"


def of_rule(rule: Rule) -> Iterator[str]:
    if rule.curator:
        yield "part of this row rests on expert memory that still needs a source (see the notes)"


def about_genes(doubts: Iterable[Doubt]) -> dict[str, tuple[Doubt, ...]]:
    """By gene: the release's doubts that lower the confidence of everything said by it."""
    found: dict[str, tuple[Doubt, ...]] = {}
    for doubt in doubts:
        if _lowers(doubt) and not doubt.sources and not doubt.drugs:
            found |= {gene: (*found.get(gene, ()), doubt) for gene in doubt.genes}
    return found


def about_advice(doubts: Iterable[Doubt], rule: Rule) -> tuple[Doubt, ...]:
    """The release's doubts that lower the confidence of this row, if its genes are as the doubt says."""
    return tuple(
        doubt
        for doubt in doubts
        if _lowers(doubt)
        and (doubt.sources or doubt.drugs)
        and (not doubt.sources or rule.source in doubt.sources)
        and (not doubt.drugs or rule.drug in doubt.drugs)
        and (not doubt.genes or set(doubt.genes) & set(rule.genes))
    )


def _lowers(doubt: Doubt) -> bool:
    return doubt.lowers_confidence and doubt.topic in _APPLY_TO_GENETIC_ADVICE


def applies(doubt: Doubt, states: Iterable[State]) -> bool:
    """Whether one of the states has all the properties that the doubt names."""
    return not doubt.genes or any(_matches(doubt, state) for state in states if state.gene in doubt.genes)


def _matches(doubt: Doubt, state: State) -> bool:
    phenotype = state.phenotypes[0]
    asked: tuple[tuple[tuple[str, ...], tuple[str | None, ...]], ...] = (
        (doubt.alleles, phenotype.alleles),
        (doubt.functions, phenotype.functions),
        (doubt.scores, state.keys.keys),
    )
    return all(not wanted or not set(wanted).isdisjoint(has) for wanted, has in asked)
