"""The store as services and commands hold it: a pool of connections, transactions for the recommender, readiness."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg

from runtime.retry import Fault
from runtime.settings import Settings
from services.recommender.store.connection import open_pool
from services.recommender.store.unit import Unit
from services.recommender.view import Lookup, Medicine

_ADD_RULES = "INSERT INTO rules (rule) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
_RULES = "SELECT rule, number FROM rules WHERE rule = ANY ($1::text[])"
_ADD_LOOKUPS = """
INSERT INTO lookups (sha256, gene, content) SELECT * FROM unnest($1::bytea[], $2::text[], $3::json[])
ON CONFLICT DO NOTHING
"""
_LOOKUPS = "SELECT sha256, number FROM lookups WHERE sha256 = ANY ($1::bytea[])"
_ADD_MEDICATIONS = """
INSERT INTO medications (sha256, content) SELECT * FROM unnest($1::bytea[], $2::json[]) ON CONFLICT DO NOTHING
"""
_MEDICATIONS = "SELECT sha256, number FROM medications WHERE sha256 = ANY ($1::bytea[])"
_REMEMBERED = 200_000
"""Lookups and medications whose numbers are kept at hand."""


class Store:
    """An open results store."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        """``pool`` has at least two connections."""
        self.pool = pool
        # A transaction asks for numbers on another connection, so that these last whatever becomes of it: one is left.
        self._transactions = asyncio.Semaphore(pool.get_max_size() - 1)
        self._rules: dict[str, int] = {}
        self._lookups: dict[Lookup, int] = {}
        self._medications: dict[Medicine, int] = {}

    @classmethod
    async def open(
        cls,
        settings: Settings,
        name: str = "command",
        connections: int = 4,
        fault: Fault | None = None,
        *,
        locks: bool = False,
    ) -> Self:
        """Connect. ``locks``: to write; a transaction that stands still is ended then.

        Raises Unreachable when the database does not answer within the patience.
        """
        return cls(await open_pool(settings, name, connections, fault, locks=locks))

    async def close(self) -> None:
        """Close all connections."""
        await self.pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        """A unit of work, committed when the block ends well. The block calls ``save`` itself, once, at its end."""
        async with self._transactions, self.pool.acquire() as connection, connection.transaction():
            yield Unit(connection, self)

    async def rule_numbers(self, rules: Collection[str]) -> Mapping[str, int]:
        """The numbers that history keeps in place of rule ids; a new rule gets one, for good, at once."""
        if unknown := sorted(set(rules) - self._rules.keys()):
            await self.pool.execute(_ADD_RULES, unknown)
            found = await self.pool.fetch(_RULES, unknown)
            self._rules |= {row["rule"]: row["number"] for row in found}
        return self._rules

    async def lookup_numbers(self, lookups: Collection[Lookup]) -> Mapping[Lookup, int]:
        """The numbers that patients keep in place of lookups, given in the same way."""
        if unknown := {one.sha256: one for one in lookups if one not in self._lookups}:
            if len(self._lookups) > _REMEMBERED:
                self._lookups.clear()
                unknown = {one.sha256: one for one in lookups}
            ordered = sorted(unknown)
            columns = [unknown[sha256].gene for sha256 in ordered], [unknown[sha256].content for sha256 in ordered]
            await self.pool.execute(_ADD_LOOKUPS, ordered, *columns)
            found = await self.pool.fetch(_LOOKUPS, ordered)
            self._lookups |= {unknown[row["sha256"]]: row["number"] for row in found}
        return self._lookups

    async def medication_numbers(self, medications: Collection[Medicine]) -> Mapping[Medicine, int]:
        """The numbers that patients keep in place of medications, given in the same way."""
        if unknown := {one.sha256: one for one in medications if one not in self._medications}:
            if len(self._medications) > _REMEMBERED:
                self._medications.clear()
                unknown = {one.sha256: one for one in medications}
            ordered = sorted(unknown)
            await self.pool.execute(_ADD_MEDICATIONS, ordered, [unknown[sha256].content for sha256 in ordered])
            found = await self.pool.fetch(_MEDICATIONS, ordered)
            self._medications |= {unknown[row["sha256"]]: row["number"] for row in found}
        return self._medications

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["asyncpg.pool.PoolConnectionProxy[Any]"]:
        """A connection that sees the store as it is at this moment, for reading."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection
