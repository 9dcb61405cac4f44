"""Rows are judged, strands formed and names ordered as the conformance cases of these levels say."""

import json
from itertools import pairwise
from typing import Any

import pytest

from knowledge import names
from knowledge.model import Allele, Definition, Gene, Matching, PhenotypeMethod, PhenotypeTable, Ploidy, Position
from schemas.errors import Rejected
from services.genotyper.matching import candidates
from services.genotyper.panel import build_panel
from services.genotyper.reading import read
from services.genotyper.strands import strands
from tests.conformance import cases
from tests.conformance.cases import Case


def of_level(level: str) -> dict[str, Case]:
    return {case["id"]: case for case in cases.cases() if case["level"] == level}


READER, PERMUTATIONS, UNIT = of_level("reader"), of_level("permutations"), of_level("unit")


def made_up_gene(genotypes: list[dict[str, Any]], alts: dict[int, list[str]] | None = None) -> Gene:
    """A gene with a position for each genotype and the reference as its only allele."""
    positions = tuple(
        Position(pos=g["pos"], ref=g["ref"], alts=tuple((alts or {}).get(g["pos"], g["alts"]))) for g in genotypes
    )
    reference = Allele(name="*1", calls={i: (position.ref,) for i, position in enumerate(positions)})
    return Gene(
        symbol="GENE",
        chromosome=genotypes[0]["chrom"],
        ploidy=Ploidy.AUTOSOMAL,
        definition=Definition(
            positions=positions,
            alleles=(reference,),
            reference="*1",
            matching=Matching.STANDARD,
            source="-",
            version="-",
        ),
        phenotype=PhenotypeTable(method=PhenotypeMethod.NONE, source="-"),
    )


def test_read_depths_are_not_used_where_the_file_does_not_say_what_they_count() -> None:
    # The VCF reader leaves depths out then (see services/genotyper/vcf); with them, two rows would be discarded.
    case = READER["vcfreadertest-ad-unknown"]
    gene = cases.custom_gene(case)
    without = [{name: value for name, value in row.items() if name != "ad"} for row in cases.rows(case, {})]
    observation = read(without, build_panel([gene])).observations[0]
    assert observation.seen.bit_count() == len(without)
    assert not observation.warnings
    with_depths = read(cases.rows(case, {}), build_panel([gene])).observations[0]
    assert [w.code for w in with_depths.warnings] == ["ad-homozygous-discarded", "ad-homozygous-discarded"]


def test_genotype_over_an_allele_that_is_not_listed_is_rejected() -> None:
    case = READER["vcfreadertest-badallele"]
    with pytest.raises(Rejected) as rejected:
        read(cases.rows(case, {}), build_panel(cases.release().genes.values()))
    assert rejected.value.path == "genotypes[0].gt"


def test_symbolic_alternatives_cost_a_row_only_where_the_genotype_uses_them() -> None:
    case = READER["vcfreadertest-gvcfalt"]
    gene = made_up_gene(case["genotypes"], {g["pos"]: ["T"] for g in case["genotypes"]})
    observation = read(cases.rows(case, {}), build_panel([gene])).observations[0]
    kept = [f"chr1:{gene.definition.positions[i].pos}" for i in range(6) if observation.seen >> i & 1]
    assert kept == case["expect_reader"]["present"]
    by_position = {w.position: w.code for w in observation.warnings if w.code.startswith("alt-")}
    assert {p for p, code in by_position.items() if "discarded" in code} == set(case["expect_reader"]["absent"])
    assert len(by_position) == 6


def test_phase_sets_are_kept_for_phased_rows_only() -> None:
    case = READER["vcfreadertest-phaseset-1"]
    panel = build_panel(cases.release().genes.values())
    observations = read(cases.rows(case, {}), panel).observations
    definition, observation = next(
        (d, o) for d, o in zip(panel.genes, observations, strict=True) if d.symbol == "CYP2B6"
    )
    assert observation.phase_sets
    assert not observation.phased
    assert len(strands(observation, definition.references).units) == 2


def test_flags_of_the_preparation_are_reported() -> None:
    case = READER["vcfreadertest-filtersnodefinition"]
    panel = build_panel(cases.release().genes.values())
    observations = read(cases.rows(case, {}), panel).observations
    warnings = {w.position: w.code for o in observations for w in o.warnings}
    assert set(warnings) == {w["chrom"] + f":{w['pos']}" for w in case["expect_warnings"] if w["type"] == "position"}
    assert warnings["chr10:94938683"] == "ref-mismatch-discarded"
    assert warnings["chr10:94941897"] == "ref-flagged"
    assert warnings["chr10:94941915"] == "alt-flagged"


@pytest.mark.parametrize("case", PERMUTATIONS.values(), ids=PERMUTATIONS.keys())
def test_possible_strands(case: Case) -> None:
    gene = made_up_gene(case["genotypes"])
    panel = build_panel([gene])
    observation = read(cases.rows(case, {}), panel).observations[0]
    sample = strands(observation, panel.genes[0].references)
    spelt = {
        "".join(f"{p.pos}:{sample.bases(side).get(i, p.ref)};" for i, p in enumerate(gene.definition.positions))
        for side in sample.sides()
    }
    assert spelt == set(case["expect"]["GENE"]["permutations"])


def test_candidates_of_the_reference_alone() -> None:
    case = PERMUTATIONS["diplotypematchertest-comparepermutations"]
    panel = build_panel([made_up_gene(case["genotypes"])])
    observation = read(cases.rows(case, {}), panel).observations[0]
    definition = panel.genes[0]
    found = candidates(definition, strands(observation, definition.references), range(len(definition.alleles)))
    assert [each.allele.name for each in found] == ["*1"]


@pytest.mark.parametrize("case", [c for c in UNIT.values() if "expect_order" in c], ids=lambda case: case["id"])
def test_name_order(case: Case) -> None:
    for listed in case["expect_order"]:
        assert all(names.order(first) < names.order(second) for first, second in pairwise(listed))


def test_every_case_is_tried_or_left_out_for_a_reason() -> None:
    tried = {"matcher", "pipeline", "phenotyper", "outside-call-parser", "reader", "permutations", "unit", "reporter"}
    assert {case["level"] for case in cases.cases()} == tried
    assert len(cases.cases()) == 970
    assert json.dumps(sorted(READER)) == json.dumps(
        [
            "vcfreadertest-ad-invalid",
            "vcfreadertest-ad-unknown",
            "vcfreadertest-badallele",
            "vcfreadertest-filtersnodefinition",
            "vcfreadertest-gvcfalt",
            "vcfreadertest-phaseset-1",
        ]
    )
