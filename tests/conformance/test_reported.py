"""Reported calls of the conformance cases are read as the reference reads its outside calls."""

import pytest

from schemas.genotype import CallStatus, GeneCall
from services.genotyper.options import Options
from services.phenotyper.assignment import assign
from tests.conformance import cases
from tests.conformance.cases import Case
from tests.conformance.test_matching import caller

PARSING = [case for case in cases.cases() if case["level"] == "outside-call-parser"]
WITH_REPORTS = [
    case for case in cases.cases() if case.get("outside_calls") and case["level"] in ("pipeline", "phenotyper")
]

ONE_ALLELE_OF_TWO = {
    "outsidecalltest-good-1",
    "outsidecalltest-good-2",
    "outsidecalltest-good-7",
    "outsidecalltest-good-8",
    "outsidecalltest-good-ugt1a1-1",
}
"""What the reference's line parser lets pass and its phenotyper refuses: one allele of a gene with two copies."""


SAYING = [
    case for case in PARSING if case["outside_calls"][-1]["phenotype"] or case["outside_calls"][-1]["activity_score"]
]
SPELLED = {"IM": "Intermediate Metabolizer"}


def call(case: Case, symbol: str) -> GeneCall:
    called = caller(Options()).call(cases.lab_result(case | {"options": {}}))
    return next(call for call in called.genotypes if call.gene == symbol)


def diplotype(text: str) -> list[str]:
    return sorted(part.strip().replace(" + ", "+") for part in text.split("/"))


@pytest.mark.parametrize("case", PARSING, ids=lambda case: case["id"])
def test_line_is_read(case: Case) -> None:
    reported = call(case, case["outside_calls"][-1]["gene"])
    if case.get("expect_error") or case["id"] in ONE_ALLELE_OF_TWO:
        assert not reported.diplotypes
        given = case["outside_calls"][-1]
        keeps = bool(given["phenotype"] or given["activity_score"])
        assert reported.status is (CallStatus.REPORTED if keeps else CallStatus.NO_CALL)
        assert any(warning.code == "unreadable-report" for warning in reported.warnings)
        return
    expected = case["expect_outside_calls"][-1]
    written = case["outside_calls"][-1]["diplotype"]
    if written in (".", "./."):
        assert (reported.status, reported.reason) == (CallStatus.NO_CALL, "reported-no-call")
    elif expected.get("diplotype"):
        alleles = [allele.replace(" + ", "+") for allele in reported.diplotypes[0].alleles]
        assert sorted(alleles) == diplotype(expected["diplotype"])
    if "n_warnings" in expected:
        assert len(reported.warnings) == expected["n_warnings"]


@pytest.mark.parametrize("case", SAYING, ids=lambda case: case["id"])
def test_what_the_line_says_of_phenotype_and_score_is_what_the_patient_has(case: Case) -> None:
    said = case["outside_calls"][-1]
    [found] = assign(cases.release(), [call(case, said["gene"])])
    assert found.reported
    if said["phenotype"]:
        assert found.phenotype == SPELLED.get(said["phenotype"], said["phenotype"])
    if said["activity_score"]:
        assert (found.activity_score, found.lookup_key) == (said["activity_score"], said["activity_score"])


@pytest.mark.parametrize("case", WITH_REPORTS, ids=lambda case: case["id"])
def test_reported_gene_replaces_the_matched_one(case: Case) -> None:
    for symbol in {reported["gene"] for reported in case["outside_calls"]}:
        reported = call(case, symbol)
        expect = case["expect"].get(symbol, {})
        assert reported.source == "reported"
        if "diplotypes" in expect:
            ours = sorted(sorted(d.alleles) for d in reported.diplotypes)
            assert ours == sorted(sorted(pair) for pair in expect["diplotypes"])
        if "print_calls" in expect and reported.diplotypes:
            # The reference prints blanks around the copies of a tandem where the laboratory wrote them.
            printed = sorted(label.replace(" + ", "+") for label in expect["print_calls"])
            assert sorted(d.label.replace(" + ", "+") for d in reported.diplotypes) == printed
        if expect.get("called"):
            assert reported.status is CallStatus.REPORTED
