"""Phenotype events as the phenotyper would publish them, from a few words."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

from knowledge.loader import Releases
from knowledge.release import Release
from schemas.cloudevents import Event
from schemas.genotype import CallStatus, Diplotype, GeneCall, GenotypeCalled, KnowledgeRef, ObservedGene
from schemas.lab_result import ResultRef, Sex, Status
from schemas.phenotype import PhenotypeAssigned, ResultNote
from schemas.topics import PHENOTYPE
from services.phenotyper.assignment import assign
from services.recommender.merging import Delivery

_RELEASES = Releases()
_DAY = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

NO_CALL = "no-call"
NOT_ASSAYED = "not-assayed"


@cache
def release(release_id: str) -> Release:
    """A release of the tree by its id."""
    return _RELEASES.load(release_id)


def call(gene: str, diplotype: str, missing: int = 0) -> GeneCall:
    """A matched call of one diplotype (``*1/*2``), or ``no-call``, or ``not-assayed``."""
    if diplotype in (NO_CALL, NOT_ASSAYED):
        reason = "no-match" if diplotype == NO_CALL else None
        return GeneCall(gene=gene, status=CallStatus(diplotype), reason=reason)
    alleles = tuple(diplotype.split("/"))
    return GeneCall(
        gene=gene,
        status=CallStatus.CALLED,
        source="matched",
        diplotypes=(Diplotype(label=diplotype, alleles=alleles, score=10),),
        haplotypes=tuple(dict.fromkeys(alleles)),
        missing_positions=tuple(f"chr10:{94_781_000 + number}" for number in range(missing)),
    )


def assigned(
    calls: Mapping[str, str],
    *,
    patient: str = "p-1",
    tenant: str = "mercy",
    laboratory: str = "acme-genomics",
    accession: str | None = None,
    version: int = 1,
    status: Status = Status.FINAL,
    day: int = 0,
    missing: int = 0,
    knowledge: str = "2025.11",
    event: str | None = None,
) -> Event[PhenotypeAssigned]:
    """The phenotype event of a laboratory result. ``day``: of issue; ``event``: the laboratory's id.

    Without an accession each patient has one of its own, ``ACC-1`` for ``p-1``.
    """
    accession = accession or f"ACC-{patient.removeprefix('p-')}"
    issued = _DAY + timedelta(days=day)
    said = [tenant, patient, laboratory, accession, version, status.value, day, missing, dict(calls)]
    content = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    rules = release(knowledge)
    result = ResultRef(
        laboratory=laboratory, accession=accession, status=status, version=version, issued=issued, sex=Sex.FEMALE,
        event_source=f"/{tenant}/{laboratory}", event_id=event or content[:32], sha256=content,
    )  # fmt: skip
    genotypes = tuple(call(gene, diplotype, missing) for gene, diplotype in sorted(calls.items()))
    note = ResultNote.of(result)
    return Event(
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([result.event_source, result.event_id, content, knowledge]))),
        source="/pgx/phenotyper",
        type=PHENOTYPE.name,
        time="2026-03-01T09:30:00Z",
        data=PhenotypeAssigned(
            genotype=GenotypeCalled(
                tenant=tenant, patient=patient, result=result,
                knowledge=KnowledgeRef(release=rules.id, sha256=rules.sha256), software="0.1.0", genotypes=genotypes,
                observed={gene: ObservedGene(reference_gt="0/0") for gene in sorted(calls)},
            ),
            phenotypes=tuple(
                one.model_copy(update={"result": note}) for one in assign(rules, genotypes)
            ),
        ),
        sha256=content,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )  # fmt: skip


def delivery(calls: Mapping[str, str], **options: object) -> Delivery:
    """The same as a delivery to the merge."""
    return Delivery.of(assigned(calls, **options).data)  # type: ignore[arg-type]
