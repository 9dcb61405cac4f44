"""The phenotyper's event: phenotypes with the call that they came from, under the call's own release."""

from datetime import UTC, datetime

import pytest

from knowledge.loader import Releases
from schemas.cloudevents import Event
from schemas.errors import Code, Rejected
from schemas.genotype import GeneCall, GenotypeCalled, KnowledgeRef
from schemas.lab_result import ResultRef, Sex, Status
from services.phenotyper.handler import Phenotyper
from tests.support.calls import matched, no_call


def genotyped(*calls: GeneCall, knowledge: KnowledgeRef) -> Event[GenotypeCalled]:
    result = ResultRef(
        laboratory="acme", accession="ACC-1", status=Status.PRELIMINARY, version=3,
        issued=datetime(2026, 11, 23, 10, tzinfo=UTC), sex=Sex.UNKNOWN,
        event_source="/lab", event_id="1", sha256="0" * 64,
    )  # fmt: skip
    data = GenotypeCalled(
        tenant="mercy", patient="p-1", result=result, knowledge=knowledge, software="x", genotypes=calls, observed={}
    )
    return Event(
        id="1", source="/genotyper", type="pgx.genotype.v1", time="2026-11-23T10:00:00Z", data=data, sha256="1" * 64
    )


@pytest.fixture
def knowledge() -> KnowledgeRef:
    return KnowledgeRef(release="2025.11", sha256=Releases().load("2025.11").sha256)


def test_phenotypes_carry_the_call_and_the_result_behind_them(knowledge: KnowledgeRef) -> None:
    event = genotyped(matched("CYP2C19", "*2/*2"), no_call("CYP2D6"), knowledge=knowledge)
    assigned = Phenotyper(Releases().load).handle(event)
    assert assigned.genotype == event.data
    (phenotype,) = assigned.phenotypes
    assert phenotype.result is not None
    assert phenotype.result.model_dump() == {
        "laboratory": "acme", "accession": "ACC-1", "issued": "2026-11-23T10:00:00Z", "status": "preliminary",
        "version": 3,
    }  # fmt: skip


def test_the_same_event_gives_the_same_bytes(knowledge: KnowledgeRef) -> None:
    event = genotyped(matched("CYP2C19", "*2/*2", "*1/*17"), matched("CYP2D6", "*1/*4"), knowledge=knowledge)
    first, second = (Phenotyper(Releases().load).handle(event).model_dump_json() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "unknown", [KnowledgeRef(release="1999.01", sha256="0" * 64), KnowledgeRef(release="2025.11", sha256="0" * 64)]
)
def test_a_release_that_is_not_installed_here_is_refused(unknown: KnowledgeRef) -> None:
    with pytest.raises(Rejected) as rejected:
        Phenotyper(Releases().load).handle(genotyped(knowledge=unknown))
    assert rejected.value.code is Code.UNKNOWN_RELEASE
