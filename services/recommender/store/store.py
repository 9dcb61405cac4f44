"""The store as services and commands hold it: a pool of connections, transactions for the recommender, readiness."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg

from runtime.retry import Fault
from runtime.settings import Settings
from services.recommender.store.connection import open_pool
from services.recommender.store.numbers import Dictionaries
from services.recommender.store.unit import Unit


class Store:
    """An open results store."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        """``pool`` has at least two connections."""
        self.pool = pool
        # A transaction asks for numbers on another connection, so that these last whatever becomes of it: one is left.
        self._transactions = asyncio.Semaphore(pool.get_max_size() - 1)
        self.numbers = Dictionaries(pool)

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
            unit = Unit(connection, self.numbers)
            yield unit
        if unit.known is not None:
            self.numbers.remember(unit.known)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["asyncpg.pool.PoolConnectionProxy[Any]"]:
        """A connection that sees the store as it is at this moment, for reading."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection
