"""Whole-panel patients, drawn at random from the alleles of a release."""

import random

from knowledge.model import Gene, Ploidy
from knowledge.release import Release
from schemas.genotype import CallStatus, Diplotype, GeneCall
from schemas.phenotype import Phenotype, ResultNote
from services.phenotyper.assignment import assign

Patient = tuple[tuple[GeneCall, ...], tuple[Phenotype, ...]]


def patient(release: Release, seed: int) -> Patient:
    """Every gene of the release called, with the laboratory's result behind it."""
    draw = random.Random(seed)
    calls = tuple(_call(gene, draw) for gene in release.genes.values())
    note = ResultNote(
        laboratory="bench", accession=f"B-{seed}", issued="2026-11-23T10:00:00Z", status="final", version=1
    )
    phenotypes = tuple(p.model_copy(update={"result": note}) for p in assign(release, calls))
    return calls, phenotypes


def _call(gene: Gene, draw: random.Random) -> GeneCall:
    names = [allele.name for allele in gene.definition.alleles if allele.function] or ["*1"]
    if not gene.definition.reference:
        names = [allele.name for allele in gene.definition.alleles] + ["*07:02", "*35:01"]
    alleles = tuple(draw.choices(names, k=1 if gene.ploidy is Ploidy.MITOCHONDRIAL else 2))
    return GeneCall(
        gene=gene.symbol,
        status=CallStatus.CALLED,
        source="matched",
        diplotypes=(Diplotype(label="/".join(alleles), alleles=alleles),),
        haplotypes=alleles,
    )
