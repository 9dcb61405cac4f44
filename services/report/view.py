"""A patient's state arranged as a clinician reads it: what matters first, then drug by drug, then gene by gene."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.finding import Finding, FindingKind, Significance
from schemas.genotype import CallStatus, GeneCall
from schemas.lab_result import Status
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import Citation, CurrentMedication, DoseEstimate, Recommendation, Silence
from services.report.doses import Dose, dose
from services.report.facts import Facts

HEADINGS = {
    1: "Avoid or use another drug",
    2: "Change the dose or consider another drug",
    3: "Monitor or take care",
    4: "Nothing to change",
}
TAKES = "What the patient takes now"
NOT_RECOGNISED = "Not recognised, and so not considered in anything below:"
CONDITIONS = "Inherited conditions"
TO_CLARIFY = "Results to be clarified"
NOT_RULED_OUT = "Looked for and not found, which does not rule them out:"
SILENT = "No statement on these results from"
SILENT_ALONE = "No statement on these results"
NOT_CONFIRMED = "The source knows the drug but has nothing for these results; the usual dose is not confirmed by that."
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


@dataclass(frozen=True, slots=True)
class Condition:
    """What one gene says about an inherited condition, or what is to be clarified about results."""

    condition: str
    significance: str
    """In words: ``found``, ``possible``, ``unclear``."""
    because: str
    meaning: str
    care: tuple[str, ...]
    limits: tuple[str, ...]
    doubts: tuple[str, ...]
    preliminary: bool
    references: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class GeneRow:
    """One gene: what was called, what it means, and how sure that is."""

    gene: str
    result: str
    phenotype: str
    origin: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    tenant: str
    patient: str
    sequence: int
    release: str | None
    sha256: str | None
    results: tuple[ResultNote, ...]
    withdrawn: tuple[ResultNote, ...]
    preliminary: bool
    to_clarify: tuple[Condition, ...]
    """Results that contradict each other, or are filed under several patients."""
    conditions: tuple[Condition, ...]
    """Inherited conditions of which something was found, what was found first."""
    conditions_not_found: tuple[str, ...]
    """Conditions that were looked for without a finding, each with its genes; none is ruled out."""
    drugs: tuple[Drug, ...]
    """With advice, by priority and name."""
    without_advice: tuple[str, ...]
    """Drugs about which every source that has the gene says that it gives no advice for this result."""
    silent: tuple[str, ...]
    """Drugs about which nothing else is said than that a source is silent, by source."""
    genes: tuple[GeneRow, ...]
    not_called: tuple[GeneRow, ...]
    not_assayed: tuple[str, ...]
    references: tuple[Citation, ...]
    unrecognised: tuple[str, ...]
    """What the patient takes that the knowledge release does not know, as it was stated."""
    doses: tuple[Dose, ...]
    """Starting doses of drugs about which there is no advice to show them with."""

    @property
    def current(self) -> tuple[Drug, ...]:
        """What the patient takes now, the most pressing first: it is shown before all else."""
        return tuple(drug for drug in self.drugs if drug.current)

    def of_priority(self, priority: int) -> tuple[Drug, ...]:
        """The other drugs of a priority."""
        return tuple(drug for drug in self.drugs if drug.priority == priority and not drug.current)


def view(facts: Facts) -> View:
    """Arranges the facts; nothing is decided here that is not in them."""
    withdrawn = tuple(note for note in facts.results if Status(note.status).withdrawn)
    counted = tuple(note for note in facts.results if note not in withdrawn)
    drugs, without_advice = _drugs(facts)
    called = [call for call in facts.genotypes if call.status is not CallStatus.NOT_ASSAYED]
    phenotypes: dict[str, list[Phenotype]] = defaultdict(list)
    for phenotype in facts.phenotypes:
        phenotypes[phenotype.gene].append(phenotype)
    return View(
        tenant=facts.tenant,
        patient=facts.patient,
        sequence=facts.sequence,
        release=facts.knowledge.release if facts.knowledge else None,
        sha256=facts.knowledge.sha256 if facts.knowledge else None,
        results=counted,
        withdrawn=withdrawn,
        preliminary=any(note.status == Status.PRELIMINARY for note in counted),
        to_clarify=_of_kinds(facts, FindingKind.IDENTITY, FindingKind.DISCORDANCE),
        conditions=(conditions := _of_kinds(facts, FindingKind.CONDITION)),
        conditions_not_found=_not_found(facts),
        drugs=drugs,
        without_advice=without_advice,
        silent=_silent_alone(facts),
        genes=tuple(_gene(c, phenotypes[c.gene]) for c in called if phenotypes[c.gene] or _has_call(c)),
        not_called=tuple(_gene(c, []) for c in called if not phenotypes[c.gene] and not _has_call(c)),
        not_assayed=tuple(call.gene for call in facts.genotypes if call.status is CallStatus.NOT_ASSAYED),
        references=_references(drugs, conditions),
        unrecognised=tuple(map(_stated, (one for one in facts.medications if not one.recognised))),
        doses=tuple(d for name, d in _doses(facts).items() if name not in {drug.name for drug in drugs}),
    )


def _stated(medication: CurrentMedication) -> str:
    codes = {"RxNorm": medication.rxnorm, "ATC": medication.atc}
    return medication.name or ", ".join(f"{system} {code}" for system, code in codes.items() if code)


def _doses(facts: Facts) -> dict[str, Dose]:
    """By drug: with its recommendation, or by itself."""
    carried: Iterable[DoseEstimate | None] = (r.dose_estimate for r in facts.recommendations)
    return {one.drug: dose(one) for one in (*facts.dose_estimates, *carried) if one is not None}


def _of_kinds(facts: Facts, *kinds: FindingKind) -> tuple[Condition, ...]:
    shown = (one for one in facts.findings if one.significance is not Significance.NOT_FOUND)
    return tuple(_condition(one) for one in shown if one.kind in kinds)


def _condition(finding: Finding) -> Condition:
    diplotype = f" ({finding.diplotype})" if finding.diplotype else ""
    because = f"{finding.gene} {finding.phenotype}{diplotype}"
    if finding.kind is not FindingKind.CONDITION:
        because = "; ".join(f"{note.accession} of {note.laboratory}, {note.status}" for note in finding.results)
    return Condition(
        condition=finding.condition,
        significance=finding.significance.value,
        because=because,
        meaning=finding.meaning,
        care=finding.care,
        limits=finding.limits,
        doubts=tuple(reason.removesuffix(".") for reason in finding.confidence_reasons),
        preliminary=finding.preliminary,
        references=tuple(Citation(guideline=r.title, url=r.url, pmid=r.pmid) for r in finding.references),
    )


def _not_found(facts: Facts) -> tuple[str, ...]:
    genes: dict[str, list[str]] = defaultdict(list)
    for finding in facts.findings:
        if finding.significance is Significance.NOT_FOUND:
            genes[finding.condition].append(finding.gene)
    return tuple(f"{condition} ({', '.join(of)})" for condition, of in genes.items())


def _has_call(call: GeneCall) -> bool:
    return bool(call.diplotypes or call.haplotypes) and call.status is not CallStatus.NO_CALL


def _drugs(facts: Facts) -> tuple[tuple[Drug, ...], tuple[str, ...]]:
    by_drug: dict[str, list[Recommendation]] = defaultdict(list)
    for recommendation in facts.recommendations:
        by_drug[recommendation.drug].append(recommendation)
    silent = tuple(sorted(name for name, of in by_drug.items() if all(r.actions == _NO_ADVICE for r in of)))
    doses = _doses(facts)
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


def _silent_alone(facts: Facts) -> tuple[str, ...]:
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


def _gene(call: GeneCall, phenotypes: Sequence[Phenotype]) -> GeneRow:
    labels = [d.label for d in call.diplotypes] or ([" + ".join(call.haplotypes)] if call.haplotypes else [])
    if call.status is CallStatus.NO_CALL:
        labels = []
    return GeneRow(
        gene=call.gene,
        result=" or ".join(labels) or ("as reported" if call.status is CallStatus.REPORTED else "no call"),
        phenotype="; ".join(dict.fromkeys(filter(None, map(_meaning, phenotypes)))),
        origin="reported by the laboratory" if call.source == "reported" else "from genotypes",
        remarks=tuple(_remarks(call, phenotypes)),
    )


def _meaning(phenotype: Phenotype) -> str | None:
    shown = phenotype.term or phenotype.phenotype
    scored = phenotype.activity_score is not None and phenotype.activity_score != shown
    return f"{shown}, score {phenotype.activity_score}" if scored else shown


def _remarks(call: GeneCall, phenotypes: Sequence[Phenotype]) -> Iterable[str]:
    if call.reason:
        yield call.reason.replace("-", " ")
    if call.status is CallStatus.AMBIGUOUS:
        yield "several diplotypes fit equally well"
    for inference in dict.fromkeys(p.inference for p in phenotypes if p.inference):
        yield f"looked up by {inference.description}"
    if call.missing_positions and call.status is not CallStatus.REPORTED:
        number = len(call.missing_positions)
        yield f"{number} defining position{'' if number == 1 else 's'} not assessed"
    yield from dict.fromkeys(warning.message for warning in call.warnings)
    yield from dict.fromkeys(warning.message for p in phenotypes for warning in p.warnings)


def _references(drugs: Sequence[Drug], conditions: Sequence[Condition]) -> tuple[Citation, ...]:
    cited = {entry.citation for drug in drugs for entry in drug.entries}
    cited |= {citation for condition in conditions for citation in condition.references}
    unique = {(c.guideline, c.url): c for c in sorted(cited, key=lambda c: (c.guideline, c.url or "", c.edition or ""))}
    return tuple(unique.values())
