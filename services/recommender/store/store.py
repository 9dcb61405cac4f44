"""The store as services and commands hold it: a pool of connections, transactions for the recommender, readiness."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg

from runtime.retry import Fault
from runtime.settings import Settings
from services.recommender.store.connection import open_pool
from services.recommender.store.unit import Unit

_ADD_RULES = "INSERT INTO rules (rule) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
_RULES = "SELECT rule, number FROM rules WHERE rule = ANY ($1::text[])"


class Store:
    """An open results store."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self.pool = pool
        self._rules: dict[str, int] = {}

    @classmethod
    async def open(
        cls, settings: Settings, name: str = "command", connections: int = 4, fault: Fault | None = None
    ) -> Self:
        """Connect. Raises Unreachable when the database does not answer within the patience."""
        return cls(await open_pool(settings, name, connections, fault))

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
        async with self.pool.acquire() as connection, connection.transaction():
            yield Unit(connection, self.rule_numbers)

    async def rule_numbers(self, rules: Collection[str]) -> Mapping[str, int]:
        """The numbers that history keeps in place of rule ids; a new rule gets one, for good, at once."""
        if unknown := sorted(set(rules) - self._rules.keys()):
            await self.pool.execute(_ADD_RULES, unknown)
            found = await self.pool.fetch(_RULES, unknown)
            self._rules |= {row["rule"]: row["number"] for row in found}
        return self._rules

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["asyncpg.pool.PoolConnectionProxy[Any]"]:
        """A connection that sees the store as it is at this moment, for reading."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection
