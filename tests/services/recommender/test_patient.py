"""One patient over several results: which one counts, what they say together, what a further one changes."""

from functools import reduce
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Code, Rejected
from schemas.genotype import CallStatus
from schemas.lab_result import Status
from schemas.recommendation import ChangeKind, RecommendationsChanged
from services.recommender.merging import Delivery
from services.recommender.patient import Patient
from services.recommender.state import State, state_of
from tests.services.recommender.builders import NO_CALL, NOT_ASSAYED, delivery, release

POOR = {"CYP2C19": "*2/*2"}
NORMAL = {"CYP2C19": "*1/*1"}


def accept(*deliveries: Delivery) -> tuple[Patient, list[RecommendationsChanged]]:
    patient, events = Patient("mercy", "p-1"), []
    for one in deliveries:
        outcome = patient.accept(one, release)
        patient = outcome.patient
        events += [outcome.event] if outcome.event else []
    return patient, events


def state(*deliveries: Delivery) -> State:
    return state_of(deliveries, release)


def diplotypes(known: State) -> dict[str, str]:
    return {call.gene: call.diplotypes[0].label if call.diplotypes else call.status.value for call in known.genotypes}


def clopidogrel(known: State) -> set[tuple[str, ...]]:
    found = known.recommendations
    return {one.actions for one in found if (one.drug, one.source) == ("clopidogrel", "CPIC")}


class TestTheResultThatCounts:
    def test_a_corrected_result_replaces_its_original_whichever_came_first(self) -> None:
        original = delivery(POOR, version=1)
        corrected = delivery(NORMAL, version=2, status=Status.CORRECTED)
        assert state(original, corrected) == state(corrected, original) == state(corrected)

    def test_a_cancelled_result_says_nothing_any_more(self) -> None:
        known = state(delivery(POOR), delivery(POOR, version=2, status=Status.CANCELLED))
        assert (known.genotypes, known.phenotypes, known.recommendations) == ((), (), ())
        assert [note.status for note in known.results] == ["cancelled"]

    def test_a_withdrawal_of_one_accession_lets_the_other_speak_again(self) -> None:
        first = delivery(POOR, accession="A", day=0)
        wrong = delivery(NORMAL, accession="B", day=5)
        withdrawn = delivery(NORMAL, accession="B", day=6, status=Status.ENTERED_IN_ERROR, version=2)
        assert diplotypes(state(first, wrong)) == {"CYP2C19": "*1/*1"}
        assert diplotypes(state(first, wrong, withdrawn)) == {"CYP2C19": "*2/*2"}

    def test_accession_numbers_of_two_laboratories_do_not_collide(self) -> None:
        known = state(delivery(POOR, laboratory="acme"), delivery({"CYP2D6": "*4/*4"}, laboratory="other"))
        assert diplotypes(known) == {"CYP2C19": "*2/*2", "CYP2D6": "*4/*4"}


class TestWhichResultSpeaksForAGene:
    def test_a_call_goes_before_a_newer_no_call(self) -> None:
        known = state(delivery(POOR, accession="A", day=0), delivery({"CYP2C19": NO_CALL}, accession="B", day=9))
        assert diplotypes(known) == {"CYP2C19": "*2/*2"}

    def test_a_no_call_goes_before_a_gene_that_was_not_assayed(self) -> None:
        older = delivery({"CYP2C19": NO_CALL}, accession="A", day=0)
        newer = delivery({"CYP2C19": NOT_ASSAYED}, accession="B", day=9)
        assert state(older, newer).genotypes[0].status is CallStatus.NO_CALL

    def test_a_final_result_goes_before_a_newer_preliminary_one(self) -> None:
        newer = delivery(NORMAL, accession="B", day=9, status=Status.PRELIMINARY)
        assert diplotypes(state(delivery(POOR, accession="A"), newer)) == {"CYP2C19": "*2/*2"}

    def test_the_newer_of_two_final_results_goes_first(self) -> None:
        known = state(
            delivery(POOR, accession="A", day=0, missing=0), delivery(NORMAL, accession="B", day=1, missing=5)
        )
        assert diplotypes(known) == {"CYP2C19": "*1/*1"}

    def test_of_two_results_of_one_day_the_one_that_saw_more_positions_goes_first(self) -> None:
        known = state(delivery(POOR, accession="A", missing=0), delivery(NORMAL, accession="B", missing=5))
        assert diplotypes(known) == {"CYP2C19": "*2/*2"}

    def test_each_phenotype_names_the_result_it_comes_from(self) -> None:
        known = state(delivery(POOR, accession="A"), delivery({"CYP2D6": "*4/*4"}, accession="B", laboratory="other"))
        sources = {one.gene: one.result.accession for one in known.phenotypes if one.result}
        assert sources == {"CYP2C19": "A", "CYP2D6": "B"}


def test_partner_genes_of_two_laboratories_meet_in_one_recommendation() -> None:
    known = state(delivery(POOR, laboratory="acme", day=0), delivery({"CYP2D6": "*4/*4"}, laboratory="other", day=30))
    both = [one for one in known.recommendations if one.drug == "amitriptyline" and one.source == "CPIC"]
    assert [one.genes["CYP2C19"] for one in both] == ["Poor Metabolizer"]
    assert {note.laboratory for note in both[0].results} == {"acme", "other"}


