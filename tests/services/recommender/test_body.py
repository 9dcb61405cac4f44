"""The bytes of a recommendation event are the canonical ones, however they are made and kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.lab_result import Status
from schemas.serialise import to_json
from services.recommender.body import fragments, pack, unpack
from services.recommender.merging import Delivery
from services.recommender.patient import Patient
from tests.services.recommender.builders import delivery, release

POOR = delivery({"CYP2C19": "*2/*2", "TPMT": "*1/*3A"})
CORRECTED = delivery({"CYP2C19": "*1/*1", "TPMT": "*1/*3A"}, version=2, status=Status.CORRECTED)
CANCELLED = delivery({"CYP2C19": "*2/*2"}, version=3, status=Status.CANCELLED)


@pytest.mark.parametrize(
    "inputs", [[POOR], [POOR, CORRECTED], [POOR, CANCELLED]], ids=["issued", "changed", "withdrawn"]
)
def test_a_body_is_the_events_canonical_json(inputs: list[Delivery]) -> None:
    patient = Patient("mercy", "p-1")
    for one in inputs:
        outcome = patient.accept(one, release)
        patient = outcome.patient
    assert outcome.event
    assert b"".join(fragments(outcome.event)) == to_json(outcome.event)
    assert unpack(pack(fragments(outcome.event))) == to_json(outcome.event)


@given(st.lists(st.binary(max_size=20)))
def test_packing_loses_nothing(parts: list[bytes]) -> None:
    assert unpack(pack(parts)) == b"".join(parts)
