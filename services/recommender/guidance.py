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
from services.recommender import confidence, tables
from services.recommender.conflicts import Advice, Subject, conflicts, may_conflict, subject
from services.recommender.evidence import Evidence
from services.recommender.keys import State, states
from services.recommender.rows import KEPT, Place, Row, Rows, completed
from services.recommender.tables import Asked

Combination = tuple[State, ...]
"""The states that met a row together; genes without a result have none."""


class Guidance:
    """The guideline rows of one release, prepared once and asked for each patient."""

    def __init__(self, release: Release) -> None:
        self._genes = release.genes
        self._tables = tables.build(release.rules, release.genes)
        self._genotypes = tables.genotypes(table for of_genes in self._tables.values() for table in of_genes)
        self._rows = Rows(release)
        self._curated = confidence.curated(release.genes)
        self._doubts = confidence.about_genes(release.doubts)
        self._asked = lru_cache(maxsize=KEPT)(self._ask)

    def recommend(self, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype]) -> tuple[Recommendation, ...]:
        """The patient's recommendations, by priority, drug, source, population and keys."""
        of_genes = states(self._genes, self._genotypes, phenotypes)
        evidence = Evidence(self._genes, self._curated, self._doubts, genotypes, of_genes)
        met = self._met(of_genes)
        against = _conflicts(met.values())
        in_order = sorted(met.values(), key=lambda item: item[0].order)
        return tuple(_complete(row, combined, evidence, against.get(row.place, ())) for row, combined in in_order)

    def _met(self, of_genes: Mapping[str, Sequence[State]]) -> dict[Place, tuple[Row, list[Combination]]]:
        """The rows that the patient's states meet, each with every combination of states that met it."""
        met: dict[Place, tuple[Row, list[Combination]]] = {}
        for genes in self._tables:
            if any(gene in of_genes for gene in genes):
                for combination in product(*(of_genes.get(gene, (None,)) for gene in genes)):
                    present = tuple(state for state in combination if state is not None)
                    asked = tuple(state.keys if state is not None else None for state in combination)
                    for row in self._asked(genes, asked):
                        met.setdefault(row.place, (row, []))[1].append(present)
        return met

    def _ask(self, genes: tuple[str, ...], asked: Asked) -> tuple[Row, ...]:
        return tuple(self._rows.row(hit.rule, hit.keys) for table in self._tables[genes] for hit in table.hits(asked))


def _complete(
    row: Row, combinations: Sequence[Combination], evidence: Evidence, against: tuple[str, ...]
) -> Recommendation:
    every = combinations[0]
    if len(combinations) > 1:
        every = tuple(dict.fromkeys(state for combination in combinations for state in combination))
    behind = evidence.behind(every)
    reasons = behind.reasons
    if row.doubts:
        reasons += evidence.doubted(row.doubts, every)
    reasons += row.reasons
    return completed(
        row.advice,
        confidence=confidence.REDUCED if reasons else confidence.HIGH,
        confidence_reasons=reasons,
        conflict=against,
        diplotypes=behind.diplotypes,
        results=behind.results,
        preliminary=behind.preliminary,
    )


def _conflicts(met: Iterable[tuple[Row, Sequence[Combination]]]) -> dict[Place, tuple[str, ...]]:
    """For each recommendation that another source's contradicts: the rules of these."""
    by_drug: dict[str, list[tuple[Row, Sequence[Combination]]]] = defaultdict(list)
    for item in met:
        if item[0].contested:
            by_drug[item[0].rule.drug].append(item)
    found: dict[Place, tuple[str, ...]] = {}
    for of_drug in by_drug.values():
        if may_conflict([row.stances for row, _ in of_drug]):
            advice = [Advice(row.rule, row.stances, _subjects(row, combined)) for row, combined in of_drug]
            for index, others in conflicts(advice).items():
                found[of_drug[index][0].place] = tuple(sorted({advice[other].rule.id for other in others}))
    return found


def _subjects(row: Row, combinations: Sequence[Combination]) -> tuple[Subject, ...]:
    return tuple(subject(combination, row.advice.genes) for combination in combinations)


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
