"""Laws of activity scores."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.release import Release
from services.phenotyper import scores

VALUES = st.sampled_from(["0.0", "0.25", "0.5", "0.75", "1.0", "2.0", "≥3.0"])


@given(VALUES, VALUES)
def test_order_of_alleles_does_not_matter(first: str, second: str) -> None:
    assert scores.total([first, second]) == scores.total([second, first])


@given(VALUES, VALUES)
def test_a_sum_is_exact_and_open_if_one_side_is(first: str, second: str) -> None:
    total = scores.total([first, second])
    assert float(scores.number(total)) == float(scores.number(first)) + float(scores.number(second))
    assert total.startswith("≥") == ("≥" in first + second)


@given(VALUES)
def test_no_score_without_both_values(value: str) -> None:
    assert scores.total([value, None]) == scores.total([value]) == scores.total(["n/a", value]) == "n/a"


@given(VALUES, VALUES)
def test_normalising_a_score_changes_nothing(first: str, second: str) -> None:
    total = scores.total([first, second])
    assert scores.normalise(total) == total


def test_every_reachable_score_has_exactly_one_phenotype(release: Release) -> None:
    for gene in release.genes.values():
        reachable = scores.reachable(a.activity_value for a in gene.definition.alleles) if gene.phenotype.bins else ()
        for score in reachable:
            assert sum(bin_.holds(float(scores.number(score))) for bin_ in gene.phenotype.bins) == 1, gene.symbol
