"""Rows of guidelines as recommendations, before anything of the patient but the keys is known."""

from dataclasses import dataclass
from typing import Any

from knowledge.identity import rule_id
from knowledge.model import Doubt, Rule
from knowledge.release import Release
from schemas.filled import filled
from schemas.recommendation import Citation, Recommendation
from services.recommender import confidence, priority, texts
from services.recommender.conflicts import Stance, contested, stances


@dataclass(frozen=True, slots=True, eq=False)
class Advice:
    """A rule with all that is the same for every patient."""

    rule: Rule
    genes: tuple[str, ...]
    """In the order of their symbols."""
    recommendation: Recommendation
    """Without the patient's keys and what is named by them."""
    stances: frozenset[Stance]
    contested: bool
    """Whether sources can contradict each other about the drug."""
    reasons: tuple[str, ...]
    """Reasons in the rule itself for less confidence."""
    doubts: tuple[Doubt, ...]
    """Doubts about it that depend on what its genes are."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A rule met by certain keys: what one recommendation is about."""

    advice: Advice
    id: str
    """Made from source, drug, population and the patient's keys alone, so that no regrouping of rows changes it."""
    keys: dict[str, str]
    """By gene."""
    order: str
    fields: dict[str, Any]
    """All that a recommendation says before anything else of the patient is known."""
    disputed: str | None
    """The drug, where other sources can contradict what this says of it."""
    certain: bool
    """Whether nothing in the rule itself lowers confidence, whatever its genes are."""

    @classmethod
    def of(cls, advice: Advice, keys: tuple[str, ...]) -> "Row":
        known = advice.recommendation
        of_genes = dict(zip(advice.genes, keys, strict=True))
        named = rule_id(known.source, known.drug, known.population, {gene: (key,) for gene, key in of_genes.items()})
        fields = known.__dict__ | {"genes": of_genes, "rule": named}
        return cls(
            advice,
            named,
            of_genes,
            order(filled(Recommendation, fields, known.model_fields_set)),
            fields,
            disputed=known.drug if advice.contested and advice.stances else None,
            certain=not (advice.doubts or advice.reasons),
        )

    def completed(self, facts: dict[str, Any]) -> Recommendation:
        """The recommendation with these facts about the patient."""
        return filled(Recommendation, self.fields | facts, self.advice.recommendation.__pydantic_fields_set__)


def order(one: Recommendation) -> str:
    """Where a recommendation stands in a list, as text: by priority, drug, source, population, genes and keys."""
    genes = sorted(one.genes)
    keys = (one.genes[gene] for gene in genes)
    return "\0".join((str(one.priority), one.drug, one.source, one.population, "\1".join(genes), *keys, one.rule))


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
        rule="",
        row=rule.id,
        priority=int(priority.of(rule.actions)),
        confidence=confidence.HIGH,
        confidence_reasons=(),
        conflict=(),
        diplotypes={},
        results=(),
        preliminary=False,
    )
