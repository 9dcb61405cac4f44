"""Recommendations of a patient: every guideline row that the phenotypes meet, complete and in one fixed order.

Sources stay side by side; where a source has no row for a result it says nothing, and so nothing is put here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product

from knowledge.release import Release
from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from schemas.recommendation import Recommendation
from services.recommender import confidence, rows, tables
from services.recommender.conflicts import Position, conflicts, may_conflict, subject
from services.recommender.evidence import Evidence
from services.recommender.keys import State, states
from services.recommender.rows import Place, Row
from services.recommender.tables import Asked

_KEPT = 16384
"""Answers kept for reuse: more than the combinations of keys that patients have."""

Combination = tuple[State, ...]
"""The states that met a row together; genes without a result have none."""
Met = tuple[Row, list[Combination]]


class Guidance:
    """The guideline rows of one release, prepared once and asked for each patient."""

    def __init__(self, release: Release) -> None:
        self._genes = release.genes
        self._chapters = tables.build(rows.advice(release), release.genes)
        self._genotypes: dict[str, set[str]] = defaultdict(set)
        for chapter in self._chapters.values():
            for gene, genotype in chapter.genotypes():
                self._genotypes[gene].add(genotype)
        self._curated = confidence.curated(release.genes)
        self._doubts = confidence.about_genes(release.doubts)
        self._asked = lru_cache(maxsize=_KEPT)(self._ask)

    def recommend(self, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype]) -> tuple[Recommendation, ...]:
        """The patient's recommendations, by priority, drug, source, population and keys."""
        of_genes = states(self._genes, self._genotypes, phenotypes)
        evidence = Evidence(self._genes, self._curated, self._doubts, genotypes, of_genes)
        met = self._met(of_genes)
        against = _conflicts(met.values())
        in_order = sorted(met.values(), key=_order)
        return tuple(_complete(row, combined, evidence, against.get(row.place, ())) for row, combined in in_order)

    def _met(self, of_genes: Mapping[str, Sequence[State]]) -> dict[Place, Met]:
        """The rows that the patient's states meet, each with every combination of states that met it."""
        met: dict[Place, Met] = {}
        for genes in self._chapters:
            if not of_genes.keys().isdisjoint(genes):
                for combination in product(*(of_genes.get(gene, (None,)) for gene in genes)):
                    present = tuple(state for state in combination if state is not None)
                    for row in self._asked(genes, tuple(state.keys if state else None for state in combination)):
                        if row.place in met:
                            met[row.place][1].append(present)
                        else:
                            met[row.place] = (row, [present])
        return met

    def _ask(self, genes: tuple[str, ...], asked: Asked) -> tuple[Row, ...]:
        return self._chapters[genes].met(asked)


def _order(met: Met) -> rows.Order:
    return met[0].order


def _complete(
    row: Row, combinations: Sequence[Combination], evidence: Evidence, against: tuple[str, ...]
) -> Recommendation:
    every = combinations[0]
    if len(combinations) > 1:
        every = tuple(dict.fromkeys(state for combination in combinations for state in combination))
    behind = evidence.behind(every)
    advice = row.advice
    more = evidence.doubted(advice.doubts, every) + advice.reasons if advice.doubts else advice.reasons
    if not (against or more):
        return row.completed(behind.facts)
    reasons = behind.reasons + more
    sure = {"confidence": confidence.of(reasons), "confidence_reasons": reasons, "conflict": against}
    return row.completed(behind.facts | sure)


def _conflicts(met: Iterable[Met]) -> dict[Place, tuple[str, ...]]:
    """For each recommendation that another source's contradicts: the rules of these."""
    by_drug: dict[str, list[Met]] = defaultdict(list)
    for item in met:
        advice = item[0].advice
        if advice.contested and advice.stances:
            by_drug[advice.rule.drug].append(item)
    found: dict[Place, tuple[str, ...]] = {}
    for of_drug in by_drug.values():
        if len(of_drug) > 1 and may_conflict([row.advice.stances for row, _ in of_drug]):
            positions = [_position(row, combined) for row, combined in of_drug]
            for index, others in conflicts(positions).items():
                found[of_drug[index][0].place] = tuple(sorted({positions[other].rule.id for other in others}))
    return found


def _position(row: Row, combinations: Sequence[Combination]) -> Position:
    about = tuple(subject(combination, row.keys) for combination in combinations)
    return Position(row.advice.rule, row.advice.stances, about)


_PREPARED: dict[str, Guidance] = {}
"""By the release's hash; a process knows a handful of releases."""


def guidance(release: Release) -> Guidance:
    """The release's rows, prepared the first time they are asked for."""
    if release.sha256 not in _PREPARED:
        _PREPARED[release.sha256] = Guidance(release)
    return _PREPARED[release.sha256]


def recommend(
    release: Release, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype]
) -> tuple[Recommendation, ...]:
    """The recommendations of one patient. Same arguments, same result; nothing else enters."""
    return guidance(release).recommend(genotypes, phenotypes)
