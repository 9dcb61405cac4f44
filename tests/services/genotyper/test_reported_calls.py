"""What laboratories report is read, kept, and held against what their genotypes show."""

from typing import Any

import pytest

from schemas.errors import Code, Rejected
from schemas.genotype import CallStatus, GeneCall
from schemas.lab_result import parse_object
from services.genotyper.options import Options
from services.genotyper.release_caller import ReleaseCaller
from tests.services.genotyper.samples import GENES, RELEASE
from tests.services.genotyper.test_hostile_input import HEADER

CALLER = ReleaseCaller(RELEASE, Options())


def reported(gene: str, *lines: dict[str, Any] | str, genotypes: list[Any] | None = None) -> GeneCall:
    entries = [{"gene": gene} | ({"diplotype": line} if isinstance(line, str) else line) for line in lines]
    called = CALLER.call(parse_object(HEADER | {"reported": entries, "genotypes": genotypes or []}))
    return next(call for call in called.genotypes if call.gene == gene)


def codes(call: GeneCall) -> list[str]:
    return [warning.code for warning in call.warnings]


@pytest.mark.parametrize(
    ("gene", "written", "alleles", "warnings"),
    [
        ("CYP2D6", "*1/*4", ("*1", "*4"), []),
        ("CYP2C19", "*2/*1", ("*1", "*2"), []),
        ("CYP2C9", "CYP2C9*1/CYP2C9      *2", ("*1", "*2"), []),
        ("CYP2C9", "*1|*2", ("*1", "*2"), []),
        ("CYP2D6", "*1x2/*4", ("*1x2", "*4"), []),
        ("CYP2D6", "*2X≥3/*4", ("*2x≥3", "*4"), []),
        ("CYP2D6", "*2x>=3/*4", ("*2x≥3", "*4"), []),
        ("CYP2D6", "*1/*1x7", ("*1", "*1x7"), []),
        ("CYP2D6", "*1xN/*4", ("*1xN", "*4"), ["copies-not-counted"]),
        ("CYP2D6", "*36+*10/*1", ("*1", "*36+*10"), []),
        ("CYP2D6", "*10 + *36/*1", ("*1", "*36+*10"), []),
        ("CYP2D6", "*13 + *68x2 + *4/*68 + *2", ("*13+*68x2+*4", "*68+*2"), []),
        ("CYP2D6", "*1+*90/*1", ("*1", "*1+*90"), ["unlisted-arrangement"]),
        ("CYP2D6", "*4.024/*1", ("*1", "*4"), ["sub-allele"]),
        ("CYP2D6", "*1/*XXX", ("*1", "*XXX"), ["unknown-allele"]),
        ("UGT1A1", "*1/*80+*28", ("*1", "*80+*28"), []),
        ("SLCO1B1", "*45.001/*1", ("*1", "*45"), ["sub-allele"]),
        ("HLA-B", "B*15:02:01/*07:02", ("*07:02", "*15:02"), ["allele-fields"]),
        ("HLA-B", "HLA-B*57:01", ("*57:01",), []),
        ("MT-RNR1", "m.1555A>G", ("m.1555A>G",), []),
        ("MT-RNR1", "1555A>G", ("1555A>G",), ["unknown-allele"]),
        ("G6PD", "B (reference)", ("B (reference)",), []),
        ("DPYD", "c.2846A>T/[c.498G>A + c.2582A>G]", ("c.2846A>T", "[c.498G>A + c.2582A>G]"), []),
    ],
)
def test_notation(gene: str, written: str, alleles: tuple[str, ...], warnings: list[str]) -> None:
    call = reported(gene, written)
    assert (call.status, call.source) == (CallStatus.REPORTED, "reported")
    assert [diplotype.alleles for diplotype in call.diplotypes] == [alleles]
    assert codes(call) == warnings
    assert call.reported is not None
    assert (call.reported[0].diplotype, call.reported[0].alleles) == (written, alleles)


@pytest.mark.parametrize(
    ("gene", "written"),
    [
        ("CYP2C9", "*1"),
        ("CYP2C19", "*3/*4/*2"),
        ("MT-RNR1", "m.1555A>G/m.663A>G"),
        ("HLA-A", "B*15:02"),
        ("HLA-B", "*15/*07"),
        ("CYP2D6", "*1/*2 or *1/*4"),
        ("CYP2D6", "*1/"),
    ],
)
def test_what_cannot_be_read_costs_this_gene_alone(gene: str, written: str) -> None:
    call = reported(gene, written)
    assert (call.status, call.reason, call.diplotypes) == (CallStatus.NO_CALL, "unreadable-report", ())
    assert codes(call) == ["unreadable-report"]
    kept = reported(gene, {"diplotype": written, "phenotype": "Poor Metabolizer"})
    assert (kept.status, kept.diplotypes) == (CallStatus.REPORTED, ())


def test_phenotype_or_score_alone_is_kept_as_written() -> None:
    call = reported("DPYD", {"phenotype": "Intermediate Metabolizer", "activity_score": "1.5"})
    assert (call.status, call.diplotypes) == (CallStatus.REPORTED, ())
    assert call.reported is not None
    assert call.reported[0].activity_score == "1.5"
    assert reported("DPYD", {}).reason == "unreadable-report"


