"""Numbers that rows keep in place of what many patients share: a value gets one for good, at once.

A new one is committed at once, so that nobody waits for the transaction that needs it, and nobody waits for the disk:
the commit of that transaction comes later in PostgreSQL's log and takes all that is before it to the disk. Until then a
crash can take the number away, with all that refers to it: only afterwards it is remembered.
"""

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
        WITH unwaited AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)), added AS (
            INSERT INTO {self.name} ({", ".join(names)}) SELECT new.* FROM unwaited, unnest({arrays}) AS new
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

    async def of(self, values: Collection[T]) -> dict[T, int]:
        """The numbers of these values."""
        numbers = {one: self._known[one] for one in values if one in self._known}
        unknown = {self._key(one): one for one in values if one not in numbers}
        while unknown:  # what another process adds at this moment is seen by the next look alone
            # In one order, so that two that add the same wait for one another instead of deadlocking.
            ordered = [unknown[key] for key in sorted(unknown)]
            for row in await self._pool.fetch(self._statement, *([of(one) for one in ordered] for of in self._columns)):
                numbers[unknown.pop(row["key"])] = row["number"]
        return numbers

    def remember(self, numbers: Mapping[T, int]) -> None:
        """Do not ask for these again. To be called when what refers to them is on the disk."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update(numbers)


class Known(NamedTuple):
    """Numbers of what was asked for."""

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
        """The numbers of all these."""
        return Known(
            *await asyncio.gather(self.rules.of(rules), self.lookups.of(lookups), self.medications.of(medications))
        )

    def remember(self, known: Known) -> None:
        """See :meth:`Numbers.remember`."""
        self.rules.remember(known.rules)
        self.lookups.remember(known.lookups)
        self.medications.remember(known.medications)
