"""Patients made from the keys of guideline rows."""

from collections.abc import Iterable, Mapping
from functools import cache

from knowledge.loader import Releases
from knowledge.model import Gene, PhenotypeMethod, Rule
from knowledge.release import Release
from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from schemas.recommendation import Recommendation
from services.phenotyper.assignment import assign
from services.recommender.guidance import recommend
from tests.support.calls import matched, reported, reported_lines

IDS = ("2025.11", "2026.11")
_RELEASES = Releases()


@cache
def release(release_id: str = "2025.11") -> Release:
    return _RELEASES.load(release_id)


def advise(*calls: GeneCall, release_id: str = "2025.11") -> tuple[Recommendation, ...]:
    """The recommendations of a patient with these calls."""
    known = release(release_id)
    return recommend(known, calls, assign(known, calls))


def only(
    recommendations: Iterable[Recommendation], drug: str, source: str, population: str = "general"
) -> Recommendation:
    """The one recommendation of a source on a drug for a population."""
    (found,) = [r for r in recommendations if (r.drug, r.source, r.population) == (drug, source, population)]
    return found


def patient_with(known: Release, source: str, keys: Mapping[str, str]) -> tuple[list[GeneCall], list[Phenotype]]:
    """A patient whose genes have these keys of a source's tables."""
    calls: list[GeneCall] = []
    extra: list[Phenotype] = []
    for gene, key in keys.items():
        if key == "No Result":
            continue
        if gene in known.genes:
            calls.append(_call(known.genes[gene], source, key))
        else:
            alleles = tuple(key.split("/")) if "/" in key else ()
            lookup = None if alleles else key
            extra.append(
                Phenotype(
                    gene=gene, diplotype=None, alleles=alleles, functions=(None,) * len(alleles), phenotype=lookup,
                    lookup_key=lookup,
                )
            )  # fmt: skip
    return calls, [*assign(known, calls), *extra]


def _call(gene: Gene, source: str, key: str) -> GeneCall:
    names = {allele.name for allele in gene.definition.alleles}
    if all(name in names for name in key.split("/")):
        return matched(gene.symbol, key)
    if " and " in key:
        risks = [f"{digits[:2]}:{digits[2:]}" for digits in key.split(" and ")]
        return reported_lines(gene.symbol, *((None, f"*{risk} positive", None) for risk in risks))
    if key.startswith("any"):
        return reported(gene.symbol, score="2.0") if gene.phenotype.bins else reported(gene.symbol, phenotype="n/a")
    if gene.phenotype.method is PhenotypeMethod.ACTIVITY_SCORE:
        return reported(gene.symbol, score=key if source != "FDA" else score_of(gene, key))
    return reported(gene.symbol, phenotype=key)


def score_of(gene: Gene, phenotype: str) -> str:
    """A score that means this phenotype."""
    bin_ = next(bin_ for bin_ in gene.phenotype.bins if bin_.phenotype == phenotype)
    return str(bin_.minimum if bin_.minimum_included else bin_.minimum + 0.25)


def combinations(rule: Rule) -> list[dict[str, str]]:
    """The combinations of keys that a row is about, one of each key at least."""
    if rule.any_gene:
        return [
            {other: (key if other == gene else "No Result") for other in rule.genes}
            for gene, keys in rule.genes.items()
            for key in keys
        ]
    every: list[dict[str, str]] = [{}]
    for gene, keys in sorted(rule.genes.items()):
        every = [{**so_far, gene: key} for so_far in every for key in keys]
    return every
