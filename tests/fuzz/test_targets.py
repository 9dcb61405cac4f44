"""The targets of fuzzing hold for their seeds, and for a few mutations of them."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import targets

KINDS = [
    *(pytest.param(targets.event, seed, id=f"event-{number}") for number, seed in enumerate(targets.event_seeds())),
    *(pytest.param(targets.vcf, seed, id=f"vcf-{number}") for number, seed in enumerate(targets.vcf_seeds())),
]


@pytest.mark.parametrize(("target", "seed"), KINDS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_nothing_but_an_answer_or_a_rejection(
    target: Callable[[bytes], None], seed: bytes, data: st.DataObject
) -> None:
    target(seed)
    at = data.draw(st.integers(0, len(seed)))
    put = data.draw(st.binary(max_size=4) | st.sampled_from([b"}", b'"', b"\t", b"-1", b"1e9", b"\n", b"|", b"."]))
    target(seed[:at] + put + seed[at + data.draw(st.integers(0, 8)) :])
