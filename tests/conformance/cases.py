"""The conformance cases, spelt out as lab results."""

import gzip
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge.loader import Releases
from knowledge.model import Allele, Definition, Gene, Matching, PhenotypeMethod, PhenotypeTable, Ploidy, Position
from knowledge.release import Release
from schemas.lab_result import LabResult, parse_object
from services.genotyper.options import Options, Research

DATA = Path(__file__).parent / "data"
RELEASE = "2025.11"

WOBBLES = {
    "R": "AG", "Y": "CT", "S": "GC", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip

Case = dict[str, Any]


@lru_cache(maxsize=1)
def release() -> Release:
    return Releases().load(RELEASE)


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    return tuple(case for name in ("cases", "differential") for case in _lines(name))


def _lines(name: str) -> Iterator[Case]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def options(case: Case) -> Options:
    asked = case["options"]
    return Options(
        candidates="top" if asked.get("top_candidates_only", True) else "all",
        combinations=asked.get("find_combinations", False),
        research=frozenset({Research.CYP2D6}) if asked.get("cyp2d6_research") else frozenset(),
    )


def rows(case: Case, genes: dict[str, Gene]) -> list[dict[str, Any]]:
    """The case's genotypes as rows of a lab result, in file order."""
    listed: dict[tuple[str, int], list[Case]] = {}
    for genotype in case["genotypes"]:
        listed.setdefault((genotype["chrom"], genotype["pos"]), []).append(genotype)
    whole = case.get("default_reference_genes", [])
    sparse = case.get("default_absent_genes", [])
    found: list[Case] = []
    for symbol in whole + sparse:
        gene = genes[symbol]
        gt = case.get("reference_gt_by_gene", {}).get(symbol, case.get("reference_gt"))
        extra = gene.definition.extra_positions if case["options"].get("use_exemptions", True) else ()
        for position in (*gene.definition.positions, *extra):
            given = listed.get((gene.chromosome, position.pos))
            if given is not None:
                found += [genotype for genotype in given if not genotype.get("absent")]
            elif symbol in whole:
                found.append(
                    {
                        "chrom": gene.chromosome,
                        "pos": position.pos,
                        "ref": position.ref,
                        "alts": position.alts,
                        "gt": gt,
                    }
                )
    if not whole and not sparse:
        found += case["genotypes"]
    return [_row(genotype) for genotype in found + case.get("extra_positions", [])]


def _row(genotype: Case) -> dict[str, Any]:
    row: dict[str, Any] = {
        "chrom": genotype["chrom"], "pos": genotype["pos"], "ref": genotype["ref"],
        "alt": list(genotype["alts"]), "gt": genotype["gt"],
    }  # fmt: skip
    if genotype.get("ps") is not None:
        row["ps"] = genotype["ps"]
    if genotype.get("filter"):
        row["filter"] = genotype["filter"]
    depths = genotype.get("ad")
    if depths and all(depth.isdigit() for depth in depths.split(",")):
        row["ad"] = [int(depth) for depth in depths.split(",")]
    return row


def lab_result(case: Case, genes: dict[str, Gene] | None = None) -> LabResult:
    reported = [
        {
            name: call[name]
            for name in ("gene", "diplotype", "phenotype", "activity_score")
            if call.get(name) is not None
        }
        for call in case.get("outside_calls") or []
    ]
    return parse_object(
        {
            "tenant": "conformance", "patient": "sample", "accession": case["id"][-120:], "laboratory": "reference",
            "status": "final", "version": 1, "issued": "2025-11-19T00:00:00Z", "assembly": "GRCh38",
            "sex": case["sex"] or "unknown", "genotypes": rows(case, genes or dict(release().genes)),
            "reported": reported,
        }
    )  # fmt: skip


def custom_gene(case: Case) -> Gene:
    """The gene that a case defines itself."""
    written = json.loads((DATA / "definitions" / Path(case["definition"]).name).read_text(encoding="utf-8"))
    columns = {str(position["pos"]): index for index, position in enumerate(written["positions"])}
    standard = release().genes.get(written["gene"])
    alleles = [
        Allele(
            name=allele["name"],
            calls={columns[pos]: tuple(WOBBLES.get(base, base)) if len(base) == 1 else (base,)
                   for pos, base in allele["alleles"].items()},
        )
        for allele in written["named_alleles"]
    ]  # fmt: skip
    return Gene(
        symbol=written["gene"],
        chromosome=written["chrom"],
        ploidy=Ploidy.AUTOSOMAL,
        ranking=standard.ranking if standard else None,
        worst_function=standard.worst_function if standard else None,
        definition=Definition(
            positions=tuple(
                Position(pos=p["pos"], ref=p["ref"], alts=tuple(p["alts"]), rsid=p["rsid"])
                for p in written["positions"]
            ),
            alleles=tuple(alleles),
            reference=next(a["name"] for a in written["named_alleles"] if a["reference"]),
            matching=standard.definition.matching if standard else Matching.STANDARD,
            undocumented_as_reference=standard.definition.undocumented_as_reference if standard else False,
            source="PharmCAT 3.1.1 test suite",
            version="test",
        ),
        phenotype=PhenotypeTable(method=PhenotypeMethod.NONE, source="none"),
    )
