"""What a patient's genes say about inherited conditions."""

import pytest

from schemas.finding import Finding, Significance
from schemas.genotype import GeneCall
from schemas.phenotype import Conversion, EffectivePhenotype, ResultNote
from services.phenotyper.assignment import assign
from services.recommender.findings import findings
from tests.services.recommender.guidance_cases import release
from tests.support.calls import matched, no_call, reported


def found(*calls: GeneCall, release_id: str = "2026.11") -> tuple[Finding, ...]:
    known = release(release_id)
    return findings(known, calls, assign(known, calls))


@pytest.mark.parametrize(
    ("call", "significance", "says"),
    [
        (matched("RYR1", "Reference/c.7300G>A"), "found", "malignant hyperthermia"),
        (matched("CACNA1S", "Reference/c.520C>T"), "found", "malignant hyperthermia"),
        (matched("G6PD", "Mediterranean, Dallas, Panama, Sassari, Cagliari, Birmingham"), "found", "deficiency"),
        (matched("G6PD", "B (reference)/A- 202A_376G"), "possible", "anywhere between"),
        (matched("DPYD", "Reference/c.1905+1G>A (*2A)"), "found", "Partial DPD"),
        (reported("DPYD", score="0.0"), "found", "Little or no DPD"),
        (matched("CFTR", "G551D/ivacaftor non-responsive CFTR sequence"), "possible", "ivacaftor"),
        (matched("MT-RNR1", "m.1555A>G"), "found", "single dose"),
        (matched("F5", "rs6025 reference (C)/rs6025 Factor V Leiden (T)"), "found", "One copy"),
        (matched("F5", "rs6025 Factor V Leiden (T)/rs6025 Factor V Leiden (T)"), "found", "Two copies"),
        (matched("F2", "rs1799963 reference (G)/rs1799963 Prothrombin 20210A"), "found", "Prothrombin 20210A"),
        (matched("UGT1A1", "*28/*28"), "possible", "Gilbert"),
        (matched("UGT1A1", "*1/*28"), "not-found", "Fewer than two"),
    ],
)
def test_a_result_is_told_as_the_condition_it_means(call: GeneCall, significance: str, says: str) -> None:
    (finding,) = found(call)
    assert (finding.gene, finding.significance) == (call.gene, significance)
    assert says in finding.meaning
    assert finding.care
    assert finding.limits
    assert finding.references


def test_no_result_says_nothing_about_a_condition() -> None:
    assert found(no_call("G6PD"), matched("CYP2C19", "*1/*2")) == ()


def test_the_absence_of_a_variant_never_rules_a_condition_out() -> None:
    (finding,) = found(matched("CACNA1S", "Reference/Reference"))
    assert finding.significance is Significance.NOT_FOUND
    assert "not ruled out" in " ".join(finding.limits)


def test_where_one_gene_shows_the_cause_the_other_does_not_say_that_it_shows_none() -> None:
    (finding,) = found(matched("RYR1", "Reference/c.7300G>A"), matched("CACNA1S", "Reference/Reference"))
    assert finding.gene == "RYR1"


def test_what_was_found_comes_before_what_is_possible_and_what_was_not_found() -> None:
    listed = found(
        matched("CACNA1S", "Reference/Reference"), matched("UGT1A1", "*28/*28"), matched("MT-RNR1", "m.1555A>G")
    )
    assert [finding.significance.value for finding in listed] == ["found", "possible", "not-found"]


def test_thrombophilia_is_told_since_the_release_of_2026() -> None:
    call = matched("F5", "rs6025 reference (C)/rs6025 Factor V Leiden (T)")
    assert found(call)
    assert found(call, release_id="2025.11") == ()


def test_positions_that_were_not_assessed_make_a_finding_less_sure() -> None:
    (finding,) = found(matched("CACNA1S", "Reference/Reference", missing=("chr1:201060815",)))
    assert finding.confidence == "reduced"
    assert "1 of 2 defining positions not assessed" in finding.confidence_reasons[0]


def test_possible_diplotypes_that_mean_the_same_are_one_finding() -> None:
    (finding,) = found(matched("G6PD", "B (reference)/A- 202A_376G", "A/A- 680T_376G"))
    assert finding.diplotype == "B (reference)/A- 202A_376G or A/A- 680T_376G"
    assert "several diplotypes are possible" in " ".join(finding.confidence_reasons)


def test_a_finding_names_the_laboratory_result_behind_it() -> None:
    known = release("2026.11")
    calls = (matched("UGT1A1", "*28/*28"),)
    note = ResultNote(
        laboratory="acme", accession="A-1", issued="2026-11-23T10:00:00Z", status="preliminary", version=1
    )
    (finding,) = findings(known, calls, [p.model_copy(update={"result": note}) for p in assign(known, calls)])
    assert finding.results == (note,)
    assert finding.preliminary


def test_drugs_that_change_an_enzyme_change_no_finding() -> None:
    known = release("2026.11")
    calls = (matched("UGT1A1", "*28/*28"),)
    effective = EffectivePhenotype(
        outcome=Conversion.CONVERTED, phenotype="Normal Metabolizer", lookup_key="Normal Metabolizer",
        cause=(), method="phenotype-shift", evidence="low", sources=(), reasons=("unsure",),
    )  # fmt: skip
    converted = [p.model_copy(update={"effective": effective}) for p in assign(known, calls)]
    assert findings(known, calls, converted) == found(*calls)
