"""The pipeline as a pure function of (lab result, context, knowledge release): what ``pgx evaluate`` does to a line.

It runs the handlers of the services themselves; only the bus and the store between them are missing.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
from pydantic import Field

from knowledge.release import Release
from schemas import identifiers, strict_json
from schemas.base import Model
from schemas.cloudevents import Event, is_envelope, read_clinical_context, read_lab_result
from schemas.errors import Code, Rejected
from schemas.finding import Finding
from schemas.genotype import GeneCall, GenotypeCalled, KnowledgeRef
from schemas.lab_result import MAX_BYTES, LabResult
from schemas.phenotype import Phenotype
from schemas.recommendation import CurrentMedication, DoseEstimate, Recommendation, Silence
from schemas.serialise import to_json
from schemas.topics import GENOTYPE
from schemas.warning import Warning
from services.genotyper.handler import Genotyper
from services.genotyper.options import Options
from services.phenotyper.handler import Phenotyper
from services.recommender.advice import advise
from services.recommender.context.current import Context, Statement, current


class Stage(StrEnum):
    """How far to go."""

    GENOTYPE = "genotype"
    PHENOTYPE = "phenotype"
    RECOMMENDATION = "recommendation"


class Outcome(NamedTuple):
    """The answer to one line, and whether it was evaluated (else rejected)."""

    line: bytes
    evaluated: bool


class Genotyped(Model):
    """The answer to a lab result, as far as its genotypes."""

    accession: str
    outcome: str = "evaluated"
    knowledge: KnowledgeRef
    genotypes: tuple[GeneCall, ...]
    warnings: tuple[Warning, ...]
    research: tuple[GeneCall, ...] = ()


class Phenotyped(Model):
    """The answer to a lab result, as far as its phenotypes."""

    accession: str
    outcome: str = "evaluated"
    knowledge: KnowledgeRef
    genotypes: tuple[GeneCall, ...]
    phenotypes: tuple[Phenotype, ...]
    warnings: tuple[Warning, ...]
    research: tuple[GeneCall, ...] = ()


class Evaluated(Model):
    """The whole answer to a lab result."""

    accession: str
    outcome: str = "evaluated"
    knowledge: KnowledgeRef
    genotypes: tuple[GeneCall, ...]
    phenotypes: tuple[Phenotype, ...]
    recommendations: tuple[Recommendation, ...]
    silent: tuple[Silence, ...]
    """Where sources that have rows about a drug say nothing about these results."""
    findings: tuple[Finding, ...]
    """What the genes say about inherited conditions, what was found first."""
    warnings: tuple[Warning, ...]
    research: tuple[GeneCall, ...] = ()
    medications: tuple[CurrentMedication, ...] = Field(default=(), exclude_if=lambda taken: not taken)
    """What the patient takes; left out where no context is given."""
    dose_estimates: tuple[DoseEstimate, ...] = Field(default=(), exclude_if=lambda estimates: not estimates)
    """Doses by equations for drugs that no recommendation carries one for."""


Contexts = Mapping[tuple[str, str], Context]
"""By tenant and patient."""


class Evaluator:
    """Evaluates lab results under one release; the same line always gives the same bytes."""

    def __init__(self, release: Release, stage: Stage, options: Options, contexts: Contexts | None = None) -> None:
        self._release = release
        self._contexts = contexts or {}
        self._stage = stage
        self._genotyper = Genotyper(lambda _: release, options)
        self._phenotyper = Phenotyper(lambda _: release)

    def evaluate(self, line: bytes) -> Outcome:
        """The answer to one line; never raises for anything that a line can hold."""
        try:
            return Outcome(to_json(self._evaluation(read_lab_result(line))), True)
        except Rejected as error:
            return Outcome(_rejection(line, error), False)
        except Exception as error:
            # As in the services: what domain code does not survive is an answer about this line, and the others go on.
            failure = Rejected(Code.INTERNAL_ERROR, f"{type(error).__name__} in the domain code; please report it")
            return Outcome(_rejection(line, failure), False)

    def forget(self) -> None:
        """Empties the genotyper's memos, as measurements want it."""
        self._genotyper.forget()

    def _evaluation(self, event: Event[LabResult]) -> Model:
        called = self._genotyper.handle(event)
        answer = Genotyped(
            accession=event.data.accession,
            knowledge=called.knowledge,
            genotypes=called.genotypes,
            warnings=called.warnings,
            research=called.research,
        )
        if self._stage is Stage.GENOTYPE:
            return answer
        # A withdrawn result says nothing about the patient any more: the store leaves it out as well.
        counts = not event.data.status.withdrawn
        assigned = self._phenotyper.handle(_carrying(event, called)).phenotypes if counts else ()
        if self._stage is Stage.PHENOTYPE:
            return Phenotyped(**answer.__dict__, phenotypes=assigned)
        about = self._contexts.get((event.data.tenant, event.data.patient))
        advice = advise(self._release, called.genotypes, assigned, about)
        return Evaluated(
            **answer.__dict__,
            phenotypes=advice.phenotypes,
            recommendations=advice.recommendations,
            silent=advice.silent,
            findings=advice.findings,
            medications=advice.medications,
            dose_estimates=advice.dose_estimates,
        )


def contexts(lines: Iterable[tuple[str, bytes]]) -> Contexts:
    """The contexts that statements (each with its place) come to. Raises ``Rejected`` with the place in its message."""
    said: dict[tuple[str, str], list[Statement]] = {}
    for place, line in lines:
        try:
            statement = Statement.of(read_clinical_context(line))
        except Rejected as error:
            raise Rejected(error.code, f"{place}: {error.message}", error.path) from None
        said.setdefault((statement.said.tenant, statement.said.patient), []).append(statement)
    return {patient: context for patient, of in said.items() if (context := current(of)) is not None}


def _carrying(cause: Event[Any], called: GenotypeCalled) -> Event[GenotypeCalled]:
    """The genotyper's event as the phenotyper's handler looks at it: its data alone."""
    return Event(cause.id, cause.source, GENOTYPE.name, cause.time, called, cause.sha256)


def _rejection(line: bytes, error: Rejected) -> bytes:
    described = {"code": error.code, "message": error.message, "path": error.path}
    return orjson.dumps({"accession": _accession(line), "outcome": "rejected", "error": described})


def _accession(line: bytes) -> str | None:
    """The accession of a line that was rejected for another reason, so that its sender finds it again."""
    try:
        content = strict_json.loads(line, MAX_BYTES)
        content = content["data"] if is_envelope(content) else content
        return identifiers.check(content["accession"], "accession")
    except (Rejected, KeyError, TypeError):
        return None
