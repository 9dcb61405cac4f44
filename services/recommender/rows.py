"""Rows of guidelines as recommendations, before anything of the patient but the keys is known."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from knowledge.model import Doubt, Rule
from knowledge.release import Release
from schemas.recommendation import Citation, Recommendation
from services.recommender import confidence, priority, texts
from services.recommender.conflicts import Stance, contested, stances

KEPT = 16384
"""Answers kept for reuse: more than the combinations of keys that patients have."""

Place = tuple[str, tuple[str, ...]]
"""Rule id and the patient's keys, in the order of the genes' symbols: what one recommendation is about."""
Order = tuple[int, str, str, str, tuple[str, ...], tuple[str, ...], str]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A rule met by certain keys."""

    place: Place
    order: Order
    """Where it stands in a list: by priority, drug, source, population, genes and keys."""
    rule: Rule
    advice: Recommendation
    stances: frozenset[Stance]
    reasons: tuple[str, ...]
    """Reasons in the row itself for less confidence."""
    doubts: tuple[Doubt, ...]
    """Doubts about it that depend on what its genes are."""
    contested: bool
    """Whether sources can contradict each other about the drug."""


class Rows:
    """The rules of a release, with all that does not change from patient to patient worked out once."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._advice = {rule.id: self._template(rule) for rule in release.rules}
        self._stances = {rule.id: stances(rule) for rule in release.rules}
        self._contested = contested(release.rules)
        self._doubts = {rule.id: confidence.about_advice(release.doubts, rule) for rule in release.rules}
        self._made = lru_cache(maxsize=KEPT)(self._make)
        self._rules = {rule.id: rule for rule in release.rules}

    def row(self, rule: Rule, keys: tuple[str, ...]) -> Row:
        return self._made(rule.id, keys)

    def _make(self, rule_id: str, keys: tuple[str, ...]) -> Row:
        rule = self._rules[rule_id]
        genes = tuple(sorted(rule.genes))
        advice = completed(self._advice[rule_id], genes=dict(zip(genes, keys, strict=True)))
        return Row(
            place=(rule_id, keys),
            order=(advice.priority, rule.drug, rule.source, rule.population, genes, keys, rule_id),
            rule=rule,
            advice=advice,
            stances=self._stances[rule_id],
            reasons=tuple(confidence.of_rule(rule)),
            doubts=self._doubts[rule_id],
            contested=rule.drug in self._contested,
        )

    def _template(self, rule: Rule) -> Recommendation:
        drug = self._release.drugs.get(rule.drug)
        guideline = self._release.guidelines[rule.guideline]
        return Recommendation(
            drug=rule.drug,
            rxnorm=drug.rxnorm if drug else None,
            atc=drug.atc if drug else (),
            source=rule.source,
            population=rule.population,
            genes={},
            actions=rule.actions,
            dose_change=tuple(change.model_dump() for change in rule.dose_change),
            dose_fixed=tuple(dose.model_dump(exclude_none=True) for dose in rule.dose_fixed),
            dose_limit=tuple(limit.model_dump(exclude_defaults=True) for limit in rule.dose_limit),
            alternatives=rule.alternatives,
            strength=rule.strength,
            implication=rule.implication,
            notes=rule.notes,
            text=texts.text(rule),
            citation=Citation(guideline=guideline.name, url=guideline.url, pmid=guideline.pmid, edition=rule.edition),
            rule=rule.id,
            priority=int(priority.of(rule.actions)),
            confidence=confidence.HIGH,
            confidence_reasons=(),
            conflict=(),
            diplotypes={},
            results=(),
            preliminary=False,
        )


def completed(advice: Recommendation, **facts: Any) -> Recommendation:
    """``advice`` with these facts.

    What ``model_copy`` does, without its copies of what never changes: some hundred times for each patient they would
    cost more than all lookups together.
    """
    made = Recommendation.__new__(Recommendation)
    _set(made, "__dict__", advice.__dict__ | facts)
    _set(made, "__pydantic_fields_set__", advice.__pydantic_fields_set__)
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


_set = object.__setattr__
