"""Laboratory results of named diplotypes, taken through the genotyper and the phenotyper themselves."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from knowledge.model import Gene, Ploidy
from knowledge.once import once
from knowledge.release import Release
from schemas.cloudevents import Event, derived_id
from schemas.lab_result import parse_object
from schemas.phenotype import PhenotypeAssigned
from schemas.topics import GENOTYPE, LAB_RESULT, PHENOTYPE
from services.genotyper.handler import Genotyper
from services.phenotyper.handler import Phenotyper

TIME = "2026-03-01T09:30:00Z"


def lab_result(
    diplotypes: Mapping[str, str],
    written_with: Release,
    *,
    patient: str = "p-1",
    tenant: str = "mercy",
    laboratory: str = "acme-genomics",
    accession: str | None = None,
    version: int = 1,
    status: str = "final",
    day: int = 1,
) -> dict[str, Any]:
    """What a laboratory publishes: rows at the positions of a release, calls where a gene has no definition.

    Without an accession each patient has one of its own.
    """
    rows: list[dict[str, Any]] = []
    reported: list[dict[str, str]] = []
    for symbol, diplotype in sorted(diplotypes.items()):
        gene = written_with.genes[symbol]
        if gene.definition.positions and symbol != "CYP2D6":
            rows += rows_of(gene, diplotype.split("/"))
        else:
            reported.append({"gene": symbol, "diplotype": diplotype})
    return {
        "tenant": tenant, "patient": patient, "laboratory": laboratory,
        "accession": accession or f"ACC-{patient}", "status": status,
        "version": version, "issued": f"2026-03-{day:02}T09:30:00Z", "assembly": "GRCh38", "sex": "female",
        "genotypes": rows, "reported": reported,
    }  # fmt: skip


def rows_of(gene: Gene, alleles: Sequence[str]) -> list[dict[str, Any]]:
    """A row for every position of a gene, unphased; with one allele where it is mitochondrial."""
    named = {allele.name: allele.calls for allele in gene.definition.alleles}
    reference = named[gene.definition.reference or ""]
    rows = []
    for column, position in enumerate(gene.definition.positions):
        bases = [position.ref, *position.alts]
        strands = [(named[name].get(column) or reference.get(column) or (position.ref,))[0] for name in alleles]
        entries = sorted(map(bases.index, strands))
        gt = "/".join(map(str, entries[:1] if gene.ploidy is Ploidy.MITOCHONDRIAL else entries))
        row = {"chrom": gene.chromosome, "pos": position.pos, "ref": position.ref, "alt": list(position.alts), "gt": gt}
        rows.append(row)
    return rows


def phenotyped(result: Mapping[str, Any], release: Release) -> Event[PhenotypeAssigned]:
    """The phenotype event of a laboratory result that is called under a release."""
    genotyper, phenotyper = _stages(release)
    name = hashlib.sha256(orjson.dumps(result)).hexdigest()
    came = Event(name[:32], f"/{result['laboratory']}", LAB_RESULT.name, TIME, parse_object(dict(result)), name)
    called = genotyper.handle(came)
    id_ = derived_id(came, "genotyper", release.id, 1)
    known = Event(id_, "/pgx/genotyper", GENOTYPE.name, TIME, called, name)
    assigned = phenotyper.handle(known)
    return Event(
        derived_id(known, "phenotyper", release.id, 1), "/pgx/phenotyper", PHENOTYPE.name, TIME, assigned, name
    )


@once
def _stages(release: Release) -> tuple[Genotyper, Phenotyper]:
    return Genotyper(lambda _: release), Phenotyper(lambda _: release)
