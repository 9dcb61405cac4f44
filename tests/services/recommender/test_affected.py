"""Whom a release would affect, in figures: nothing about few patients can be seen in them or worked out of them."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from services.recommender.affected import affected_by
from services.recommender.cohort import SMALLEST
from services.report.affected import page, text

GROUPS = st.dictionaries(st.sampled_from(("azathioprine", "mercaptopurine", "codeine")), st.integers(1, 30))


@given(st.integers(0, 40), st.integers(0, 40), GROUPS)
def test_no_group_is_shown_that_is_small_or_leaves_few(rest: int, affected: int, drugs: Mapping[str, int]) -> None:
    drugs = {drug: min(number, affected) for drug, number in drugs.items() if affected}
    patients = affected + rest
    found = affected_by("mercy", "2026.11", patients, affected, {}, drugs)
    for one in found.drugs:
        assert one.count == drugs[one.name] >= SMALLEST
        for whole in (affected, patients):
            assert whole == one.count or whole - one.count >= SMALLEST
    if 0 < affected < SMALLEST or 0 < rest < SMALLEST:
        assert found.affected is None or found.affected.patients is None
        assert found.drugs == ()


def test_the_largest_groups_come_first_in_text_and_page() -> None:
    found = affected_by(None, "2026.11", 100, 40, {"TPMT": 40}, {"codeine": 10, "azathioprine": 30, "abacavir": 3})
    assert [one.name for one in found.drugs] == ["azathioprine", "codeine"]
    told = "\n".join(text(found))
    assert "100 patients of all tenants would come under knowledge release 2026.11" in told
    assert "whose advice would change: 40 of 100 (40.0%)" in told
    assert "abacavir" not in told + page(found)
    assert page(found).count("<svg") == 2


def test_where_nobody_is_left_to_affect_it_says_so() -> None:
    assert next(iter(text(affected_by("mercy", "2026.11", 0, 0, {}, {})))).startswith("0 patients of mercy")
