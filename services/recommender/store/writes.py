"""Writes that go to the database as one statement: each on its own would cost a turn of both processes."""

import re
from collections.abc import Sequence
from typing import Any

import asyncpg

_PARAMETER = re.compile(r"\$(\d+)")


class Writes:
    """Collects statements that write, none of which needs to see what another one has written.

    They become the parts of one ``WITH``: all see the store as it was before, and no row may be changed by two of them
    (PostgreSQL, "Data-Modifying Statements in WITH").
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._arguments: list[Any] = []

    def add(self, statement: str, *arguments: Any) -> None:
        """``statement``: an INSERT, UPDATE or DELETE whose parameters are ``$1``, ``$2`` and so on."""
        before = len(self._arguments)
        numbered = _PARAMETER.sub(lambda match: f"${int(match[1]) + before}", statement)
        self._parts.append(f"part_{len(self._parts)} AS ({numbered})")
        self._arguments += arguments

    def add_rows(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """``statement`` takes one array for each column. Nothing is done for no rows."""
        if rows:
            self.add(statement, *(list(column) for column in zip(*rows, strict=True)))

    async def execute(self, connection: "asyncpg.pool.PoolConnectionProxy[Any]", last: str = "SELECT") -> None:
        """Do all of it. ``last`` ends the statement: what stands after a ``WITH``, without parameters."""
        parts = f"WITH {', '.join(self._parts)} " if self._parts else ""
        await connection.execute(f"{parts}{last}", *self._arguments)
