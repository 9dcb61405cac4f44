"""The bytes of a recommendation event are the canonical ones, however they are made and kept."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.store.panel import events
from schemas.lab_result import Status
from schemas.serialise import to_json
from services.recommender.body import body_of, pack, unpack
from services.recommender.context.current import Statement
from services.recommender.merging import Delivery
from services.recommender.patient import Acceptance, Patient
from services.recommender.state import Input
from tests.services.recommender.builders import NO_CALL, delivery, release
from tests.services.recommender.context.statements import statement

POOR = delivery(
    {
        "CYP2C19": "*2/*2", "CYP2D6": "*1/*1", "CYP2C9": "*1/*3", "TPMT": "*1/*3A",
        "VKORC1": "rs9923231 reference (C)/rs9923231 variant (T)",
    }
)  # fmt: skip
CORRECTED = delivery({"CYP2C19": "*1/*1", "CYP2D6": "*1/*1", "TPMT": "*1/*3A"}, version=2, status=Status.CORRECTED)
CANCELLED = delivery({"CYP2C19": "*2/*2"}, version=3, status=Status.CANCELLED)
UNSURE = delivery({"CYP3A5": "*1/*3", "CYP2B6": NO_CALL}, accession="B", status=Status.PRELIMINARY)
TAKING = statement(started=["paroxetine", "warfarin"], birth_year=1961, height_cm=170.0, weight_kg=71.5)


def accepted(*inputs: Input) -> Acceptance:
    """What the last of these inputs did."""
    patient = Patient("mercy", "p-1")
    for one in inputs:
        accept = patient.accept_statement if isinstance(one, Statement) else patient.accept
        outcome = accept(one, release)  # type: ignore[arg-type]
        patient = outcome.patient
    return outcome


@pytest.mark.parametrize(
    "inputs",
    [[POOR], [POOR, CORRECTED], [POOR, CANCELLED], [POOR, UNSURE], [POOR, TAKING], [TAKING, POOR, CORRECTED]],
    ids=["issued", "changed", "withdrawn", "merged", "converted and dosed", "changed under medication"],
)
def test_a_body_is_the_events_canonical_json(inputs: list[Input]) -> None:
    outcome = accepted(*inputs)
    assert outcome.notice
    assert body_of(outcome.notice) == to_json(outcome.notice.event)
    assert unpack(pack(body_of(outcome.notice))) == to_json(outcome.notice.event)


def test_the_cases_have_what_few_recommendations_say() -> None:
    told = accepted(POOR, TAKING).after.recommendations
    assert any(one.current_medication for one in told)
    assert any(one.phenoconverted for one in told)
    assert any(one.dose_estimate for one in told)


@pytest.mark.parametrize("seed", range(3))
def test_the_body_of_a_whole_panel_is_canonical_too(seed: int) -> None:
    known = release("2026.11")
    for one in events(known, 2, seed):
        outcome = accepted(Delivery.of(one.data))
        assert outcome.notice
        assert body_of(outcome.notice) == to_json(outcome.notice.event)


@given(st.text())
def test_a_reason_is_escaped_as_everything_else_is(reason: str) -> None:
    for outcome in (accepted(UNSURE), accepted(UNSURE, POOR)):
        assert outcome.notice
        notice = replace(outcome.notice, reason=reason)
        assert body_of(notice) == to_json(notice.event)


@given(st.binary())
def test_packing_loses_nothing(body: bytes) -> None:
    assert unpack(pack(body)) == body
