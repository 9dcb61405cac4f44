"""Wording: composed from facts, the same every time, with doses and conditions where they belong."""

import re
from pathlib import Path

import pytest

from knowledge.model import DoseChange, DoseFixed, DoseLimit, Rule
from services.recommender.texts import text
from tests.services.recommender import texts_golden
from tests.services.recommender.guidance_cases import IDS, release

BASE = release().rules[0].model_copy(update={"notes": (), "alternatives": ()})


def worded(*actions: str, **facts: object) -> str:
    return text(BASE.model_copy(update={"actions": actions, **facts}))


HALF = (DoseChange(basis="starting dose", factor_low=0.5, factor_high=0.5),)
MORE = (DoseChange(basis="daily dose", factor_low=1.5, factor_high=2),)
AT_LEAST = (DoseChange(basis="maintenance dose", factor_low=1.5, factor_high=None),)
FIXED = (
    DoseFixed(basis="starting dose", dose=40, unit="mg/day"),
    DoseFixed(basis="then", dose_low=2, dose_high=3, unit="mg/kg"),
)
LIMIT = (DoseLimit(basis="if used anyway", max=20, unit="mg/day", strict=True),)


@pytest.mark.parametrize(
    ("sentence", "actions", "facts"),
    [
        ("Usual dose.", ["standard-dosing"], {}),
        ("Avoid; use an alternative: a, b or c.", ["avoid", "use-alternative"], {"alternatives": ("a", "b", "c")}),
        ("Reduce the dose to 50 % of the usual (starting dose).", ["decrease-dose"], {"dose_change": HALF}),
        ("Increase the dose to 1.5 to 2 times the usual (daily dose).", ["increase-dose"], {"dose_change": MORE}),
        ("Increase the dose to at least 1.5 times the usual (maintenance dose).", ["increase-dose"],
         {"dose_change": AT_LEAST}),
        ("Avoid. If it is used anyway: reduce the dose to 50 % of the usual (starting dose).",
         ["avoid", "decrease-dose"], {"dose_change": HALF}),
        ("Use an alternative. If it is used anyway: limit the dose: below 20 mg/day.",
         ["use-alternative", "limit-dose"], {"dose_limit": LIMIT}),
        ("Monitor more closely; dose: 40 mg/day (starting dose), 2 to 3 mg/kg (then).", ["extra-monitoring"],
         {"dose_fixed": FIXED}),
        ("Start with the usual dose; then, if needed, increase the dose.", ["standard-dosing", "increase-dose"], {}),
        ("Avoid, or weigh benefit against risk.", ["avoid", "weigh-risk-benefit"], {}),
        ("Reduce the dose. In some of these cases: contraindicated.", ["decrease-dose", "contraindicated"], {}),
        ("Avoid. This holds for some of these cases; for the others there is no recommendation.",
         ["avoid", "no-recommendation"], {}),
        ("Usual dose. Note: not after stroke.", ["standard-dosing"], {"notes": ("not after stroke",)}),
    ],
)  # fmt: skip
def test_facts_become_a_sentence(sentence: str, actions: list[str], facts: dict[str, object]) -> None:
    assert worded(*actions, **facts) == sentence


RULES = {rule.id: rule for i in IDS for rule in release(i).rules}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_every_figure_alternative_and_note_of_a_row_is_in_its_text(rule: Rule) -> None:
    said = text(rule)
    figures = [f"{value:g}" for limit in rule.dose_limit for value in (limit.max,)]
    figures += [f"{v:g}" for d in rule.dose_fixed for v in (d.dose, d.dose_low, d.dose_high) if v is not None]
    for change in rule.dose_change:
        factors = [factor for factor in (change.factor_low, change.factor_high) if factor is not None]
        figures += [f"{f:g}" if change.factor_low > 1 else f"{round(f * 100, 1):g}" for f in factors]
    for figure in figures:
        assert re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d.]*\d)", said), (figure, said)
    assert all(name in said for name in rule.alternatives)
    assert all(note in said for note in rule.notes)


def test_the_texts_are_those_on_record() -> None:
    """After a deliberate change: ``python -m tests.services.recommender.texts_golden``, then read the diff."""
    assert texts_golden.content() == Path(texts_golden.FILE).read_text(encoding="utf-8")
