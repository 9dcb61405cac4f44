"""What happens when the database goes away for a while, or is not what the settings say."""

from pathlib import Path

import asyncpg
import pytest

from cli.embedded import postgres
from runtime.exits import Unreachable
from runtime.retry import Fault
from runtime.settings import Settings
from services.recommender.handler import Recommender
from services.recommender.migrations import migrate
from services.recommender.store import Store
from services.recommender.store.connection import connect, persistently
from tests.services.recommender.builders import assigned, release

pytestmark = pytest.mark.postgres

POOR = {"CYP2C19": "*2/*2"}


async def test_a_batch_goes_through_after_its_connections_were_reset(database_url: str, store: Store) -> None:
    settings = Settings.load(database_url=database_url, patience=10.0)
    recommender = Recommender(store, release)
    await recommender.handle([assigned(POOR, patient="p-1")])
    killer = await asyncpg.connect(database_url)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await persistently(settings, Fault(), lambda: recommender.handle([assigned(POOR, patient="p-2")]))
    assert await killer.fetchval("SELECT count(*) FROM results") == 2
    await killer.close()


async def test_a_batch_waits_for_a_server_that_restarts(tmp_path: Path) -> None:
    fault = Fault()
    with postgres.start(tmp_path, durable=False) as server:
        settings = Settings.load(database_url=server.dsn, patience=20.0)
        await migrate(settings)
        store = await Store.open(settings)
        await Recommender(store, release).handle([assigned(POOR, patient="p-1")])
    await store.close()
    with postgres.start(tmp_path, durable=False) as server:
        settings = Settings.load(database_url=server.dsn, patience=20.0)
        async with await Store.open(settings, fault=fault) as store:
            again = [assigned(POOR, patient="p-1"), assigned(POOR, patient="p-2")]
            await persistently(settings, fault, lambda: Recommender(store, release).handle(again))
            assert await store.pool.fetchval("SELECT count(*) FROM results") == 2


async def test_a_database_that_is_not_there_is_named_without_its_password() -> None:
    settings = Settings.load(database_url="postgresql://pgx:secret@127.0.0.1:1/pgx", patience=1.0)
    with pytest.raises(Unreachable, match=r"PostgreSQL at 127\.0\.0\.1:1/pgx") as error:
        await connect(settings)
    assert "secret" not in str(error.value)


async def test_an_unknown_database_is_said_at_once(database_url: str) -> None:
    settings = Settings.load(database_url=database_url.replace("/test_", "/missing_"), patience=60.0)
    with pytest.raises(Unreachable, match="does not exist"):
        await connect(settings)


async def test_only_transactions_that_keep_patients_from_others_may_not_stand_still(database_url: str) -> None:
    settings = Settings.load(database_url=database_url, patience=7.0)
    limits = []
    for locks in (True, False):
        async with await Store.open(settings, locks=locks) as store:
            limits.append(await store.pool.fetchval("SHOW idle_in_transaction_session_timeout"))
    assert limits == ["7s", "0"]
