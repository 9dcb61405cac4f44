"""What sources advise, drug by drug, as a clinician reads it: side by side, the most pressing first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.phenotype import Phenotype
from schemas.recommendation import Citation, DoseEstimate, Recommendation, Silence
from services.report.doses import Dose, dose
from services.report.facts import Facts

_NO_ADVICE = ("no-recommendation",)
_NO_RESULT = "No Result"
_EVERYONE = "general"
_OF_STRENGTH = {"none": ""}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one source says to one or several populations."""

    source: str
    populations: tuple[str, ...]
    """Empty for everyone."""
    because: str
    """The patient's results that it rests on."""
    text: str
    implication: str | None
    strength: str
    priority: int
    doubts: tuple[str, ...]
    against: tuple[str, ...]
    """Sources whose advice on the drug contradicts this."""
    preliminary: bool
    citation: Citation

    @property
    def short(self) -> str:
        """What to do, without the conditions and remarks."""
        return self.text.split(" Note: ")[0]


@dataclass(frozen=True, slots=True)
class Drug:
    """Everything said about one drug, sources side by side, the most pressing first."""

    name: str
    rxnorm: str | None
    atc: tuple[str, ...]
    priority: int
    entries: tuple[Entry, ...]
    silent: tuple[str, ...]
    """Sources that have rows about the drug but say nothing about these results, each with the results."""
    current: bool
    """The patient takes it now."""
    dose: Dose | None
    """A calculated starting dose."""

    @property
    def contradicted(self) -> bool:
        return any(entry.against for entry in self.entries)

    @property
    def doubted(self) -> bool:
        return any(entry.doubts for entry in self.weightiest)

    @property
    def weightiest(self) -> tuple[Entry, ...]:
        """The advice that puts the drug where it stands."""
        return tuple(entry for entry in self.entries if entry.priority == self.priority)


def drugs_of(facts: Facts) -> tuple[tuple[Drug, ...], tuple[str, ...]]:
    """Drugs with advice, by priority and name; and those about which every source says that it gives none."""
    by_drug: dict[str, list[Recommendation]] = defaultdict(list)
    for recommendation in facts.recommendations:
        by_drug[recommendation.drug].append(recommendation)
    silent = tuple(sorted(name for name, of in by_drug.items() if all(r.actions == _NO_ADVICE for r in of)))
    doses = doses_of(facts)
    named = [_drug(name, of, facts, doses.get(name)) for name, of in by_drug.items() if name not in silent]
    return tuple(sorted(named, key=lambda drug: (drug.priority, drug.name))), silent


def _drug(name: str, recommendations: Sequence[Recommendation], facts: Facts, of_drug: Dose | None) -> Drug:
    return Drug(
        name=name,
        rxnorm=recommendations[0].rxnorm,
        atc=recommendations[0].atc,
        priority=min(r.priority for r in recommendations),
        entries=_entries(recommendations, facts.phenotypes),
        silent=_silent(one for one in facts.silent if one.drug == name),
        current=any(r.current_medication for r in recommendations),
        dose=of_drug,
    )


def _silent(silences: Iterable[Silence]) -> tuple[str, ...]:
    results: dict[str, list[str]] = defaultdict(list)
    for one in silences:
        population = "" if one.population == _EVERYONE else f" [{one.population}]"
        results[one.source].append(", ".join(f"{gene} {key}" for gene, key in one.genes.items()) + population)
    return tuple(f"{source}: {'; '.join(of_source)}" for source, of_source in sorted(results.items()))


def silent_alone(facts: Facts) -> tuple[str, ...]:
    """Drugs about which nothing else is said than that a source is silent, by source."""
    advised = {recommendation.drug for recommendation in facts.recommendations}
    drugs: dict[str, list[str]] = defaultdict(list)
    for one in facts.silent:
        if one.drug not in advised and one.drug not in drugs[one.source]:
            drugs[one.source].append(one.drug)
    return tuple(f"{source}: {', '.join(of_source)}" for source, of_source in sorted(drugs.items()) if of_source)


def _entries(recommendations: Sequence[Recommendation], phenotypes: Sequence[Phenotype]) -> tuple[Entry, ...]:
    sources = {r.rule: r.source for r in recommendations}
    same: dict[tuple[object, ...], list[Recommendation]] = defaultdict(list)
    for r in recommendations:
        same[r.source, r.text, r.strength, tuple(r.genes.items()), r.conflict].append(r)
    entries = [_entry(alike, sources, phenotypes) for alike in same.values()]
    return tuple(sorted(entries, key=lambda e: (e.source, e.priority, e.populations, e.because)))


def _entry(alike: Sequence[Recommendation], sources: dict[str, str], phenotypes: Sequence[Phenotype]) -> Entry:
    first = alike[0]
    return Entry(
        source=first.source,
        populations=tuple(r.population for r in alike if r.population != _EVERYONE),
        because="; ".join(_because(gene, key, first, phenotypes) for gene, key in first.genes.items()),
        text=first.text,
        implication=first.implication or None,
        strength=_OF_STRENGTH.get(first.strength, first.strength),
        priority=first.priority,
        doubts=tuple(reason.removesuffix(".") for reason in first.confidence_reasons),
        against=tuple(sorted({sources[rule] for rule in first.conflict if rule in sources})),
        preliminary=first.preliminary,
        citation=first.citation,
    )


def _because(gene: str, key: str, recommendation: Recommendation, phenotypes: Sequence[Phenotype]) -> str:
    """``CYP2D6 score 1.0, Intermediate Metabolizer (*1/*4)``; under other drugs: what it comes to, and why."""
    for one in recommendation.phenoconverted:
        if one.gene == gene:
            diplotype = recommendation.diplotypes.get(gene)
            genetic = " ".join(filter(None, [one.genetic, f"({diplotype})" if diplotype else None]))
            return f"{gene} effectively {key}, as {one.because}; genetically {genetic}"
    if key == _NO_RESULT:
        return f"{gene} not known"
    diplotype = recommendation.diplotypes.get(gene)
    if diplotype is not None and set(key.split("/")) == set(diplotype.split("/")):
        return f"{gene} {key}"
    of_gene = [p for p in phenotypes if p.gene == gene and p.activity_score and p.phenotype]
    scored = next((p for p in of_gene if key in (p.activity_score, p.phenotype)), None)
    meaning = f"score {scored.activity_score}, {scored.phenotype}" if scored and scored.activity_score != "n/a" else key
    return f"{gene} {meaning}" + (f" ({diplotype})" if diplotype else "")


def doses_of(facts: Facts) -> dict[str, Dose]:
    """By drug: with its recommendation, or by itself."""
    carried: Iterable[DoseEstimate | None] = (r.dose_estimate for r in facts.recommendations)
    return {one.drug: dose(one) for one in (*facts.dose_estimates, *carried) if one is not None}
