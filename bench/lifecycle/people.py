"""Invented people with whole-panel results, alleles drawn by their frequencies.

Frequencies among Europeans, of a hundred copies: TPMT and NUDT15 from table 1 of PMC7708673 (Semin Hematol 2020,
adapted from the CPIC guideline), there also what all rarer TPMT alleles share; CYP2C19, CYP2B6 and NAT2 from the 1000
Genomes columns of tables 1 and 2 of doi 10.1038/s41598-025-26258-9 (Sci Rep 2025). What a source leaves open goes to
the reference allele. For all other genes no source is used: nine copies of ten are the reference, the rest is shared
evenly; so it is for a tenth of a percent of rarer NUDT15 alleles.
"""

import random
from collections.abc import Iterator
from typing import Any

from knowledge.model import Gene, Matching
from knowledge.release import Release
from tests.support.results import rows_of

TENANT = "bench"

_PERCENT: dict[str, dict[str, float]] = {
    "TPMT": {"*3A": 3.4, "*3C": 0.5, "*2": 0.2},
    "NUDT15": {"*3": 0.2},
    "CYP2C19": {"*2": 14.8, "*17": 22.5},
    "CYP2B6": {"*2": 5.2, "*4": 3.1, "*5": 10.8, "*6": 22.1, "*9": 0.6, "*11": 0.4, "*15": 0.4, "*22": 0.9},
    "NAT2": {"*5": 43.2, "*6": 30.0, "*7": 2.4},
}
_RARE = {"TPMT": 0.6, "NUDT15": 0.1}
_UNKNOWN = 10.0
"""Copies of a hundred that are not the reference, where no source is used."""
_WITH_CONTEXT = 0.1


def results(release: Release, count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Lab results of ``count`` people, one each."""
    draw = random.Random(seed)
    weights = {symbol: _weights(gene) for symbol, gene in release.genes.items()}
    for number in range(count):
        rows: list[dict[str, Any]] = []
        reported: list[dict[str, str]] = []
        for symbol, gene in release.genes.items():
            names, shares = weights[symbol]
            drawn = draw.choices(names, shares, k=2)
            if gene.definition.matching in (Matching.STANDARD, Matching.LOWEST_FUNCTION):
                rows += rows_of(gene, drawn)
            elif gene.definition.matching is Matching.RESEARCH:
                reported.append({"gene": symbol, "diplotype": "/".join(drawn)})
        yield {
            "tenant": TENANT, "patient": f"p-{number}", "laboratory": "bench", "accession": f"A-{number}", "version": 1,
            "status": "final", "issued": "2026-01-01T00:00:00Z", "assembly": "GRCh38", "sex": "female",
            "genotypes": rows, "reported": reported,
        }  # fmt: skip


def statements(release: Release, count: int, seed: int = 2) -> Iterator[dict[str, Any]]:
    """Clinical context of some of them: one or two drugs that there is advice about."""
    draw = random.Random(seed)
    drugs = sorted({rule.drug for rule in release.rules})
    for number in range(count):
        if draw.random() < _WITH_CONTEXT:
            taken = draw.sample(drugs, draw.randint(1, 2))
            started = [{"name": one, "status": "started"} for one in taken]
            yield {
                "tenant": TENANT, "patient": f"p-{number}", "source": "bench", "statement": f"S-{number}",
                "recorded": "2026-01-02T00:00:00Z", "medications": started,
            }  # fmt: skip


def _weights(gene: Gene) -> tuple[list[str], list[float]]:
    names = [one.name for one in gene.definition.alleles if one.calls or not gene.definition.positions]
    reference = gene.definition.reference or names[0]
    known = {name: share for name, share in _PERCENT.get(gene.symbol, {}).items() if name in names}
    others = [name for name in names if name not in known and name != reference]
    open_share = _RARE.get(gene.symbol, 0.0 if gene.symbol in _PERCENT else _UNKNOWN)
    shares = known | dict.fromkeys(others, open_share / max(1, len(others)))
    shares[reference] = 100.0 - sum(shares.values())
    return list(shares), list(shares.values())
