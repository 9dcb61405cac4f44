"""A store that was dumped and restored is the same, and delivering again what came since the backup completes it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.embedded import postgres
from runtime.settings import Settings
from schemas.lab_result import Status
from services.recommender.dump import dump
from services.recommender.erasure import erase
from services.recommender.handler import Recommender, Taken
from services.recommender.migrations import migrate
from services.recommender.store import Store
from tests.services.recommender.builders import assigned, release
from tests.support.postgres import execute

pytestmark = pytest.mark.postgres

RESTORED = "restored_store"
POOR, NORMAL = {"CYP2C19": "*2/*2"}, {"CYP2C19": "*1/*1"}
FIRST = [assigned(POOR, accession="A"), assigned(POOR, accession="A", patient="p-2")]
SINCE = [assigned(NORMAL, accession="A", version=2, status=Status.CORRECTED), assigned(NORMAL, patient="p-3")]


def tools() -> Path:
    """The folder of pg_dump and pg_restore that fit the server of these tests."""
    for folder in (postgres.wheel_binaries(), postgres.system_binaries()):
        if (folder / "pg_dump").exists() and (folder / "pg_restore").exists():
            return folder
    found = shutil.which("pg_dump")
    if found is None:
        pytest.skip("pg_dump is not installed here")
    return Path(found).parent


async def run(program: Path, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(program, *arguments, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if b"server version mismatch" in said:
        pytest.skip("pg_dump here is older than the server")
    assert process.returncode == 0, said.decode()


async def everything(store: Store) -> list[bytes]:
    return [line async for line in dump(store, release)]


@asynccontextmanager
async def backed_up(
    database_url: str, server: postgres.Postgres, file: Path, before: Sequence[Taken]
) -> AsyncIterator[tuple[Store, Settings]]:
    """A store that was backed up once it had taken events in, still at work, and the settings of the restored one."""
    folder = tools()
    settings = Settings.load(database_url=database_url)
    restored = Settings.load(database_url=server.database(RESTORED))
    await migrate(settings)
    async with await Store.open(settings) as store:
        await Recommender(store, release).handle(before)
        await run(folder / "pg_dump", "--format=custom", f"--file={file}", database_url)
        await execute(server.dsn, f'CREATE DATABASE "{RESTORED}" TEMPLATE template0')
        try:
            await run(folder / "pg_restore", "--no-owner", f"--dbname={restored.database_url}", str(file))
            yield store, restored
        finally:
            await execute(server.dsn, f'DROP DATABASE "{RESTORED}" WITH (FORCE)')


async def test_a_restored_store_is_the_same_and_catches_up(
    database_url: str, postgres_server: postgres.Postgres, tmp_path: Path
) -> None:
    async with backed_up(database_url, postgres_server, tmp_path / "store.dump", FIRST) as (store, settings):
        before = await everything(store)
        await Recommender(store, release).handle(SINCE)
        after = await everything(store)
        assert await migrate(settings) == ()
        async with await Store.open(settings) as restored:
            assert await everything(restored) == before
            await Recommender(restored, release).handle([*FIRST, *SINCE])
            assert await everything(restored) == after


async def test_a_restored_store_forgets_again_whom_it_had_forgotten(
    database_url: str, postgres_server: postgres.Postgres, tmp_path: Path
) -> None:
    async with backed_up(database_url, postgres_server, tmp_path / "store.dump", FIRST) as (store, settings):
        at = datetime.now(UTC)
        await erase(store, "mercy", "p-1", at)
        await Recommender(store, release).handle([*SINCE, later(NORMAL, version=3)])
        after = await everything(store)
        async with await Store.open(settings) as restored:
            # Step by step as docs/lifecycle.md says; nothing has been published from the restored outbox yet.
            assert await erase(restored, "mercy", "p-1", at)
            waiting = await restored.pool.fetch("SELECT body FROM outbox WHERE key = 'mercy/p-1'")
            assert [row["body"] for row in waiting] == [None]
            await Recommender(restored, release).handle([*FIRST, *SINCE, later(NORMAL, version=3)])
            assert await everything(restored) == after


def later(calls: dict[str, str], version: int) -> Taken:
    """A delivery that the laboratory publishes after now."""
    time = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return replace(assigned(calls, accession="A", version=version), time=time)
