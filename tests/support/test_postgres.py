"""The fixture that other tests rely on."""

import asyncpg
import pytest

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("attempt", [1, 2])
async def test_each_test_has_an_empty_database(database_url: str, attempt: int) -> None:
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.execute("CREATE TABLE left_behind (id int)")
    await connection.close()
    assert tables == 0, f"attempt {attempt}"
