"""How far a recommendation can be relied on, and why not further."""

from collections.abc import Iterable, Iterator, Mapping

from knowledge.model import Doubt, Gene, Matching, PhenotypeMethod, Rule
from schemas.genotype import CallStatus, GeneCall
from schemas.lab_result import Status
from schemas.phenotype import Inference
from services.recommender.keys import State

HIGH = "high"
REDUCED = "reduced"
_APPLY_TO_GENETIC_ADVICE = frozenset({"definitions", "functions", "phenotypes", "guidelines", "drugs"})
_NAMED_POSITIONS = 3


def of_call(gene: Gene | None, call: GeneCall | None, state: State, *, several: bool) -> Iterator[str]:
    """Reasons in a gene's call and in how its phenotype came about. ``several``: the gene has other states too."""
    symbol = state.gene
    if several or (call is not None and call.status is CallStatus.AMBIGUOUS):
        yield f"{symbol}: several diplotypes are possible"
    if call is not None:
        yield from _of_positions(gene, call, state)
    phenotype = state.phenotypes[0]
    if phenotype.inference is Inference.SINGLE_VARIANT:
        yield f"{symbol}: no diplotype could be called, known by one variant alone"
    if any(p.warnings for p in state.phenotypes):
        yield f"{symbol}: the reported phenotype or score is not what the reported diplotype or score means"
    if isinstance(phenotype.lookup_key, tuple):
        yield f"{symbol}: reported as a phenotype that stands for several activity scores"
    if gene is not None:
        yield from _of_alleles(gene, state)
    if any(p.result is not None and p.result.status == Status.PRELIMINARY for p in state.phenotypes):
        yield f"{symbol}: the result is preliminary"


def _of_positions(gene: Gene | None, call: GeneCall, state: State) -> Iterator[str]:
    missing = call.missing_positions
    if missing and call.status is not CallStatus.REPORTED:
        named = ", ".join(missing[:_NAMED_POSITIONS]) + (" …" if len(missing) > _NAMED_POSITIONS else "")
        total = f" of {len(gene.definition.positions)}" if gene is not None else ""
        yield f"{state.gene}: {len(missing)}{total} defining positions not assessed ({named})"
    if gene is None:
        return
    unphased = gene.definition.matching is Matching.LOWEST_FUNCTION and not call.diplotypes and call.source == "matched"
    if unphased and sum(name != gene.definition.reference for name in call.haplotypes) > 1:
        yield f"{state.gene}: phase unknown, the variants found are taken as on different strands"
    proxy = gene.definition.proxy
    unseen = proxy is not None and f"{gene.chromosome}:{proxy.causal_pos}" in missing
    if proxy is not None and unseen and proxy.joint_allele in state.phenotypes[0].alleles:
        yield f"{state.gene}: {proxy.joint_allele} is known by its proxy variant alone"
    if call.matched is not None and _differs(call):
        yield f"{state.gene}: the laboratory's call differs from the genotypes of the same result"


def _differs(call: GeneCall) -> bool:
    reported = {tuple(sorted(d.alleles)) for d in call.diplotypes}
    matched = {tuple(sorted(d.alleles)) for d in call.matched.diplotypes} if call.matched else set()
    return bool(reported and matched) and not reported & matched


def _of_alleles(gene: Gene, state: State) -> Iterator[str]:
    alleles = state.phenotypes[0].alleles
    curated = [a.name for a in gene.definition.alleles if a.curator and (a.name in alleles or a.public_name in alleles)]
    if curated:
        yield f"{gene.symbol}: {', '.join(curated)} rests on expert memory that still needs a source"
    if gene.phenotype.method is PhenotypeMethod.ALLELE_PRESENCE and len(alleles) == 1:
        yield f"{gene.symbol}: only one allele is reported"


def of_rule(rule: Rule) -> Iterator[str]:
    if rule.curator:
        yield "part of this row rests on expert memory that still needs a source (see the notes)"


def relevant(doubts: Iterable[Doubt], source: str, drug: str, genes: Iterable[str]) -> tuple[Doubt, ...]:
    """The release's doubts that can lower the confidence of a source's advice on a drug by these genes."""
    of_genes = set(genes)
    return tuple(
        doubt
        for doubt in doubts
        if doubt.lowers_confidence
        and doubt.topic in _APPLY_TO_GENETIC_ADVICE
        and (not doubt.sources or source in doubt.sources)
        and (not doubt.drugs or drug in doubt.drugs)
        and (not doubt.genes or of_genes & set(doubt.genes))
        and (doubt.sources or doubt.drugs or doubt.genes)
    )


def of_doubts(doubts: Iterable[Doubt], states: Mapping[str, State]) -> Iterator[str]:
    """The doubts that apply to the states behind a recommendation."""
    for doubt in doubts:
        if not doubt.genes or any(_applies(doubt, states[gene]) for gene in doubt.genes if gene in states):
            yield doubt.text


def _applies(doubt: Doubt, state: State) -> bool:
    phenotype = state.phenotypes[0]
    asked = (
        (doubt.alleles, phenotype.alleles),
        (doubt.functions, phenotype.functions),
        (doubt.scores, (phenotype.activity_score, *state.keys)),
    )
    return all(not wanted or set(wanted) & set(has) for wanted, has in asked)
