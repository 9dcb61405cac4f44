"""Several writes as one statement, on a real PostgreSQL."""

import asyncpg
import pytest

from services.recommender.store import Store
from services.recommender.store.writes import Writes

pytestmark = pytest.mark.postgres

_ADD = "INSERT INTO rules (rule) SELECT * FROM unnest($1::text[])"
_RENAME = "UPDATE rules SET rule = $2 WHERE rule = $1"


async def _rules(store: Store) -> set[str]:
    return {row["rule"] for row in await store.pool.fetch("SELECT rule FROM rules")}


class TestWrites:
    async def test_each_part_has_its_own_parameters_and_sees_the_store_as_it_was(self, store: Store) -> None:
        await store.pool.execute("INSERT INTO rules (rule) VALUES ('old')")
        writes = Writes()
        writes.add_rows(_ADD, [("a",), ("b",)])
        writes.add(_RENAME, "old", "new")
        writes.add(_RENAME, "a", "seen")
        writes.add_rows(_ADD, [])
        writes.add_rows(_ADD, [("c",)])
        async with store.pool.acquire() as connection:
            await writes.execute(connection)
        assert await _rules(store) == {"a", "b", "c", "new"}

    async def test_all_happen_or_none(self, store: Store) -> None:
        writes = Writes()
        writes.add_rows(_ADD, [("a",)])
        writes.add_rows(_ADD, [("b",), ("b",)])
        async with store.pool.acquire() as connection:
            with pytest.raises(asyncpg.UniqueViolationError):
                await writes.execute(connection)
        assert await _rules(store) == set()

    async def test_the_last_statement_is_done_also_alone(self, store: Store) -> None:
        async with store.pool.acquire() as connection:
            await Writes().execute(connection)
            await Writes().execute(connection, "DELETE FROM rules")
        assert await _rules(store) == set()
