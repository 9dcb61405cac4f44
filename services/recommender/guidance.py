"""Recommendations of a patient: every guideline row that the phenotypes meet, complete and in one fixed order.

Sources stay side by side; where a source has no row for a result it says nothing, and so nothing is put here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from knowledge.model import Doubt
from knowledge.release import Release
from schemas.genotype import GeneCall
from schemas.lab_result import Status
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import Citation, Recommendation
from services.recommender import confidence, priority, tables, texts
from services.recommender.conflicts import Advice, Stance, conflicts, stances
from services.recommender.keys import State, states
from services.recommender.tables import Combination

_KEPT = 8192
"""Patient-independent recommendations kept for reuse: more than a release has combinations of keys in use."""

Place = tuple[str, tuple[str, ...]]
"""Rule id and the patient's keys: what one recommendation is about."""


class Guidance:
    """The guideline rows of one release, prepared once and asked for each patient."""

    def __init__(self, release: Release) -> None:
        self._genes = release.genes
        self._release = release
        self._tables = tables.build(release.rules, release.genes)
        self._doubts: dict[str, tuple[Doubt, ...]] = {
            rule.id: confidence.relevant(release.doubts, rule.source, rule.drug, rule.genes) for rule in release.rules
        }
        self._texts = {rule.id: texts.text(rule) for rule in release.rules}
        self._rules = {rule.id: rule for rule in release.rules}
        self._stances: dict[str, frozenset[Stance]] = {rule.id: stances(rule) for rule in release.rules}
        self._row = lru_cache(maxsize=_KEPT)(self._make_row)

    def recommend(self, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype]) -> tuple[Recommendation, ...]:
        """The patient's recommendations, by priority, drug, source, population and keys."""
        of_genes = states(self._genes, phenotypes)
        met: dict[Place, list[Combination]] = defaultdict(list)
        by_drug: dict[str, list[Place]] = defaultdict(list)
        genes: dict[str, tuple[str, ...]] = {}
        for table in self._tables:
            for hit in table.hits(of_genes):
                place = (hit.rule.id, hit.keys)
                if place not in met:
                    by_drug[table.drug].append(place)
                    genes[hit.rule.id] = table.genes
                met[place].append(hit.states)
        against = self._conflicts(by_drug, met, genes)
        reasons = _CallReasons(self._release, genotypes, of_genes)
        found = [
            self._recommendation(place, genes[place[0]], met[place], reasons, against.get(place, ())) for place in met
        ]
        return tuple(sorted(found, key=_order))

    def _recommendation(
        self,
        place: Place,
        genes: tuple[str, ...],
        combinations: Sequence[Combination],
        reasons: "_CallReasons",
        against: tuple[str, ...],
    ) -> Recommendation:
        rule_id, keys = place
        row = self._row(rule_id, genes, keys)
        found = list(confidence.of_rule(self._rules[rule_id]))
        behind = list(
            dict.fromkeys(state for combination in combinations for state in combination if state is not None)
        )
        for state in behind:
            found += reasons.of(state)
        if self._doubts[rule_id]:
            for combination in combinations:
                present = {state.gene: state for state in combination if state is not None}
                found += confidence.of_doubts(self._doubts[rule_id], present)
        results = _results(behind)
        return row.model_copy(
            update={
                "confidence": confidence.REDUCED if found else confidence.HIGH,
                "confidence_reasons": tuple(dict.fromkeys(found)),
                "conflict": against,
                "diplotypes": _diplotypes(behind),
                "results": results,
                "preliminary": any(result.status == Status.PRELIMINARY for result in results),
            }
        )

    def _make_row(self, rule_id: str, genes: tuple[str, ...], keys: tuple[str, ...]) -> Recommendation:
        rule = self._rules[rule_id]
        drug = self._release.drugs.get(rule.drug)
        guideline = self._release.guidelines[rule.guideline]
        return Recommendation(
            drug=rule.drug,
            rxnorm=drug.rxnorm if drug else None,
            atc=drug.atc if drug else (),
            source=rule.source,
            population=rule.population,
            genes=dict(zip(genes, keys, strict=True)),
            actions=rule.actions,
            dose_change=tuple(change.model_dump() for change in rule.dose_change),
            dose_fixed=tuple(dose.model_dump(exclude_none=True) for dose in rule.dose_fixed),
            dose_limit=tuple(limit.model_dump(exclude_defaults=True) for limit in rule.dose_limit),
            alternatives=rule.alternatives,
            strength=rule.strength,
            implication=rule.implication,
            notes=rule.notes,
            text=self._texts[rule_id],
            citation=Citation(guideline=guideline.name, url=guideline.url, pmid=guideline.pmid, edition=rule.edition),
            rule=rule.id,
            priority=int(priority.of(rule.actions)),
            confidence=confidence.HIGH,
        )

    def _conflicts(
        self,
        by_drug: Mapping[str, Sequence[Place]],
        met: Mapping[Place, Sequence[Combination]],
        genes: Mapping[str, tuple[str, ...]],
    ) -> dict[Place, tuple[str, ...]]:
        found: dict[Place, tuple[str, ...]] = {}
        for places in by_drug.values():
            if len({self._rules[rule_id].source for rule_id, _ in places}) < 2:
                continue
            advice = [
                Advice(self._rules[rule_id], self._stances[rule_id], tuple(map(_present, met[rule_id, keys])))
                for rule_id, keys in places
            ]
            for index, others in conflicts(advice).items():
                found[places[index]] = tuple(sorted({places[other][0] for other in others}))
        return found


class _CallReasons:
    """Reasons for less confidence in each state, worked out once for a patient."""

    def __init__(
        self, release: Release, genotypes: Sequence[GeneCall], of_genes: Mapping[str, Sequence[State]]
    ) -> None:
        self._genes = release.genes
        self._calls = {call.gene: call for call in genotypes}
        self._states = of_genes
        self._found: dict[int, tuple[str, ...]] = {}

    def of(self, state: State) -> tuple[str, ...]:
        if id(state) not in self._found:
            several = len(self._states[state.gene]) > 1
            call = self._calls.get(state.gene)
            self._found[id(state)] = tuple(
                confidence.of_call(self._genes.get(state.gene), call, state, several=several)
            )
        return self._found[id(state)]


def _present(combination: Combination) -> dict[str, State]:
    return {state.gene: state for state in combination if state is not None}


def _diplotypes(behind: Sequence[State]) -> dict[str, str]:
    named: dict[str, list[str]] = {}
    for state in behind:
        if state.diplotype is not None and state.diplotype not in named.setdefault(state.gene, []):
            named[state.gene].append(state.diplotype)
    return {gene: " or ".join(names) for gene, names in sorted(named.items()) if names}


def _results(behind: Sequence[State]) -> tuple[ResultNote, ...]:
    notes = {p.result for state in behind for p in state.phenotypes if p.result is not None}
    return tuple(sorted(notes, key=lambda note: (note.laboratory, note.accession, note.version, note.issued)))


def _order(recommendation: Recommendation) -> tuple[int, str, str, str, tuple[tuple[str, str], ...], str]:
    genes = tuple(recommendation.genes.items())
    return (
        recommendation.priority,
        recommendation.drug,
        recommendation.source,
        recommendation.population,
        genes,
        recommendation.rule,
    )


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
