"""Activations of knowledge releases as the store keeps them: which one governs whom, and how far one has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from schemas.genotype import KnowledgeRef
from services.recommender.interpretation import Governing, Interpret, activation_id

# Whoever writes patients holds it shared until the end of the transaction, so that an activation, which takes it alone
# for a moment, is seen by every transaction that commits after it.
_LOCK = 0x50475841
_HOLD = f"SELECT pg_advisory_xact_lock_shared({_LOCK})"
_HOLD_ALONE = f"SELECT pg_advisory_xact_lock({_LOCK})"
_ALL = """
SELECT number, tenant, follows, release, encode(sha256, 'hex') AS sha256, requested, started, finished,
       examined, recomputed, published
FROM activations ORDER BY number
"""
_ADD = "INSERT INTO activations (tenant, release, sha256, follows) VALUES ($1, $2, $3, $4) RETURNING number"
_START = "UPDATE activations SET started = now() WHERE number = $1 AND started IS NULL"
_COUNT = """
UPDATE activations SET examined = examined + $2, recomputed = recomputed + $3, published = published + $4
WHERE number = $1
"""
_FINISH = "UPDATE activations SET started = coalesce(started, now()), finished = now() WHERE number = $1"


@dataclass(frozen=True, slots=True)
class Activated:
    """One activation. ``finished``: every patient in its scope has come under it or a later one."""

    number: int
    tenant: str | None
    """None: every tenant without an own choice."""
    follows: bool
    """The tenant has given its own choice up: this is the one for all, and a later one for all counts as well."""
    knowledge: KnowledgeRef
    requested: datetime
    started: datetime | None
    finished: datetime | None
    examined: int
    recomputed: int
    published: int

    @property
    def id(self) -> str:
        """Of its event on the bus."""
        return activation_id(self.number, self.knowledge)


class Activations:
    """All activations at one moment."""

    def __init__(self, made: Iterable[Activated], interpret: Interpret) -> None:
        self.made = tuple(made)
        self._by_number = {one.number: Governing(one.number, one.knowledge, interpret) for one in self.made}
        self._last = {one.tenant: one for one in self.made}

    def governing(self, tenant: str) -> Governing | None:
        """What results of the tenant are read under from now on; None where nothing was activated."""
        own, common = self._last.get(tenant), self._last.get(None)
        if own is None or (own.follows and common is not None and common.number > own.number):
            own = common
        return None if own is None else self._by_number[own.number]

    def reached(self, tenant: str, at: datetime) -> Governing | None:
        """What had been brought to all patients of the tenant by then."""
        reached, chosen = None, False
        for one in self.made:
            if one.requested > at or one.tenant not in (None, tenant):
                continue
            if one.tenant is not None:
                chosen = not one.follows
            elif chosen:
                continue
            if one.finished is not None and one.finished <= at:
                reached = self._by_number[one.number]
        return reached

    def of(self, number: int | None) -> Governing | None:
        """The activation of this number."""
        return None if number is None else self._by_number[number]

    @property
    def several(self) -> bool:
        """Whether there may be events of an activation: the first one has nothing to reinterpret."""
        return len(self.made) > 1

    def last(self, tenant: str | None) -> Activated | None:
        """The last activation of exactly this scope."""
        return self._last.get(tenant)

    def own(self) -> tuple[str, ...]:
        """The tenants with a choice of their own."""
        return tuple(sorted(tenant for tenant, one in self._last.items() if tenant is not None and not one.follows))

    def lasts(self) -> tuple[Activated, ...]:
        """The last activation of each scope."""
        return tuple(self._last.values())

    def numbered(self, number: int) -> Activated:
        """The activation of this number, which exists: they never go."""
        return next(one for one in self.made if one.number == number)


async def held(connection: Any, interpret: Interpret) -> Activations:
    """The activations, none of which is made until this transaction ends."""
    await connection.execute(_HOLD)
    return await activations(connection, interpret)


async def held_alone(connection: Any, interpret: Interpret) -> Activations:
    """The activations, to make another one in this transaction: it waits for those that write patients, and they for
    it."""
    await connection.execute(_HOLD_ALONE)
    return await activations(connection, interpret)


async def activations(connection: Any, interpret: Interpret) -> Activations:
    """The activations as they are now."""
    return Activations(map(_activated, await connection.fetch(_ALL)), interpret)


async def add(connection: Any, tenant: str | None, knowledge: KnowledgeRef, *, follows: bool = False) -> int:
    """Makes an activation, in a transaction of the caller's that writes no patients. Its number.

    ``follows``: the tenant gives its own choice up; ``knowledge`` is that of all.
    """
    await connection.execute(_HOLD_ALONE)
    number: int = await connection.fetchval(_ADD, tenant, knowledge.release, bytes.fromhex(knowledge.sha256), follows)
    return number


async def start(connection: Any, number: int) -> None:
    """Notes that patients are being looked at."""
    await connection.execute(_START, number)


async def count(connection: Any, number: int, *, examined: int, recomputed: int, published: int) -> None:
    """Adds to what it has done; in the transaction that does it."""
    await connection.execute(_COUNT, number, examined, recomputed, published)


async def finish(connection: Any, number: int) -> None:
    """Notes that nobody is left."""
    await connection.execute(_FINISH, number)


def _activated(row: asyncpg.Record) -> Activated:
    knowledge = KnowledgeRef(release=row["release"], sha256=row["sha256"])
    return Activated(
        row["number"],
        row["tenant"],
        row["follows"],
        knowledge,
        row["requested"],
        row["started"],
        row["finished"],
        row["examined"],
        row["recomputed"],
        row["published"],
    )
