"""Whole-panel samples for measurements: every definition position of every gene, two random named alleles each."""

import random
from typing import Any

from knowledge.model import Allele, Gene, Ploidy
from knowledge.release import Release

HEADER = {
    "tenant": "bench", "patient": "p-1", "laboratory": "bench", "status": "final", "version": 1,
    "issued": "2026-01-01T00:00:00Z", "assembly": "GRCh38", "sex": "female",
}  # fmt: skip


def whole_panel(release: Release, seed: int) -> dict[str, Any]:
    """One sample's lab result, unphased; some 1,200 rows."""
    draw = random.Random(seed)
    rows = [row for gene in release.genes.values() if gene.definition.positions for row in gene_rows(gene, draw)]
    return HEADER | {"accession": f"bench-{seed}", "genotypes": rows}


def gene_rows(gene: Gene, draw: random.Random) -> list[dict[str, Any]]:
    """All positions of a gene with two alleles drawn; half of the draws are the commonest allele, as in life."""
    named = [allele for allele in gene.definition.alleles if allele.calls]
    strands = [
        named[1 if gene.symbol == "CYP2C19" else 0] if draw.random() < 0.5 else draw.choice(named) for _ in range(2)
    ]
    rows = []
    for column, position in enumerate(gene.definition.positions):
        alleles = [position.ref, *position.alts]
        entries = sorted(alleles.index(_base(gene, strand, column)) for strand in strands)
        gt = str(entries[0]) if gene.ploidy is Ploidy.MITOCHONDRIAL else f"{entries[0]}/{entries[1]}"
        rows.append(
            {
                "chrom": gene.chromosome, "pos": position.pos, "id": position.rsid or ".", "ref": position.ref,
                "alt": list(position.alts), "gt": gt,
            }
        )  # fmt: skip
    return rows


def _base(gene: Gene, allele: Allele, column: int) -> str:
    reference = next(a for a in gene.definition.alleles if a.name == gene.definition.reference)
    bases = allele.calls.get(column) or reference.calls.get(column) or (gene.definition.positions[column].ref,)
    return bases[0]


def heterozygous(gene: Gene, count: int) -> list[dict[str, Any]]:
    """All positions of a gene, the first ``count`` unphased heterozygous."""
    return [
        {
            "chrom": gene.chromosome, "pos": position.pos, "ref": position.ref, "alt": list(position.alts),
            "gt": "0/1" if column < count else "0/0",
        }
        for column, position in enumerate(gene.definition.positions)
    ]  # fmt: skip
