"""A patient's state arranged as a clinician reads it: what matters first, then drug by drug, then gene by gene."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.finding import Finding, FindingKind, Significance
from schemas.genotype import CallStatus, GeneCall
from schemas.lab_result import Status
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import Citation, CurrentMedication
from services.report.doses import Dose
from services.report.drugs import Drug, doses_of, drugs_of, silent_alone
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
    drugs, without_advice = drugs_of(facts)
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
        silent=silent_alone(facts),
        genes=tuple(_gene(c, phenotypes[c.gene]) for c in called if phenotypes[c.gene] or _has_call(c)),
        not_called=tuple(_gene(c, []) for c in called if not phenotypes[c.gene] and not _has_call(c)),
        not_assayed=tuple(call.gene for call in facts.genotypes if call.status is CallStatus.NOT_ASSAYED),
        references=_references(drugs, conditions),
        unrecognised=tuple(map(_stated, (one for one in facts.medications if not one.recognised))),
        doses=tuple(d for name, d in doses_of(facts).items() if name not in {drug.name for drug in drugs}),
    )


def _stated(medication: CurrentMedication) -> str:
    codes = {"RxNorm": medication.rxnorm, "ATC": medication.atc}
    return medication.name or ", ".join(f"{system} {code}" for system, code in codes.items() if code)


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
