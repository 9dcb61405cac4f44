"""The store's schema: made once, in order, whoever starts first; never made from a file that was changed."""

import asyncio

import asyncpg
import pytest

from runtime.settings import Settings
from services.recommender.migrations import ChangedMigration, apply, check, migrate
from services.recommender.migrations.runner import Migration

pytestmark = pytest.mark.postgres


def settings(database_url: str) -> Settings:
    return Settings.load(database_url=database_url)


async def test_a_fresh_store_gets_every_migration_and_a_second_setup_changes_nothing(database_url: str) -> None:
    first = await migrate(settings(database_url))
    assert first[0] == "0001_results_store"
    assert await migrate(settings(database_url)) == ()


async def test_two_setups_at_once_apply_each_migration_once(database_url: str) -> None:
    outcomes = await asyncio.gather(*(migrate(settings(database_url)) for _ in range(4)))
    assert sorted(outcomes, key=len)[:3] == [(), (), ()]
    assert sum(map(len, outcomes)) >= 1


async def test_a_migration_changed_after_it_was_applied_is_refused(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await apply(connection, (Migration("0001_a", "CREATE TABLE a (id int)"),))
    with pytest.raises(ChangedMigration, match="0001_a was changed"):
        await apply(connection, (Migration("0001_a", "CREATE TABLE a (id bigint)"),))
    await connection.close()


async def test_a_store_of_a_newer_version_is_refused(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await apply(connection, (Migration("0001_a", "SELECT 1"), Migration("0002_b", "SELECT 1")))
    with pytest.raises(ChangedMigration, match="0002_b"):
        await apply(connection, (Migration("0001_a", "SELECT 1"),))
    await connection.close()


async def test_a_migration_that_fails_leaves_nothing_of_itself(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    broken = Migration("0002_b", "CREATE TABLE half (id int); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await apply(connection, (Migration("0001_a", "CREATE TABLE a (id int)"), broken))
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    assert await apply(connection, (Migration("0001_a", "CREATE TABLE a (id int)"),)) == ()
    await connection.close()


async def test_a_service_can_tell_what_is_missing(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    assert await check(connection) != ()
    await migrate(settings(database_url))
    assert await check(connection) == ()
    await connection.close()
