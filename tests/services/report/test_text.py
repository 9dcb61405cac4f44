"""The report that a terminal shows."""

from itertools import pairwise

import pytest

from schemas.genotype import CallStatus, GeneCall
from services.report import text
from tests.services.report.patients import note, state
from tests.support.calls import matched, no_call, reported

PATIENT = state(
    matched("CYP2C19", "*2/*2"),
    reported("CYP2D6", "*1/*4"),
    matched("SLCO1B1", "*5/*5", missing=("chr12:1",)),
    no_call("CYP2C9"),
    GeneCall(gene="TPMT", status=CallStatus.NOT_ASSAYED),
)


def shown(section: str, page: str) -> str:
    """The part of the page under a heading."""
    return page.split(f"\n{section.upper()}\n")[1].split("\n\n\n")[0]


def test_what_matters_first_comes_first() -> None:
    page = text.render(PATIENT)
    lines = page.splitlines()
    headings = [line for line, below in pairwise(lines) if below and set(below) == {"-"}]
    assert headings == [
        "AVOID OR USE ANOTHER DRUG", "CHANGE THE DOSE OR CONSIDER ANOTHER DRUG", "MONITOR OR TAKE CARE",
        "NOTHING TO CHANGE", "NO ADVICE FOR THESE RESULTS IN ANY SOURCE", "NO STATEMENT ON THESE RESULTS", "GENES",
        "NOT CALLED", "NOT ASSESSED", "REFERENCES",
    ]  # fmt: skip
    assert "clopidogrel" in shown("Avoid or use another drug", page)


def test_sources_stand_side_by_side_with_the_reason_and_the_population() -> None:
    page = " ".join(text.render(PATIENT).split())
    assert "CPIC, strong: [cardiovascular, ACS or PCI]" in page
    assert "because: CYP2C19 Poor Metabolizer (*2/*2)" in page
    assert "because: CYP2D6 score 1.0, Intermediate Metabolizer (*1/*4)" in page


def test_a_gene_without_a_call_says_why_and_one_that_was_not_assessed_is_named() -> None:
    page = text.render(PATIENT)
    assert "CYP2C9 no call (from genotypes)\n    no match" in page
    assert shown("Not assessed", page).splitlines()[1] == "TPMT"


def test_doubts_and_contradictions_are_shown() -> None:
    page = " ".join(text.render(PATIENT).split())
    assert "less sure: SLCO1B1: 1 of 35 defining positions not assessed (chr12:1)" in page
    assert "SOURCES CONTRADICT EACH OTHER" in page
    assert "contradicts: DPWG" in page


def test_missing_positions_are_counted() -> None:
    one = state(matched("CYP2C9", "*1/*1", missing=("chr10:1",)))
    two = state(matched("CYP2C9", "*1/*1", missing=("chr10:1", "chr10:2")))
    assert "1 defining position not assessed" in shown("Genes", text.render(one))
    assert "2 defining positions not assessed" in shown("Genes", text.render(two))


def test_usual_advice_on_incomplete_data_is_marked_as_well() -> None:
    page = " ".join(text.render(state(matched("CYP2C9", "*1/*1", missing=("chr10:1",)))).split())
    assert "celecoxib (less sure)" in page


def test_preliminary_and_withdrawn_results_are_marked() -> None:
    page = text.render(
        state(matched("CYP2C19", "*2/*2"), results=(note(status="preliminary"), note("ACC-0", "entered-in-error")))
    )
    assert "PRELIMINARY: at least one result below may still change." in page
    withdrawn = "Result ACC-0 of acme, issued 2026-11-23T10:00:00Z, entered-in-error, version 1: withdrawn, not used"
    assert withdrawn in " ".join(page.split())


@pytest.mark.parametrize("width", [40, 72, 100, 160])
def test_lines_keep_to_the_width(width: int) -> None:
    page = text.render(PATIENT, width)
    too_long = [line for line in page.splitlines() if len(line) > max(width, 60) and "https://" not in line]
    assert too_long == []


def test_nothing_in_a_laboratory_s_text_can_steer_a_terminal() -> None:
    page = text.render(state(reported("CYP2C19", phenotype="Poor\x1b[2J Metabolizer\x07")))
    assert all(character.isprintable() or character == "\n" for character in page)


def test_a_patient_without_results_has_a_report_too() -> None:
    assert text.render(state(results=())).startswith("Pharmacogenetic report: patient p-1")


def test_the_same_state_gives_the_same_page() -> None:
    assert text.render(PATIENT) == text.render(PATIENT)


def test_an_inherited_condition_stands_before_the_drugs_with_its_care_and_its_limits() -> None:
    page = text.render(state(matched("RYR1", "Reference/c.7300G>A"), matched("G6PD", "B (reference)/A- 202A_376G")))
    assert page.index("INHERITED CONDITIONS") < page.index("AVOID OR USE ANOTHER DRUG")
    section = " ".join(shown("Inherited conditions", page).split())
    assert "Malignant hyperthermia susceptibility: FOUND" in section
    assert "- Tell the anaesthesia team" in section
    assert "not shown by it: Penetrance is incomplete" in section
    assert "G6PD deficiency: POSSIBLE" in " ".join(page.split())


def test_conditions_without_a_finding_are_named_as_not_ruled_out() -> None:
    page = " ".join(text.render(state(matched("CACNA1S", "Reference/Reference"))).split())
    assert "which does not rule them out: Malignant hyperthermia susceptibility (CACNA1S)." in page
