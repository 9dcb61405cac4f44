"""A patient's state as the store or an evaluation would hand it over."""

from dataclasses import dataclass

from schemas.finding import Finding
from schemas.genotype import GeneCall, KnowledgeRef
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import CurrentMedication, DoseEstimate, Recommendation, Silence
from services.phenotyper.assignment import assign
from services.recommender.findings import findings
from services.recommender.guidance import guide
from tests.services.recommender.guidance_cases import release


@dataclass(frozen=True)
class State:
    tenant: str
    patient: str
    sequence: int
    knowledge: KnowledgeRef | None
    genotypes: tuple[GeneCall, ...]
    phenotypes: tuple[Phenotype, ...]
    recommendations: tuple[Recommendation, ...]
    silent: tuple[Silence, ...]
    findings: tuple[Finding, ...]
    results: tuple[ResultNote, ...]
    medications: tuple[CurrentMedication, ...] = ()
    dose_estimates: tuple[DoseEstimate, ...] = ()


def note(accession: str = "ACC-1", status: str = "final") -> ResultNote:
    return ResultNote(laboratory="acme", accession=accession, issued="2026-11-23T10:00:00Z", status=status, version=1)


def state(*calls: GeneCall, results: tuple[ResultNote, ...] = (note(),), patient: str = "p-1") -> State:
    known = release("2026.11")
    behind = results[0] if results else None
    phenotypes = tuple(p.model_copy(update={"result": behind}) for p in assign(known, calls))
    guided = guide(known, calls, phenotypes)
    return State(
        tenant="mercy",
        patient=patient,
        sequence=4,
        knowledge=KnowledgeRef(release=known.id, sha256=known.sha256),
        genotypes=calls,
        phenotypes=phenotypes,
        recommendations=guided.recommendations,
        silent=guided.silent,
        findings=findings(known, calls, phenotypes),
        results=results,
    )
