"""Rows and doses in short clinical words."""

import pytest

from knowledge import wording
from knowledge.model import DoseChange, DoseFixed, DoseLimit
from knowledge.release import Release


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.5, 0.5, "50 % (starting dose)"),
        (0.25, 0.5, "25 to 50 % (starting dose)"),
        (1.5, None, "at least 150 % (starting dose)"),
    ],
)
def test_dose_changes_are_percentages_of_the_usual_dose(low: float, high: float | None, text: str) -> None:
    assert wording.dose_change(DoseChange(basis="starting dose", factor_low=low, factor_high=high)) == text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"dose": 75}, "75 mg/day (maintenance dose)"),
        ({"dose_low": 2, "dose_high": 3}, "2 to 3 mg/day (maintenance dose)"),
        ({"dose_low": 75}, "at least 75 mg/day (maintenance dose)"),
        ({"dose_high": 300}, "up to 300 mg/day (maintenance dose)"),
    ],
)
def test_fixed_doses(fields: dict[str, float], text: str) -> None:
    assert wording.dose_fixed(DoseFixed(basis="maintenance dose", unit="mg/day", **fields)) == text


def test_a_strict_limit_is_not_reached() -> None:
    assert wording.dose_limit(DoseLimit(basis="day", max=20, unit="mg/day")) == "at most 20 mg/day (day)"
    assert wording.dose_limit(DoseLimit(basis="day", max=20, unit="mg/day", strict=True)) == "below 20 mg/day (day)"


def test_every_row_has_words(after: Release) -> None:
    for rule in after.rules:
        assert wording.advice(rule)
        assert all(gene in wording.keys(rule) for gene in rule.genes)


def test_seven_words_in_a_row_are_a_copy() -> None:
    theirs = "Reduce the dose by half in all patients who take it, and monitor closely."
    assert wording.shared_words("by half in all patients who take", theirs) == "by half in all patients who take"
    assert wording.shared_words("by half in all patients who", theirs) is None
    assert wording.shared_words("halve the dose and watch the patient for a week", theirs) is None


def test_no_two_notes_hide_a_sentence(after: Release) -> None:
    """Our notes are remarks, not paragraphs: a long one is a sign of a copied text."""
    assert max(len(text.split()) for rule in after.rules for text in wording.sentences(rule)) <= 25
