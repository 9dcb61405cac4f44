"""The current state is a function of the set of what was accepted: no order, repetition or batching changes it."""

import asyncio
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.settings import Settings
from schemas.lab_result import Status
from services.recommender.handler import Taken
from services.recommender.migrations import migrate
from services.recommender.store import Store
from tests.lifecycle.inputs import LABORATORIES, arrival, erasing, lives, result, said_of
from tests.lifecycle.orders import current_after

pytestmark = pytest.mark.postgres

# Three patients and two numbers: nearly every result is filed under several patients at some time.
RESULTS = st.builds(
    lambda seed, **about: result(random.Random(seed), **about),
    st.integers(0, 40),
    patient=st.sampled_from(["p-1", "p-2", "p-3"]),
    laboratory=st.sampled_from(LABORATORIES[:2]),
    accession=st.sampled_from(["A", "B"]),
    version=st.integers(1, 2),
    status=st.sampled_from(list(Status)),
)
STATEMENTS = st.builds(
    lambda seed, **about: said_of(random.Random(seed), "mercy", **about),
    st.integers(0, 40),
    patient=st.sampled_from(["p-1", "p-2", "p-3"]),
    document=st.sampled_from(["S-1", "S-2"]),
)
SAID = st.lists(RESULTS | RESULTS | STATEMENTS, min_size=2, max_size=8)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=SAID, seed=st.integers(0, 1000))
def test_any_order_repetition_and_batching_ends_in_the_same_store(
    database_url: str, said: list[Taken], seed: int
) -> None:
    async def compare() -> None:
        async with await _migrated(database_url) as store:
            expected = await current_after(store, [[one] for one in said])
            assert await current_after(store, arrival(said, seed, repeated=0.5)) == expected

    asyncio.run(compare())


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=SAID, seed=st.integers(0, 1000))
def test_whenever_patients_are_erased_only_what_was_published_later_is_left(
    database_url: str, said: list[Taken], seed: int
) -> None:
    left, coming = erasing(said, seed)

    async def compare() -> None:
        async with await _migrated(database_url) as store:
            expected = await current_after(store, [[one] for one in left])
            assert await current_after(store, coming) == expected

    asyncio.run(compare())


async def test_random_lives_of_many_results_end_in_the_same_store(database_url: str) -> None:
    said = lives(patients=60, seed=7)
    async with await _migrated(database_url) as store:
        expected = await current_after(store, [said[start : start + 100] for start in range(0, len(said), 100)])
        assert await current_after(store, arrival(said, seed=8)) == expected
    assert sum(b'"kind":"identity"' in line for line in expected) >= 3
    assert sum(b'"kind":"discordance"' in line for line in expected) >= 3
    assert sum(b'"medications"' in line for line in expected) >= 3


async def _migrated(database_url: str) -> Store:
    settings = Settings.load(database_url=database_url)
    await migrate(settings)
    return await Store.open(settings)
