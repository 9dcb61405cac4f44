"""A real PostgreSQL for tests: the embedded one, or the system's with ``--postgres=system``; one server a process.

``database_url`` is a fresh empty database for each test.
"""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from cli.embedded import postgres

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        choices=("embedded", "system"),
        default="embedded",
        help="which PostgreSQL server tests run against",
    )


@pytest.fixture(scope="session")
def postgres_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[postgres.Postgres]:
    """A server for all tests of this process, without safety against power loss."""
    system = request.config.getoption("--postgres") == "system"
    binaries = postgres.system_binaries() if system else postgres.wheel_binaries()
    folder: Path = tmp_path_factory.mktemp("postgres")
    with postgres.start(folder, binaries=binaries, durable=False) as server:
        yield server


async def execute(dsn: str, statement: str) -> None:
    """Runs one statement on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def database_url(postgres_server: postgres.Postgres) -> AsyncIterator[str]:
    """Address of a fresh empty database."""
    name = f"test_{next(_numbers)}"
    await execute(postgres_server.dsn, f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield postgres_server.database(name)
    await execute(postgres_server.dsn, f'DROP DATABASE "{name}" WITH (FORCE)')
