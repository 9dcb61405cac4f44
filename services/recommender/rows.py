"""Rows of guidelines as recommendations, before anything of the patient but the keys is known."""

from dataclasses import dataclass
from typing import Any

from knowledge.model import Doubt, Rule
from knowledge.release import Release
from schemas.recommendation import Citation, Recommendation
from services.recommender import confidence, priority, texts
from services.recommender.conflicts import Stance, contested, stances

Place = tuple[str, tuple[str, ...]]
"""Rule id and the patient's keys, in the order of the genes' symbols: what one recommendation is about."""
Order = tuple[int, str, str, str, tuple[str, ...], tuple[str, ...], str]


@dataclass(frozen=True, slots=True, eq=False)
class Advice:
    """A rule with all that is the same for every patient."""

    rule: Rule
    genes: tuple[str, ...]
    """In the order of their symbols."""
    recommendation: Recommendation
    """Without the patient's keys."""
    stances: frozenset[Stance]
    contested: bool
    """Whether sources can contradict each other about the drug."""
    reasons: tuple[str, ...]
    """Reasons in the rule itself for less confidence."""
    doubts: tuple[Doubt, ...]
    """Doubts about it that depend on what its genes are."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A rule met by certain keys."""

    advice: Advice
    place: Place
    order: Order
    """Where it stands in a list: by priority, drug, source, population, genes and keys."""
    keys: dict[str, str]
    """By gene."""

    @classmethod
    def of(cls, advice: Advice, keys: tuple[str, ...]) -> "Row":
        r = advice.recommendation
        order = (r.priority, r.drug, r.source, r.population, advice.genes, keys, r.rule)
        return cls(advice, (r.rule, keys), order, dict(zip(advice.genes, keys, strict=True)))

    def completed(self, facts: dict[str, Any]) -> Recommendation:
        """The recommendation with these facts about the patient.

        What ``model_copy`` does, without its copies of what never changes: some hundred times for each patient they
        would cost more than all lookups together.
        """
        known = self.advice.recommendation
        fields = known.__dict__ | facts
        fields["genes"] = self.keys
        made = _new(Recommendation)
        _set(made, "__dict__", fields)
        _set(made, "__pydantic_fields_set__", known.__pydantic_fields_set__)
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made


_new = object.__new__
_set = object.__setattr__


def advice(release: Release) -> tuple[Advice, ...]:
    """Every rule of a release, in its order."""
    of_drugs = contested(release.rules)
    return tuple(
        Advice(
            rule=rule,
            genes=tuple(sorted(rule.genes)),
            recommendation=_recommendation(release, rule),
            stances=stances(rule),
            contested=rule.drug in of_drugs,
            reasons=tuple(confidence.of_rule(rule)),
            doubts=confidence.about_advice(release.doubts, rule),
        )
        for rule in release.rules
    )


def _recommendation(release: Release, rule: Rule) -> Recommendation:
    drug = release.drugs.get(rule.drug)
    guideline = release.guidelines[rule.guideline]
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
