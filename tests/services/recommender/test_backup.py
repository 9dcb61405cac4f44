"""A store that was dumped and restored is the same, and delivering again what came since the backup completes it."""

import asyncio
import shutil
from pathlib import Path

import pytest

from cli.embedded import postgres
from runtime.settings import Settings
from schemas.lab_result import Status
from services.recommender.dump import dump
from services.recommender.handler import Recommender
from services.recommender.migrations import migrate
from services.recommender.store import Store
from tests.services.recommender.builders import assigned, release
from tests.support.postgres import execute

pytestmark = pytest.mark.postgres

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


async def test_a_restored_store_is_the_same_and_catches_up(
    database_url: str, postgres_server: postgres.Postgres, tmp_path: Path
) -> None:
    folder, backup = tools(), str(tmp_path / "store.dump")
    settings = Settings.load(database_url=database_url)
    await migrate(settings)
    async with await Store.open(settings) as store:
        await Recommender(store, release).handle(FIRST)
        before = await everything(store)
        await run(folder / "pg_dump", "--format=custom", f"--file={backup}", database_url)
        await Recommender(store, release).handle(SINCE)
        after = await everything(store)
    restored = postgres_server.database("restored_store")
    await execute(postgres_server.dsn, 'CREATE DATABASE "restored_store" TEMPLATE template0')
    try:
        await run(folder / "pg_restore", "--no-owner", f"--dbname={restored}", backup)
        again = Settings.load(database_url=restored)
        assert await migrate(again) == ()
        async with await Store.open(again) as store:
            assert await everything(store) == before
            await Recommender(store, release).handle([*FIRST, *SINCE])
            assert await everything(store) == after
    finally:
        await execute(postgres_server.dsn, 'DROP DATABASE "restored_store" WITH (FORCE)')
