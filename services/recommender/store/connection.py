"""Connections to the results store, by the settings, waiting for a database that is not there yet."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from runtime.exits import Unreachable
from runtime.retry import Fault, persist
from runtime.settings import Settings

T = TypeVar("T")

_CONNECT_SECONDS = 5.0


_REFUSED = (
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


def transient(error: BaseException) -> bool:
    """Whether a database error may go away by itself: connection, start-up and shutdown, resources, lock conflicts."""
    if isinstance(error, (*_REFUSED, ValueError)):
        return False
    return isinstance(
        error,
        OSError
        | TimeoutError
        # What asyncpg makes of a connection that the server ended while nobody was looking.
        | asyncpg.InterfaceError
        | asyncpg.InternalClientError
        | asyncpg.PostgresConnectionError
        | asyncpg.OperatorInterventionError
        | asyncpg.InsufficientResourcesError
        | asyncpg.TransactionRollbackError
        | asyncpg.IdleInTransactionSessionTimeoutError,
    )


def address(settings: Settings) -> str:
    """Where the store is, without user and password, for messages."""
    parts = urlsplit(settings.database_url)
    host = parts.netloc.rpartition("@")[2]
    return f"{host}{parts.path}" + (
        f"?{parts.query}" if "host=" in parts.query and "password" not in parts.query else ""
    )


def unreachable(settings: Settings, tried: str) -> Unreachable:
    """The error for a database that stayed away, with what to do about it."""
    remedy = "Start the database, or set PGX_DATABASE_URL (and PGX_DATABASE_PASSWORD_FILE) to where it is"
    return Unreachable("PostgreSQL", address(settings), tried, remedy)


def options(settings: Settings, name: str) -> dict[str, Any]:
    """What every connection is made with."""
    return {
        "dsn": settings.database_url,
        "password": settings.database_password,
        "timeout": _CONNECT_SECONDS,
        "server_settings": {"application_name": f"pgx {name}", "TimeZone": "UTC", "jit": "off"},
    }


async def connect(settings: Settings, name: str = "command", fault: Fault | None = None) -> "asyncpg.Connection[Any]":
    """One connection. Raises Unreachable when the database does not answer within the patience."""

    async def attempt() -> "asyncpg.Connection[Any]":
        connection: asyncpg.Connection[Any] = await asyncpg.connect(**options(settings, name))
        return connection

    return await persistently(settings, fault or Fault(), attempt)


async def open_pool(
    settings: Settings, name: str, size: int, fault: Fault | None = None, *, locks: bool = False
) -> "asyncpg.Pool[Any]":
    """A pool of up to ``size`` connections, one of them open. Raises Unreachable.

    ``locks``: its transactions keep patients from others. One that stands still for longer than the patience is ended,
    or a frozen process would keep them for ever; one that only reads may be as slow as whoever takes what it reads.
    """
    asked = options(settings, name)
    if locks:
        asked["server_settings"] |= {"idle_in_transaction_session_timeout": f"{settings.patience:.0f}s"}

    async def attempt() -> "asyncpg.Pool[Any]":
        return await asyncpg.create_pool(**asked, min_size=1, max_size=size)

    return await persistently(settings, fault or Fault(), attempt)


async def persistently(settings: Settings, fault: Fault, action: Callable[[], Awaitable[T]]) -> T:
    """Do ``action``, which must be safe to repeat, until the database lets it through. Raises Unreachable."""
    try:
        return await persist(
            action,
            transient=transient,
            patience=settings.patience,
            fault=fault,
            gave_up=lambda tried: unreachable(settings, tried),
        )
    except _REFUSED as error:
        raise unreachable(settings, str(error)) from error
