"""What is known of a patient follows from the set of statements, whatever order they came in."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clinical_context import Ancestry, OrganFunction, Organs, Smoking, StatementStatus, Transplant
from schemas.lab_result import Sex
from services.recommender.context.current import Context, Statement, current
from tests.services.recommender.context.statements import on, statement


def taking(*statements: Statement) -> list[str | None]:
    context = current(statements)
    return [] if context is None else [one.name for one in context.medications]


def known(*statements: Statement) -> Context:
    context = current(statements)
    assert context is not None
    return context


def test_nothing_said_is_no_context() -> None:
    assert current([]) is None


def test_a_drug_is_taken_from_its_start_to_its_stop() -> None:
    start = statement("A", day=1, started=["paroxetine", "metoprolol"])
    stop = statement("B", day=2, stopped=["Paroxetine"])
    assert taking(start) == ["metoprolol", "paroxetine"]
    assert taking(start, stop) == ["metoprolol"]
    assert taking(start, stop, statement("C", day=3, started=["paroxetine"])) == ["metoprolol", "paroxetine"]


def test_a_start_that_arrives_after_the_stop_that_followed_it_changes_nothing() -> None:
    assert taking(statement("B", day=2, stopped=["paroxetine"]), statement("A", day=1, started=["paroxetine"])) == []


def test_a_later_version_takes_the_place_of_an_earlier_one_with_all_it_said() -> None:
    wrong = statement("A", version=1, day=1, started=["paroxetine", "metoprolol"], weight_kg=170.0)
    right = statement("A", version=2, day=2, started=["metoprolol"])
    assert taking(right, wrong) == ["metoprolol"]
    assert known(wrong, right).weight_kg is None


def test_what_was_entered_in_error_says_nothing() -> None:
    wrong = statement("A", day=1, started=["paroxetine"])
    withdrawn = statement("A", day=2, version=2, status=StatementStatus.ENTERED_IN_ERROR, started=["paroxetine"])
    assert current([wrong, withdrawn]) is None
    assert taking(wrong, withdrawn, statement("B", day=1, started=["codeine"])) == ["codeine"]


def test_two_sources_number_their_statements_apart() -> None:
    assert taking(
        statement("1", source="ward", started=["codeine"]), statement("1", source="practice", started=["tramadol"])
    ) == ["codeine", "tramadol"]


def test_of_a_lasting_fact_the_last_word_counts_even_about_earlier_times() -> None:
    before = statement("A", day=1, sex=Sex.MALE, ancestry=Ancestry.ASIAN)
    corrected = statement("B", day=5, effective=on(-300), sex=Sex.FEMALE, birth_year=1961)
    context = known(corrected, before)
    assert (context.sex, context.birth_year, context.ancestry) == (Sex.FEMALE, 1961, Ancestry.ASIAN)


def test_of_a_measurement_the_latest_counts_even_if_an_older_one_is_said_afterwards() -> None:
    now = statement("A", day=10, weight_kg=71.5, smoking=Smoking.FORMER)
    old = statement("B", day=12, effective=on(-3000), weight_kg=64.0, height_cm=170.0, smoking=Smoking.CURRENT)
    context = known(now, old)
    assert (context.weight_kg, context.height_cm, context.smoking) == (71.5, 170.0, Smoking.FORMER)


def test_organs_are_facts_one_by_one() -> None:
    first = statement("A", day=1, organs=Organs(liver=OrganFunction.NORMAL, transplants=(Transplant.KIDNEY,)))
    second = statement("B", day=2, organs=Organs(liver=OrganFunction.IMPAIRED))
    assert known(second, first).organs == Organs(liver=OrganFunction.IMPAIRED, transplants=(Transplant.KIDNEY,))


def test_age_is_counted_up_to_the_last_statement_and_not_to_today() -> None:
    assert known(statement("A", day=1, birth_year=1961)).age == 65


FACTS: dict[str, st.SearchStrategy[Any]] = {
    "weight_kg": st.sampled_from([60.0, 70.0]),
    "sex": st.sampled_from(list(Sex)),
    "birth_year": st.integers(1930, 1932),
}


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    facts = {name: draw(values) for name, values in FACTS.items() if draw(st.booleans())}
    drugs = draw(st.lists(st.sampled_from(["paroxetine", "codeine", "warfarin"]), unique=True))
    split = draw(st.integers(0, len(drugs)))
    return statement(
        draw(st.sampled_from("AB")), day=draw(st.integers(1, 4)), version=draw(st.integers(1, 2)),
        source=draw(st.sampled_from(["ward", "practice"])), status=draw(st.sampled_from(list(StatementStatus))),
        started=drugs[:split], stopped=drugs[split:], **facts,
    )  # fmt: skip


@settings(deadline=None)
@given(st.lists(statements(), max_size=6), st.randoms(use_true_random=False))
def test_order_and_repetition_of_statements_make_no_difference(said: list[Statement], random: Any) -> None:
    shuffled = said + said[:2]
    random.shuffle(shuffled)
    assert current(shuffled) == current(said)