class TestEvents:
    def test_the_first_result_issues_its_advice_under_sequence_one(self) -> None:
        _, events = accept(delivery(POOR))
        assert [event.sequence for event in events] == [1]
        assert {change.change for change in events[0].changes} == {ChangeKind.ISSUED}
        assert events[0].cause.accession == "ACC-1"

    def test_the_same_result_again_changes_nothing(self) -> None:
        patient, events = accept(delivery(POOR, event="first"), delivery(POOR, event="second"))
        assert (patient.sequence, patient.inputs, len(events)) == (1, 1, 1)

    def test_an_original_after_its_correction_changes_nothing_but_is_kept(self) -> None:
        patient, events = accept(delivery(NORMAL, version=2, status=Status.CORRECTED), delivery(POOR, version=1))
        assert (patient.sequence, patient.inputs, len(events)) == (1, 2, 1)

    def test_a_result_without_any_call_publishes_nothing(self) -> None:
        patient, events = accept(delivery({"CYP2C19": NO_CALL, "CYP2D6": NOT_ASSAYED}))
        assert (patient.inputs, events) == (1, [])

    def test_a_correction_says_before_after_and_why(self) -> None:
        _, events = accept(delivery(POOR), delivery(NORMAL, version=2, status=Status.CORRECTED))
        change = next(one for one in events[1].changes if one.after and one.after.drug == "clopidogrel")
        assert change.change is ChangeKind.CHANGED
        assert change.before
        assert change.after
        assert change.before.genes == {"CYP2C19": "Poor Metabolizer"}
        assert change.rule == change.after.rule
        assert change.reason == (
            "result ACC-1 of acme-genomics, version 2, is corrected;"
            " CYP2C19 was Poor Metabolizer, is Normal Metabolizer"
        )

    def test_a_cancellation_withdraws_all_advice(self) -> None:
        _, events = accept(delivery(POOR), delivery(POOR, version=2, status=Status.CANCELLED))
        assert {change.change for change in events[1].changes} == {ChangeKind.WITHDRAWN}
        assert len(events[1].changes) == len(events[0].recommendations)
        assert events[1].recommendations == ()

    def test_a_confirmation_of_a_preliminary_result_is_published_without_changes_of_advice(self) -> None:
        _, events = accept(delivery(POOR, status=Status.PRELIMINARY), delivery(POOR, status=Status.FINAL))
        assert [event.sequence for event in events] == [1, 2]
        assert events[1].changes == ()

    def test_another_genotype_with_the_same_advice_is_no_change_of_advice(self) -> None:
        _, events = accept(delivery(POOR), delivery({"CYP2C19": "*2/*3"}, version=2, status=Status.CORRECTED))
        assert events[1].sequence == 2
        assert events[1].changes == ()

    def test_a_later_release_governs_the_advice_and_is_named_as_a_reason(self) -> None:
        thiopurines = {"TPMT": "*1/*3A"}
        _, events = accept(
            delivery(thiopurines, accession="A"), delivery({"NUDT15": "*1/*1"}, accession="B", knowledge="2026.11")
        )
        assert [event.knowledge.release for event in events] == ["2025.11", "2026.11"]
        assert any("knowledge release was 2025.11, is 2026.11" in change.reason for change in events[1].changes)

    def test_a_release_that_is_not_installed_is_refused(self) -> None:
        def none(release_id: str) -> object:
            raise KeyError(release_id)

        with pytest.raises(Rejected) as refused:
            Patient("mercy", "p-1").accept(delivery(POOR), none)  # type: ignore[arg-type]
        assert refused.value.code is Code.UNKNOWN_RELEASE


GENES = st.dictionaries(
    st.sampled_from(["CYP2C19", "CYP2D6", "TPMT"]),
    st.sampled_from(["*1/*1", "*1/*3", "*3/*3", NO_CALL, NOT_ASSAYED]),
    min_size=1,
)
DELIVERIES = st.builds(
    delivery,
    GENES,
    laboratory=st.sampled_from(["acme", "other"]),
    accession=st.sampled_from(["A", "B"]),
    version=st.integers(1, 2),
    status=st.sampled_from(list(Status)),
    day=st.integers(0, 2),
    missing=st.integers(0, 1),
    knowledge=st.sampled_from(["2025.11", "2026.11"]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(DELIVERIES, max_size=5), st.randoms(use_true_random=False))
def test_any_order_and_repetition_ends_in_the_same_state(deliveries: list[Delivery], random: object) -> None:
    shuffled = deliveries + deliveries[:2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    once, _ = accept(*deliveries)
    again, _ = accept(*shuffled)
    assert (once.state or State()) == (again.state or State()) == state(*deliveries)
    assert once.inputs == again.inputs


@settings(deadline=None, max_examples=40)
@given(st.lists(DELIVERIES, min_size=1, max_size=5))
def test_every_difference_is_published_once_and_the_last_event_is_the_state(deliveries: list[Delivery]) -> None:
    patient, events = accept(*deliveries)
    assert [event.sequence for event in events] == list(range(1, patient.sequence + 1))
    lists = [((), (), ()), *((event.phenotypes, event.recommendations, event.findings) for event in events)]
    assert all(one != following for one, following in pairwise(lists))
    assert patient.state
    assert lists[-1] == (patient.state.phenotypes, patient.state.recommendations, patient.state.findings)


def test_three_deliveries_of_an_accession_in_every_order() -> None:
    three = [
        delivery(POOR, status=Status.PRELIMINARY),
        delivery(POOR, status=Status.FINAL),
        delivery(NORMAL, version=2, status=Status.AMENDED),
    ]
    states = [accept(*order)[0].state for order in permutations(three)]
    assert reduce(lambda one, other: one if one == other else None, states) == state(three[2])
