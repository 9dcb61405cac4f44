"""What a hospital is told about a difference: advice that came, went or became another, and nothing else."""

from schemas.recommendation import Change, ChangeKind, Citation, Recommendation
from services.recommender.changes import compare
from tests.services.recommender.guidance_cases import advise
from tests.support.calls import matched

WHY = "result ACC-1 of acme-genomics, version 2, is corrected"


def advice(
    key: str,
    *actions: str,
    drug: str = "a-drug",
    population: str = "general",
    rule: str | None = None,
    priority: int = 2,
) -> Recommendation:
    return Recommendation(
        drug=drug,
        rxnorm=None,
        source="CPIC",
        population=population,
        genes={"GENE": key},
        actions=actions or ("standard",),
        strength="strong",
        text="…",
        citation=Citation(guideline="g"),
        rule=rule or f"{drug}:{population}:{key}",
        priority=priority,
        confidence="high",
    )


def told(changes: tuple[Change, ...]) -> list[tuple[str, str | None, str | None]]:
    return [(one.change.value, _key(one.before), _key(one.after)) for one in changes]


def _key(side: Recommendation | None) -> str | None:
    return None if side is None else side.genes["GENE"]


def test_equal_lists_have_no_changes() -> None:
    assert compare([advice("PM", "avoid")], [advice("PM", "avoid")], WHY) == ()


def test_another_key_with_the_same_advice_is_no_change() -> None:
    assert compare([advice("NM")], [advice("RM")], WHY) == ()


def test_other_advice_on_the_same_drug_is_one_change_with_both_sides() -> None:
    changes = compare([advice("NM")], [advice("PM", "avoid")], WHY)
    assert told(changes) == [("changed", "NM", "PM")]
    assert changes[0].reason == f"{WHY}; GENE was NM, is PM"


def test_another_result_changes_the_advice_of_the_same_line_although_its_rule_is_another() -> None:
    before, after = advise(matched("CYP2C19", "*1/*2")), advise(matched("CYP2C19", "*2/*2"))
    of_cpic = [one for one in compare(before, after, WHY) if one.rule.startswith("CPIC:citalopram:")]
    (change,) = of_cpic
    assert change.change is ChangeKind.CHANGED
    assert change.before is not None
    assert change.after is not None
    assert change.before.genes["CYP2C19"] == "Intermediate Metabolizer"
    assert change.after.genes["CYP2C19"] == "Poor Metabolizer"
    assert change.rule == change.after.rule != change.before.rule


def test_populations_are_compared_apart() -> None:
    before = [advice("NM"), advice("NM", population="children")]
    after = [advice("PM", "avoid"), advice("NM", population="children")]
    assert told(compare(before, after, WHY)) == [("changed", "NM", "PM")]


def test_an_ambiguous_gene_that_is_resolved_withdraws_the_advice_that_fell_away() -> None:
    before = [advice("IM", "reduce"), advice("PM", "avoid")]
    assert told(compare(before, [advice("PM", "avoid")], WHY)) == [("withdrawn", "IM", None)]


def test_a_gene_that_became_ambiguous_issues_the_advice_that_came_beside_it() -> None:
    after = [advice("IM", "reduce"), advice("PM", "avoid")]
    assert told(compare([advice("PM", "avoid")], after, WHY)) == [("issued", None, "IM")]


def test_the_same_rule_with_new_advice_is_a_change() -> None:
    before, after = advice("PM", "reduce", rule="r"), advice("PM", "avoid", rule="r")
    assert told(compare([before], [after], WHY)) == [("changed", "PM", "PM")]


def test_what_matters_most_comes_first() -> None:
    after = [advice("PM", "monitor", drug="a-drug", priority=3), advice("PM", "avoid", drug="z-drug", priority=1)]
    changes = compare([], after, WHY)
    assert [one.after.drug for one in changes if one.after] == ["z-drug", "a-drug"]
    assert {one.change for one in changes} == {ChangeKind.ISSUED}
