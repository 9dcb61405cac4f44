"""Recommendations of a patient: every guideline row that the phenotypes meet, complete and in one fixed order.

Sources stay side by side; where a source has no row for a result it says nothing, and so nothing is put in its place:
that it is silent is told apart from the advice.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from knowledge.once import once
from knowledge.release import Release
from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from schemas.recommendation import Recommendation, Silence
from services.recommender import rows, tables
from services.recommender.advised import Advised
from services.recommender.conflicts import Position, conflicts, may_conflict, subject
from services.recommender.evidence import Evidence, Reasons
from services.recommender.keys import NO_RESULT, Keys, Reading, State
from services.recommender.rows import Row
from services.recommender.silence import Silences, Silent, answered, in_order
from services.recommender.tables import Asked

_KEPT = 16384
"""Answers kept for reuse: more than the combinations of keys that patients have."""

Combination = tuple[State, ...]
"""The states that met a row together; genes without a result have none."""
Met = tuple[Row, tuple[Combination, ...]]


@dataclass(frozen=True, slots=True)
class Guided:
    """What the sources say to one patient."""

    advised: tuple[Advised, ...]
    """By priority, drug, source, population and keys."""
    silent: tuple[Silence, ...]
    """By drug, source, population and keys."""

    @property
    def recommendations(self) -> tuple[Recommendation, ...]:
        """What is said, as it is published."""
        return tuple([one.recommendation for one in self.advised])


class _Answer(NamedTuple):
    """What the sources have about certain keys of certain genes."""

    rows: tuple[Row, ...]
    silent: Silent
    spoken: frozenset[str]
    """Places of silences by one of these genes alone that a row answers for."""


class Guidance:
    """The guideline rows of one release, prepared once and asked for each patient."""

    def __init__(self, release: Release) -> None:
        self._chapters = tables.build(rows.advice(release), release.genes)
        self._silences = Silences(release)
        self._order = sorted({*self._chapters, *self._silences.genes})
        genotypes: dict[str, set[str]] = defaultdict(set)
        for chapter in self._chapters.values():
            for gene, genotype in chapter.genotypes():
                genotypes[gene].add(genotype)
        self._reading = Reading(release.genes, genotypes)
        self._reasons = Reasons(release.genes, release.doubts)
        self._asked = lru_cache(maxsize=_KEPT)(self._ask)
        self._certain_conflicts = lru_cache(maxsize=_KEPT)(_certain_conflicts)
        # Some hundred answers are what nearly all patients need: found now, nobody waits for them.
        for genes in self._order:
            for keys in product(*map(self._reading.expected, genes)):
                self._asked(genes, keys)

    def guide(
        self, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype], drugs: Collection[str] | None = None
    ) -> Guided:
        """What the sources say to a patient, and where they are silent: on ``drugs`` alone where they are given."""
        of_genes = self._reading.states(phenotypes)
        evidence = Evidence(self._reasons, genotypes, of_genes)
        met, silent = self._met(of_genes)
        if drugs is not None:
            met = {id_: item for id_, item in met.items() if item[0].advice.rule.drug in drugs}
            silent = {text: one for text, one in silent.items() if one.drug in drugs}
        against = self._conflicts(met, certain=all(len(of_gene) == 1 for of_gene in of_genes.values()))
        ordered = sorted(met.values(), key=_order)
        return Guided(
            tuple([_advised(row, combined, evidence, against.get(row.id, ())) for row, combined in ordered]),
            in_order(silent),
        )

    def _met(self, of_genes: Mapping[str, Sequence[State]]) -> tuple[dict[str, Met], Silent]:
        """The rows that the patient's states meet, each with every combination of states that met it; the silences."""
        met: dict[str, Met] = {}
        silent: Silent = {}
        spoken: set[str] = set()
        for genes in self._order:
            if of_genes.keys().isdisjoint(genes):
                continue
            for combination in product(*(of_genes.get(gene, (None,)) for gene in genes)):
                keys = tuple([state.keys if state else None for state in combination])
                found, without, instead = self._asked(genes, keys)
                silent |= without
                spoken |= instead
                together = (tuple([state for state in combination if state]),)
                for row in found:
                    known = met.get(row.id)
                    met[row.id] = (row, together if known is None else known[1] + together)
        return met, {place: one for place, one in silent.items() if place not in spoken}

    def _ask(self, genes: tuple[str, ...], asked: Asked) -> _Answer:
        found = self._chapters[genes].met(asked) if genes in self._chapters else ()
        return _Answer(found, self._silences.of(genes, asked, found), answered(found))

    def _conflicts(self, met: Mapping[str, Met], *, certain: bool) -> dict[str, tuple[str, ...]]:
        """By recommendation: those of other sources that contradict it.

        Where each gene is one thing only (``certain``), the rows alone decide, the same for everyone who meets them.
        """
        by_drug: dict[str, list[Met]] = defaultdict(list)
        for item in met.values():
            if (drug := item[0].disputed) is not None:
                by_drug[drug].append(item)
        found: dict[str, tuple[str, ...]] = {}
        for of_drug in by_drug.values():
            if len(of_drug) > 1:
                found |= self._certain_conflicts(tuple([row for row, _ in of_drug])) if certain else _conflicts(of_drug)
        return found


def _certain_conflicts(of_drug: tuple[Row, ...]) -> dict[str, tuple[str, ...]]:
    one = {gene: State(gene, (), Keys((), (), None)) for row in of_drug for gene in row.keys}
    with_result = ([one[gene] for gene, key in row.keys.items() if key != NO_RESULT] for row in of_drug)
    return _conflicts([(row, (tuple(states),)) for row, states in zip(of_drug, with_result, strict=True)])


def _conflicts(of_drug: Sequence[Met]) -> dict[str, tuple[str, ...]]:
    """By recommendation on one drug: those of other sources that contradict it."""
    if not may_conflict([row.advice.stances for row, _ in of_drug]):
        return {}
    positions = [_position(row, combinations) for row, combinations in of_drug]
    return {
        of_drug[index][0].id: tuple(sorted({of_drug[other][0].id for other in others}))
        for index, others in conflicts(positions).items()
    }


def _position(row: Row, combinations: Sequence[Combination]) -> Position:
    about = tuple(subject(combination, row.keys) for combination in combinations)
    return Position(row.advice.rule, row.advice.stances, about)


def _order(met: Met) -> str:
    return met[0].order


def _advised(row: Row, combinations: Sequence[Combination], evidence: Evidence, against: tuple[str, ...]) -> Advised:
    every = combinations[0]
    if len(combinations) > 1:
        every = tuple(dict.fromkeys(state for combination in combinations for state in combination))
    behind = evidence.behind(every)
    further = () if row.certain else evidence.doubted(row.advice.doubts, every) + row.advice.reasons
    return Advised(row, behind, behind.reasons + further if further else None, against)


@once
def guidance(release: Release) -> Guidance:
    """The release's rows, prepared the first time they are asked for."""
    return Guidance(release)


def guide(
    release: Release,
    genotypes: Sequence[GeneCall],
    phenotypes: Sequence[Phenotype],
    drugs: Collection[str] | None = None,
) -> Guided:
    """What the sources say to one patient, on ``drugs`` alone where they are given. Nothing else enters."""
    return guidance(release).guide(genotypes, phenotypes, drugs)


def recommend(
    release: Release, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype]
) -> tuple[Recommendation, ...]:
    """The recommendations of one patient alone."""
    return guide(release, genotypes, phenotypes).recommendations
