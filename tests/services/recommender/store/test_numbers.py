"""Values that the store keeps once, on a real PostgreSQL."""

import asyncio

import pytest

from services.recommender.store import Store
from services.recommender.store.numbers import LOOKUPS, RULES, Numbers
from services.recommender.view import Lookup

pytestmark = pytest.mark.postgres


class TestNumbers:
    async def test_stay_whoever_asks_and_however_many_at_once(self, store: Store) -> None:
        values = [f"rule-{number}" for number in range(200)]
        askers = [Numbers(store.pool, RULES) for _ in range(8)]
        asked = (asker.of(values[place * 10 :] + values[: place * 20]) for place, asker in enumerate(askers))
        await asyncio.gather(*asked)
        later = await Numbers(store.pool, RULES).of(values)
        assert len(set(later.values())) == len(values)
        for asker in askers:
            assert {**later} | {**await asker.of(())} == later

    async def test_a_value_is_told_from_others_by_all_of_it(self, store: Store) -> None:
        one, other = Lookup("CYP2C19", ()), Lookup("CYP2D6", ())
        numbers = await Numbers(store.pool, LOOKUPS).of([one, other, one])
        assert numbers[one] != numbers[other]
        kept = await store.pool.fetch(
            "SELECT number, gene FROM lookups WHERE number = ANY ($1)", list(numbers.values())
        )
        assert {(row["number"], row["gene"]) for row in kept} == {(numbers[each], each.gene) for each in (one, other)}
