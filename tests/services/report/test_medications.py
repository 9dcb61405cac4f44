"""The report starts with what the patient takes now."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.genotype import GeneCall
from services.phenotyper.assignment import assign
from services.recommender.advice import advise
from services.report import html, text
from tests.services.recommender.context.statements import context
from tests.services.recommender.guidance_cases import release
from tests.services.report.patients import State, state
from tests.support.calls import reported

CYP2D6 = reported("CYP2D6", diplotype="*1/*1")
CYP2C9 = reported("CYP2C9", diplotype="*1/*3")
VKORC1 = reported("VKORC1", diplotype="rs9923231 reference (C)/rs9923231 variant (T)")


def taking(*drugs: str, calls: tuple[GeneCall, ...] = (CYP2D6,), **facts: Any) -> State:
    known = release("2026.11")
    advice = advise(known, calls, assign(known, calls), context(*drugs, **facts))
    return replace(
        state(*calls),
        phenotypes=advice.phenotypes,
        recommendations=advice.recommendations,
        medications=advice.medications,
        dose_estimates=advice.dose_estimates,
    )


def as_text(of: State) -> str:
    return " ".join(text.render(of).split())


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


def test_a_drug_that_is_not_recognised_is_said_first() -> None:
    of = taking("metoprolol", "a <new> drug")
    shown = as_text(of)
    assert (
        "TAKES NOW -------------------------- Not recognised, and so not considered in anything below: a <new>" in shown
    )
    assert "not considered in anything below: a &lt;new&gt; drug</p>" in html.render(of)
    assert "Not recognised" not in as_text(taking("metoprolol"))


@pytest.mark.parametrize("render", [as_text, html.render])
def test_a_starting_dose_stands_with_the_advice_on_its_drug(render: Any) -> None:
    of = taking("warfarin", calls=(CYP2C9, VKORC1), birth_year=1950, height_cm=170, weight_kg=80)
    [estimate] = [r.dose_estimate for r in of.recommendations if r.dose_estimate]
    shown = render(of)
    low, high = estimate.weekly_low_mg, estimate.weekly_high_mg
    dose = f"{estimate.daily_mg} mg a day ({estimate.weekly_mg} mg a week, plausible {low} to {high}), from genes"
    assert shown.count(dose) == 1
    assert "does not replace measuring the effect" in shown
    assert "CYP2C9 *5, *6, *8, *11; ancestry" in shown


@pytest.mark.parametrize("render", [as_text, html.render])
def test_what_is_missing_for_a_starting_dose_is_named(render: Any) -> None:
    shown = render(taking("warfarin", calls=(CYP2C9, VKORC1)))
    assert "none calculated: the year of birth is not known" in shown
    assert "birth year; height; weight" in shown


@pytest.mark.parametrize("render", [as_text, html.render])
def test_a_starting_dose_without_any_advice_on_the_drug_is_shown_by_itself(render: Any) -> None:
    of = taking("warfarin", birth_year=1950, height_cm=170, weight_kg=80)
    assert [one.drug for one in of.dose_estimates] == ["warfarin"]
    shown = render(of)
    assert "from clinical facts alone" in shown


def test_a_drug_that_is_not_taken_has_no_dose_by_itself() -> None:
    assert "mg a day" not in as_text(taking("metoprolol"))
