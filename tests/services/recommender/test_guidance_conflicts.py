"""Sources that contradict each other about the same result are flagged, both of them, and nothing else is."""

from collections.abc import Sequence

import pytest

from services.recommender.conflicts import Position, conflicts, stances, subject
from services.recommender.keys import Keys, State
from tests.services.recommender.guidance_cases import advise, release
from tests.support.calls import matched, reported

BASE = release().rules[0]


def state(gene: str) -> State:
    return State(gene, (), Keys(("key",), ("key",), None))


def advice(
    source: str, *actions: str, population: str = "general", keys: dict[str, str] | None = None, **states: State
) -> Position:
    rule = BASE.model_copy(update={"source": source, "actions": actions, "population": population})
    return Position(rule, stances(rule), (subject(states.values(), keys or dict.fromkeys(states, "key")),))


def flagged(*of_drug: Position) -> set[tuple[int, int]]:
    return {(i, j) for i, others in conflicts(of_drug).items() for j in others}


BOTH = {(0, 1), (1, 0)}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (["avoid"], ["standard-dosing"], BOTH),
        (["contraindicated"], ["no-action-needed"], BOTH),
        (["use-alternative"], ["no-action-needed", "see-label"], BOTH),
        (["increase-dose"], ["decrease-dose"], BOTH),
        (["increase-dose"], ["limit-dose"], BOTH),
        (["avoid"], ["decrease-dose"], set()),
        (["decrease-dose"], ["standard-dosing"], set()),
        (["avoid"], ["no-recommendation"], set()),
        (["avoid", "decrease-dose"], ["decrease-dose"], set()),
        (["standard-dosing", "increase-dose"], ["increase-dose"], set()),
    ],
)
def test_against_the_drug_and_as_usual_contradict_and_so_do_more_and_less(
    one: Sequence[str], other: Sequence[str], expected: set[tuple[int, int]]
) -> None:
    same = state("G")
    assert flagged(advice("CPIC", *one, G=same), advice("DPWG", *other, G=same)) == expected


def test_one_source_does_not_contradict_itself() -> None:
    same = state("G")
    assert not flagged(advice("CPIC", "avoid", G=same), advice("CPIC", "standard-dosing", G=same))


def test_two_possibilities_of_an_ambiguous_gene_do_not_contradict() -> None:
    assert not flagged(advice("CPIC", "avoid", G=state("G")), advice("DPWG", "standard-dosing", G=state("G")))


def test_advice_for_different_populations_does_not_contradict() -> None:
    same = state("G")
    children = advice("CPIC", "avoid", population="children", G=same)
    assert not flagged(children, advice("DPWG", "standard-dosing", population="adults", G=same))
    assert flagged(children, advice("DPWG", "standard-dosing", G=same)) == BOTH


def test_advice_by_another_gene_answers_another_question() -> None:
    a, b = state("A"), state("B")
    assert not flagged(advice("CPIC", "avoid", A=a), advice("DPWG", "standard-dosing", B=b))
    assert not flagged(advice("CPIC", "avoid", A=a, B=b), advice("DPWG", "standard-dosing", B=b))


def test_advice_by_another_risk_allele_of_the_gene_answers_another_question() -> None:
    typed = state("HLA-B")
    usual = advice("CPIC", "standard-dosing", keys={"HLA-B": "*15:02 negative"}, **{"HLA-B": typed})
    for risk, expected in (("*15:11", set()), ("*15:02", BOTH)):
        against = advice("DPWG", "avoid", keys={"HLA-B": f"{risk} positive"}, **{"HLA-B": typed})
        assert flagged(usual, against) == expected


def test_a_source_that_agrees_by_one_gene_does_not_contradict_by_another() -> None:
    a, b = state("A"), state("B")
    assert not flagged(
        advice("CPIC", "avoid", A=a, B=b), advice("DPWG", "avoid", A=a), advice("DPWG", "no-action-needed", B=b)
    )


def test_a_flag_names_the_rules_of_the_other_side() -> None:
    everything = advise(reported("CYP2D6", "*1/*4"), matched("CYP2C19", "*2/*2"), matched("SLCO1B1", "*5/*5"))
    by_rule = {r.rule: r for r in everything}
    contradicted = [r for r in everything if r.conflict]
    assert {"CPIC", "DPWG"} <= {r.source for r in contradicted if r.drug == "atomoxetine"}
    for r in contradicted:
        assert all(by_rule[rule].drug == r.drug and by_rule[rule].source != r.source for rule in r.conflict)
        assert all(r.rule in by_rule[rule].conflict for rule in r.conflict)
