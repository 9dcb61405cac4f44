"""Values that the store keeps once, on a real PostgreSQL."""

import asyncio

import pytest

from services.recommender.store import Store
from services.recommender.store.numbers import LOOKUPS, RULES, Known, Numbers
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
            assert await asker.of(values) == later

    async def test_a_value_is_told_from_others_by_all_of_it(self, store: Store) -> None:
        one, other = Lookup("CYP2C19", ()), Lookup("CYP2D6", ())
        numbers = await Numbers(store.pool, LOOKUPS).of([one, other, one])
        assert numbers[one] != numbers[other]
        kept = await store.pool.fetch(
            "SELECT number, gene FROM lookups WHERE number = ANY ($1)", list(numbers.values())
        )
        assert {(row["number"], row["gene"]) for row in kept} == {(numbers[each], each.gene) for each in (one, other)}

    async def test_are_asked_for_again_until_what_refers_to_them_is_on_the_disk(self, store: Store) -> None:
        numbers = Numbers(store.pool, RULES)
        lost = await numbers.of(["rule"])
        await store.pool.execute("DELETE FROM rules")  # as a crash can, before anything refers to it
        kept = await numbers.of(["rule"])
        assert kept != lost
        assert await _stored(store) == kept
        numbers.remember(kept)
        await store.pool.execute("DELETE FROM rules")
        assert await numbers.of(["rule"]) == kept

    async def test_are_remembered_when_the_transaction_that_needs_them_is_committed(self, store: Store) -> None:
        rules = store.numbers.rules

        async def fail() -> None:
            async with store.transaction() as unit:
                unit.known = Known(await rules.of(["lost"]), {}, {})
                raise ConnectionError

        with pytest.raises(ConnectionError):
            await fail()
        async with store.transaction() as unit:
            unit.known = kept = Known(await rules.of(["kept"]), {}, {})
        await store.pool.execute("DELETE FROM rules")
        await rules.of(["lost", "kept"])
        assert "lost" in await _stored(store)
        assert (await rules.of(["kept"])) == kept.rules

    async def test_what_does_not_wait_for_the_disk_is_this_alone(self, store: Store) -> None:
        async with store.pool.acquire() as connection:
            await connection.execute("SET synchronous_commit TO on")
            await Numbers(connection, RULES).of(["rule"])
            assert await connection.fetchval("SHOW synchronous_commit") == "on"
            async with connection.transaction():
                await Numbers(connection, RULES).of(["another"])
                assert await connection.fetchval("SHOW synchronous_commit") == "off", "what a statement alone is under"


async def _stored(store: Store) -> dict[str, int]:
    return {row["rule"]: row["number"] for row in await store.pool.fetch("SELECT rule, number FROM rules")}
