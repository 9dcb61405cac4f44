"""Each kind of row is used, treated as missing or discarded as the specification says, with its warning."""

from typing import Any

import pytest

from services.genotyper.options import Options
from services.genotyper.reading import read
from tests.services.genotyper.samples import GENES, PANELS, call

RS4244285 = {"chrom": "chr10", "pos": 94781859, "ref": "G", "alt": ["A"], "gt": "0/1"}
RS1050828 = {"chrom": "chrX", "pos": 154536002, "ref": "C", "alt": ["T"], "gt": "1"}


def cyp2c19(**changes: Any):  # type: ignore[no-untyped-def]
    return call(GENES["CYP2C19"], [RS4244285 | changes])


@pytest.mark.parametrize(
    ("changes", "code", "used"),
    [
        ({}, None, True),
        ({"gt": "./."}, "no-call", False),
        ({"gt": "."}, "no-call", False),
        ({"gt": "0/."}, "single-reference-as-missing", False),
        ({"gt": "0"}, "single-reference-as-missing", False),
        ({"gt": "./1"}, "single-genotype", True),
        ({"gt": "1"}, "single-genotype", True),
        ({"gt": "0/1/1"}, "more-than-two", True),
        ({"ref": "C"}, "ref-mismatch-discarded", False),
        ({"alt": ["A", "T"], "gt": "0/2"}, "undocumented", True),
        ({"alt": ["A", "<DEL>"]}, "alt-structural", True),
        ({"alt": ["A", "<DEL>"], "gt": "0/2"}, "alt-structural-discarded", False),
        ({"alt": ["A", "*"]}, "alt-star", True),
        ({"alt": ["A", "N"]}, "alt-ambiguous", True),
        ({"ad": [30, 0]}, "ad-homozygous-discarded", False),
        ({"ad": [30, 12]}, None, True),
        ({"alt": ["A", "T"], "ad": [30, 0, 12]}, None, True),
        ({"gt": "1/1", "ad": [0, 30]}, None, True),
        ({"filter": "LowQual"}, None, True),
    ],
)
def test_row(changes: dict[str, Any], code: str | None, used: bool) -> None:
    called = cyp2c19(**changes)
    assert ("chr10:94781859" not in called.missing_positions) is used
    assert [warning.code for warning in called.warnings] == ([] if code is None else [code])
    assert all(warning.position == "chr10:94781859" for warning in called.warnings)


def test_first_usable_row_of_a_position_counts() -> None:
    twice = call(GENES["CYP2C19"], [RS4244285, RS4244285 | {"gt": "1/1"}])
    assert [w.code for w in twice.warnings] == ["duplicate"]
    assert twice.diplotypes == cyp2c19().diplotypes
    after_invalid = call(GENES["CYP2C19"], [RS4244285 | {"gt": "./."}, RS4244285])
    assert [w.code for w in after_invalid.warnings] == ["no-call", "duplicate-replaces-invalid"]
    assert after_invalid.diplotypes == twice.diplotypes


def test_one_allele_is_normal_for_an_x_linked_gene_only() -> None:
    assert call(GENES["G6PD"], [RS1050828]).reason is None
    assert call(GENES["CYP2C19"], [RS4244285 | {"gt": "1"}]).reason == "unexpected-ploidy"
    diploid = {"chrom": "chrX", "pos": 154535277, "ref": "T", "alt": ["C"], "gt": "0/1"}
    assert call(GENES["G6PD"], [RS1050828, diploid]).reason == "mixed-ploidy"


def test_half_call_costs_the_gene_unless_combinations_are_asked_for() -> None:
    rows = [RS4244285 | {"gt": "./1"}]
    assert call(GENES["CYP2C19"], rows).reason == "half-call"
    assert "g.94781859?" in call(GENES["CYP2C19"], rows, Options(combinations=True)).haplotypes[-1]


def test_undocumented_base_is_reference_where_the_gene_says_so() -> None:
    row = {"chrom": "chr6", "pos": 18143724, "ref": "C", "alt": ["G", "T"], "gt": "0/2"}
    called = call(GENES["TPMT"], [row])
    assert [w.code for w in called.warnings] == ["undocumented-as-reference"]
    assert called.diplotypes[0].label == "*1/*1"


def test_mitochondrial_gene_has_one_allele() -> None:
    row = {"chrom": "chrM", "pos": 1555, "ref": "A", "alt": ["G"], "gt": "1"}
    assert [d.alleles for d in call(GENES["MT-RNR1"], [row]).diplotypes] == [("m.1555A>G",)]
    both = call(GENES["MT-RNR1"], [row | {"gt": "1/1"}])
    assert [w.code for w in both.warnings] == ["more-than-one"]
    assert [d.alleles for d in both.diplotypes] == [("m.1555A>G",)]
    assert call(GENES["MT-RNR1"], [row | {"gt": "0/1"}]).reason == "unequal-copies"


def test_contigs_without_chr_are_found() -> None:
    assert call(GENES["CYP2C19"], [RS4244285 | {"chrom": "10"}]).diplotypes == cyp2c19().diplotypes


def test_rows_that_pass_the_filters_are_kept_as_those_without() -> None:
    gene, panel = GENES["CYP2C19"], PANELS["CYP2C19", False]
    rows = [
        {"chrom": gene.chromosome, "pos": one.pos, "ref": one.ref, "alt": list(one.alts), "gt": gt}
        for one, gt in zip(gene.definition.positions, ["0/0", "0/1"] * len(gene.definition.positions), strict=False)
    ]
    passed = [row | {"filter": "PASS"} for row in rows]
    assert read(passed, panel).observations == read(rows, panel).observations
