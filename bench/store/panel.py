"""Whole-panel phenotype events of invented patients: every gene of a release called, alleles drawn at random.

Rare alleles are as frequent as common ones, so that the events differ more and carry more advice than real ones.
"""

import hashlib
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from knowledge.model import Gene, Ploidy
from knowledge.release import Release
from schemas.cloudevents import Event
from schemas.genotype import CallStatus, Diplotype, GeneCall, GenotypeCalled, KnowledgeRef, ObservedGene
from schemas.lab_result import ResultRef, Sex, Status
from schemas.phenotype import PhenotypeAssigned, ResultNote
from schemas.topics import PHENOTYPE
from services.phenotyper.assignment import Assignment

_ISSUED = datetime(2026, 3, 1, tzinfo=UTC)
_HETEROZYGOUS = 0.02


def events(release: Release, count: int, seed: int, version: int = 1) -> Iterator[Event[PhenotypeAssigned]]:
    """One event for each of ``count`` patients; ``version`` above 1 corrects the one before."""
    chance = random.Random(seed)
    assignment = Assignment(release)
    for number in range(count):
        genotypes = tuple(_call(gene, chance) for gene in release.genes.values())
        observed = {gene.symbol: _observed(gene, chance) for gene in release.genes.values()}
        content = hashlib.sha256(f"{seed}/{number}/{version}".encode()).hexdigest()
        result = ResultRef(
            laboratory="bench", accession=f"ACC-{number}", status=Status.FINAL if version == 1 else Status.CORRECTED,
            version=version, issued=_ISSUED, sex=Sex.FEMALE, event_source="/bench/lab", event_id=content[:32],
            sha256=content,
        )  # fmt: skip
        called = GenotypeCalled(
            tenant="bench", patient=f"p-{number}", result=result, software="0.1.0", genotypes=genotypes,
            knowledge=KnowledgeRef(release=release.id, sha256=release.sha256), observed=observed,
        )  # fmt: skip
        note = ResultNote.of(result)
        phenotypes = tuple(one.model_copy(update={"result": note}) for one in assignment.assign(genotypes))
        yield Event(
            id=str(uuid.uuid5(uuid.NAMESPACE_OID, content)), source="/pgx/phenotyper", type=PHENOTYPE.name,
            time="2026-03-01T00:00:00Z", data=PhenotypeAssigned(genotype=called, phenotypes=phenotypes), sha256=content,
        )  # fmt: skip


def _call(gene: Gene, chance: random.Random) -> GeneCall:
    copies = 1 if gene.ploidy is Ploidy.MITOCHONDRIAL else 2
    alleles = tuple(chance.choice(gene.definition.alleles).name for _ in range(copies))
    diplotype = Diplotype(label="/".join(alleles), alleles=alleles, score=10)
    return GeneCall(
        gene=gene.symbol, status=CallStatus.CALLED, source="matched", diplotypes=(diplotype,),
        haplotypes=tuple(dict.fromkeys(alleles)),
    )  # fmt: skip


def _observed(gene: Gene, chance: random.Random) -> ObservedGene:
    rows = tuple(
        (position.pos, position.ref, position.alts, "0/1", None)
        for position in gene.definition.positions
        if chance.random() < _HETEROZYGOUS
    )
    return ObservedGene(reference_gt="0/0", rows=rows)
