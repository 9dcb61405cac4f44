"""Numbers that rows keep in place of what many patients share: a value gets one for good, at once."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import asyncpg

from services.recommender.view import Lookup, Medicine

T = TypeVar("T", bound=Hashable)

_REMEMBERED = 200_000
"""Values of a table whose numbers are kept at hand."""


class Table(NamedTuple, Generic[T]):
    """A table of numbered values."""

    name: str
    columns: Mapping[str, Callable[[T], Any]]
    """By name with its type: of a value. What the first one holds tells values apart."""

    @property
    def statement(self) -> str:
        """Adds the values that are new; gives the number of each that is there or was added."""
        names = [name.split()[0] for name in self.columns]
        arrays = ", ".join(f"${place}::{name.split()[1]}[]" for place, name in enumerate(self.columns, 1))
        key = names[0]
        return f"""
        WITH added AS (
            INSERT INTO {self.name} ({", ".join(names)}) SELECT * FROM unnest({arrays})
            ON CONFLICT DO NOTHING RETURNING {key}, number
        )
        SELECT {key} AS key, number FROM added
        UNION ALL SELECT {key}, number FROM {self.name} WHERE {key} = ANY ($1)
        """  # noqa: S608 - constants


RULES: Table[str] = Table("rules", {"rule text": str})
LOOKUPS: Table[Lookup] = Table(
    "lookups", {"sha256 bytea": lambda one: one.sha256, "gene text": lambda one: one.gene,
                "content json": lambda one: one.content}
)  # fmt: skip
MEDICATIONS: Table[Medicine] = Table(
    "medications", {"sha256 bytea": lambda one: one.sha256, "content json": lambda one: one.content}
)


class Numbers(Generic[T]):
    """The numbers of one table, those met before without asking again."""

    def __init__(self, pool: "asyncpg.Pool[Any]", table: Table[T]) -> None:
        self._pool = pool
        self._statement = table.statement
        self._key, *_ = table.columns.values()
        self._columns = tuple(table.columns.values())
        self._known: dict[T, int] = {}

    async def of(self, values: Collection[T]) -> Mapping[T, int]:
        """The numbers of these values, among others."""
        unknown = {self._key(one): one for one in values if one not in self._known}
        if unknown and len(self._known) > _REMEMBERED:
            self._known.clear()
            unknown = {self._key(one): one for one in values}
        while unknown:  # what another process adds at this moment is seen by the next look alone
            # In one order, so that two that add the same wait for one another instead of deadlocking.
            ordered = [unknown[key] for key in sorted(unknown)]
            for row in await self._pool.fetch(self._statement, *([of(one) for one in ordered] for of in self._columns)):
                self._known[unknown.pop(row["key"])] = row["number"]
        return self._known


class Known(NamedTuple):
    """Numbers of what was asked for, among others."""

    rules: Mapping[str, int]
    lookups: Mapping[Lookup, int]
    medications: Mapping[Medicine, int]


class Dictionaries:
    """The numbers of all tables."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self.rules = Numbers(pool, RULES)
        """That history keeps."""
        self.lookups = Numbers(pool, LOOKUPS)
        """That patients keep, as are those of medications."""
        self.medications = Numbers(pool, MEDICATIONS)

    async def of(self, rules: Collection[str], lookups: Collection[Lookup], medications: Collection[Medicine]) -> Known:
        """The numbers of all these. New values of several tables are added side by side: each waits for the disk."""
        return Known(
            *await asyncio.gather(self.rules.of(rules), self.lookups.of(lookups), self.medications.of(medications))
        )