def test_several_lines_are_several_diplotypes() -> None:
    call = reported("CYP2D6", "*1/*4", "*4/*1", "*2/*5")
    assert [diplotype.label for diplotype in call.diplotypes] == ["*1/*4", "*2/*5"]
    assert call.reported is not None
    assert len(call.reported) == 3


HOMOZYGOUS_REFERENCE = [
    {"chrom": "chr10", "pos": p.pos, "ref": p.ref, "alt": list(p.alts), "gt": "1/1" if p.rsid == "rs3758581" else "0/0"}
    for p in GENES["CYP2C19"].definition.positions
]


def test_explicit_no_call_overrides_what_the_genotypes_show() -> None:
    call = reported("CYP2C19", "./.", genotypes=HOMOZYGOUS_REFERENCE)
    assert (call.status, call.source, call.reason) == (CallStatus.NO_CALL, "reported", "reported-no-call")
    assert call.matched is not None
    assert call.matched.diplotypes[0].label == "*1/*1"


def test_difference_between_report_and_genotypes_is_flagged_and_both_are_kept() -> None:
    differs = reported("CYP2C19", "*2/*2", genotypes=HOMOZYGOUS_REFERENCE)
    assert (differs.diplotypes[0].label, codes(differs)) == ("*2/*2", ["reported-differs-from-matched"])
    assert differs.matched is not None
    assert differs.matched.diplotypes[0].label == "*1/*1"
    assert codes(reported("CYP2C19", "*1/*1", genotypes=HOMOZYGOUS_REFERENCE)) == []
    assert reported("CYP2C19", "*1/*1").matched is None


def test_gene_that_the_release_does_not_know_is_a_warning() -> None:
    result = parse_object(HEADER | {"reported": [{"gene": "TP53", "diplotype": "*1/*1"}]})
    called = CALLER.call(result)
    assert [warning.code for warning in called.warnings] == ["unknown-gene"]
    assert "reported[0]" in called.warnings[0].message
    assert all(call.status is CallStatus.NOT_ASSAYED for call in called.genotypes)


def rows(gene: str, **changes: Any) -> list[dict[str, Any]]:
    chromosome = GENES[gene].chromosome
    positions = GENES[gene].definition.positions
    return [
        {"chrom": chromosome, "pos": p.pos, "ref": p.ref, "alt": list(p.alts), "gt": "0/0"} | changes for p in positions
    ]


def call(genotypes: list[dict[str, Any]], **fields: Any) -> list[GeneCall]:
    return list(CALLER.call(parse_object(HEADER | {"genotypes": genotypes} | fields)).genotypes)


def test_reference_bases_of_another_build_are_rejected() -> None:
    wrong = [row | {"ref": {"A": "C", "C": "G", "G": "T", "T": "A"}.get(row["ref"], "A")} for row in rows("CYP2C19")]
    with pytest.raises(Rejected) as rejected:
        call(wrong)
    assert (rejected.value.code, rejected.value.path) == (Code.WRONG_ASSEMBLY, "genotypes")
    some = wrong[:4] + rows("CYP2C19")[4:]
    assert len(call(some)) == len(RELEASE.genes)


def test_positions_of_grch37_are_rejected() -> None:
    moved = [
        {"chrom": "chr10", "pos": p.grch37_pos, "ref": p.grch37_ref or p.ref, "alt": list(p.alts), "gt": "0/0"}
        for p in GENES["CYP2C19"].definition.positions
    ]
    with pytest.raises(Rejected) as rejected:
        call(moved)
    assert rejected.value.code is Code.WRONG_ASSEMBLY


@pytest.mark.parametrize(
    ("sex", "gt", "expected"),
    [
        ("male", "0", []),
        ("female", "0/0", []),
        ("unknown", "0", []),
        ("male", "0/0", ["male-called-diploid"]),
        ("female", "0", ["female-called-haploid"]),
    ],
)
def test_sex_and_number_of_alleles(sex: str, gt: str, expected: list[str]) -> None:
    (g6pd,) = [found for found in call(rows("G6PD", gt=gt), sex=sex) if found.gene == "G6PD"]
    assert codes(g6pd) == expected
    assert len(g6pd.diplotypes[0].alleles) == len(gt.split("/"))


def test_cyp2d6_is_not_called_from_small_variants_unless_for_research() -> None:
    (cyp2d6,) = [found for found in call(rows("CYP2D6")) if found.gene == "CYP2D6"]
    assert (cyp2d6.status, cyp2d6.reason) == (CallStatus.NO_CALL, "copy-number-needed")


def test_same_answer_with_and_without_what_was_remembered() -> None:
    result = parse_object(HEADER | {"genotypes": rows("CYP2C19") + rows("G6PD") + rows("NAT2")})
    fresh = ReleaseCaller(RELEASE, Options()).call(result)
    known = ReleaseCaller(RELEASE, Options())
    for _ in range(3):
        assert known.call(result) == fresh
    shuffled = parse_object(HEADER | {"genotypes": rows("NAT2") + rows("CYP2C19")[::-1] + rows("G6PD")})
    assert known.call(shuffled).genotypes == fresh.genotypes
