"""When a recommendation is less sure, it says so and why."""

import pytest

from schemas.genotype import Call, CallStatus, Diplotype, GeneCall
from schemas.recommendation import Recommendation
from tests.services.recommender.guidance_cases import advise, only
from tests.support.calls import matched, no_call, reported, unphased


def reasons(call: GeneCall, drug: str, source: str, population: str = "general") -> tuple[str, ...]:
    found: Recommendation = only(advise(call), drug, source, population)
    assert found.confidence == ("reduced" if found.confidence_reasons else "high")
    return found.confidence_reasons


def test_a_complete_call_has_high_confidence() -> None:
    assert reasons(matched("CYP2C19", "*1/*2"), "citalopram", "CPIC") == ()


def test_missing_defining_positions_are_counted_and_named() -> None:
    call = matched("CYP2C19", "*1/*2", missing=("chr10:1", "chr10:2", "chr10:3", "chr10:4"))
    assert reasons(call, "citalopram", "CPIC") == (
        "CYP2C19: 4 of 35 defining positions not assessed (chr10:1, chr10:2, chr10:3 …)",
    )


def test_reported_calls_are_not_blamed_for_positions() -> None:
    assert reasons(reported("CYP2D6", "*1/*4"), "codeine", "CPIC") == ()


def test_a_call_by_one_variant_alone() -> None:
    call = no_call("SLCO1B1", observed={"rs4149056": "T/C"})
    assert reasons(call, "simvastatin", "CPIC") == (
        "SLCO1B1: no diplotype could be called, known by one variant alone",
    )


def test_variants_without_phase() -> None:
    assert reasons(unphased("DPYD", "c.557A>G", "c.2846A>T"), "capecitabine", "CPIC") == (
        "DPYD: phase unknown, the variants found are taken as on different strands",
    )
    for certain in (("Reference", "c.2846A>T"), ("c.2846A>T", "c.2846A>T")):
        assert reasons(unphased("DPYD", *certain), "capecitabine", "CPIC") == ()


def test_a_causal_variant_known_by_its_proxy() -> None:
    hapb3 = "c.1129-5923C>G, c.1236G>A (HapB3)"
    (reason,) = reasons(unphased("DPYD", "Reference", hapb3, warnings=("proxy-only",)), "capecitabine", "CPIC")
    assert "proxy" in reason


def test_a_reported_phenotype_with_several_scores_or_against_the_diplotype() -> None:
    call = reported("CYP2C9", phenotype="Intermediate Metabolizer")
    advice = [r for r in advise(call) if (r.drug, r.source) == ("meloxicam", "CPIC")]
    assert all("several activity scores" in r.confidence_reasons[0] for r in advice)
    contradicting = reported("CYP2D6", "*1/*1", phenotype="PM", score="0.0")
    assert "is not what the reported" in reasons(contradicting, "codeine", "CPIC")[0]


def test_a_typing_of_one_allele() -> None:
    assert reasons(reported("HLA-B", "*57:01"), "abacavir", "CPIC") == ("HLA-B: only one allele is reported",)


def test_a_laboratory_call_that_its_genotypes_contradict() -> None:
    matched_call = Call(status=CallStatus.CALLED, diplotypes=(Diplotype(label="*1/*1", alleles=("*1", "*1")),))
    call = reported("CYP2C19", "*2/*2").model_copy(update={"matched": matched_call})
    assert "differs from the genotypes" in reasons(call, "citalopram", "CPIC")[0]


@pytest.mark.parametrize(
    ("call", "drug", "source", "about"),
    [
        (reported("CYP2D6", "*1/*57"), "codeine", "CPIC", "expert memory"),
        (matched("RYR1", "Reference/c.6612C>G"), "sevoflurane", "CPIC", "inferred"),
        (reported("CYP2D6", score="2.5"), "codeine", "DPWG", "KNMP"),
    ],
)
def test_doubts_about_the_knowledge_itself(call: GeneCall, drug: str, source: str, about: str) -> None:
    (reason,) = reasons(call, drug, source)
    assert about in reason
