"""Applies the SQL files of this folder, safe when several processes start it at once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from runtime.exits import NotSetUp
from runtime.retry import Fault, persist
from runtime.settings import Settings
from services.recommender.store.connection import connect

FOLDER = Path(__file__).parent

_LOCK = int.from_bytes(hashlib.sha256(b"pgx migrations").digest()[:7], "big")
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name    text PRIMARY KEY,
    sha256  text NOT NULL,
    applied timestamptz NOT NULL DEFAULT now()
)
"""


class ChangedMigration(RuntimeError):
    """The store was migrated with another file of that name, or by a newer version of this software."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its name orders it."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(settings: Settings) -> tuple[str, ...]:
    """Bring the store that the settings name up to date; names of what was applied now.

    Raises:
        Unreachable: the database did not answer within the patience.
        ChangedMigration: nothing was done, because store and software disagree about the past.
    """
    connection = await connect(settings)
    try:
        return await apply(connection, load())
    finally:
        await connection.close()


def load(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The migrations of a folder, in order."""
    return tuple(Migration(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql")))


async def apply(connection: "asyncpg.Connection[Any]", migrations: tuple[Migration, ...]) -> tuple[str, ...]:
    """Apply what is missing, each in a transaction of its own. The lock lasts as long as the session at most."""
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute(_TABLE)
        missing = _missing(migrations, await _applied(connection))
        for migration in missing:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)", migration.name, migration.sha256
                )
        return tuple(migration.name for migration in missing)
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def check(connection: "asyncpg.Connection[Any]") -> tuple[str, ...]:
    """Names of the migrations that are missing. Raises ChangedMigration."""
    exists = await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
    applied = await _applied(connection) if exists else {}
    return tuple(migration.name for migration in _missing(load(), applied))


async def wait_until_migrated(settings: Settings, fault: Fault) -> None:
    """Return once the store is as this software needs it.

    Raises:
        Unreachable: the database did not answer within the patience.
        NotSetUp: it did, but nobody migrated it.
        ChangedMigration: the store belongs to another version.
    """

    async def attempt() -> None:
        connection = await connect(settings, "command", fault)
        try:
            if missing := await check(connection):
                raise NotSetUp(f"the results store lacks {', '.join(missing)}")
        finally:
            await connection.close()

    await persist(
        attempt,
        transient=lambda error: isinstance(error, NotSetUp),
        patience=settings.patience,
        fault=fault,
        gave_up=lambda tried: NotSetUp(f"{tried}. Run `pgx setup` first, with the same PGX_DATABASE_URL"),
    )


async def _applied(connection: "asyncpg.Connection[Any]") -> dict[str, str]:
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migrations")
    return {row["name"]: row["sha256"] for row in rows}


def _missing(migrations: tuple[Migration, ...], applied: dict[str, str]) -> list[Migration]:
    known = {migration.name: migration.sha256 for migration in migrations}
    for name, sha256 in sorted(applied.items()):
        if name not in known:
            raise ChangedMigration(f"the store has migration {name}, which this version of the software does not know")
        if known[name] != sha256:
            raise ChangedMigration(f"migration {name} was changed after it had been applied to this store")
    last = max(applied, default="")
    missing = [migration for migration in migrations if migration.name not in applied]
    for migration in missing:
        if migration.name < last:
            raise ChangedMigration(f"migration {migration.name} comes before {last}, which the store has already")
    return missing
