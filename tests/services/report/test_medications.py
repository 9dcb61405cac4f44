"""The report starts with what the patient takes now."""

from dataclasses import replace

from services.phenotyper.assignment import assign
from services.recommender.advice import advise
from services.report import html, text
from tests.services.recommender.context.statements import context
from tests.services.recommender.guidance_cases import release
from tests.services.report.patients import State, state
from tests.support.calls import reported


def taking(*drugs: str) -> State:
    call = reported("CYP2D6", diplotype="*1/*1")
    known = release("2026.11")
    advice = advise(known, [call], assign(known, [call]), context(*drugs))
    return replace(state(call), phenotypes=advice.phenotypes, recommendations=advice.recommendations)


def test_current_drugs_come_before_all_others_and_only_once() -> None:
    lines = text.render(taking("metoprolol", "paroxetine")).splitlines()
    heading = lines.index("WHAT THE PATIENT TAKES NOW")
    assert heading < lines.index("AVOID OR USE ANOTHER DRUG")
    assert lines.count("metoprolol") == 1
    assert lines.index("metoprolol") < lines.index("AVOID OR USE ANOTHER DRUG")


def test_a_converted_gene_is_named_with_its_cause_and_its_genetic_result() -> None:
    shown = " ".join(text.render(taking("metoprolol", "paroxetine")).split())
    assert "CYP2D6 effectively 0.0, as paroxetine is a strong inhibitor; genetically 2.0 (*1/*1)" in shown


def test_the_page_has_the_same_section() -> None:
    page = html.render(taking("metoprolol"))
    assert page.index("What the patient takes now</h2>") < page.index("Genes</h2>")


def test_without_medications_there_is_no_such_section() -> None:
    assert "takes now" not in text.render(state(reported("CYP2D6", diplotype="*1/*1"))).lower()
