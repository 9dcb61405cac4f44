"""One deployment for each kind of broker and stream engine; tests keep apart by using tenants of their own."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.embedded.postgres import Postgres
from tests.pipeline.deployment import Deployment
from tests.support.kafka import Broker
from tests.support.postgres import execute

EMBEDDED = pytest.param(("embedded", "faust"), id="embedded-faust", marks=pytest.mark.xdist_group("embedded"))
KAFKA = pytest.param(
    ("kafka", "faust"), id="kafka-faust", marks=[pytest.mark.kafka, pytest.mark.xdist_group("kafka-faust")]
)
KAFKA_AIOKAFKA = pytest.param(
    ("kafka", "aiokafka"), id="kafka-aiokafka", marks=[pytest.mark.kafka, pytest.mark.xdist_group("kafka-aiokafka")]
)
KINDS = [EMBEDDED, KAFKA, KAFKA_AIOKAFKA]


@pytest.fixture(scope="session", params=KINDS)
def deployment(
    request: pytest.FixtureRequest,
    broker_of: Callable[[str], Broker],
    postgres_server: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """A running deployment. Do not stop its services: ``own_deployment`` is for that."""
    kind, engine = request.param
    yield from _running(broker_of(kind), engine, postgres_server, tmp_path_factory)


@pytest.fixture(params=KINDS)
def own_deployment(
    request: pytest.FixtureRequest,
    broker_of: Callable[[str], Broker],
    postgres_server: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """A running deployment for one test, which may stop and start its services."""
    kind, engine = request.param
    yield from _running(broker_of(kind), engine, postgres_server, tmp_path_factory)


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test has."""
    return f"t-{uuid.uuid4().hex[:12]}"


def _running(broker: Broker, engine: str, server: Postgres, folders: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder: Path = folders.mktemp(f"{broker.kind}-{engine}")
    database = f"pipeline_{folder.name.replace('-', '_')}"
    asyncio.run(execute(server.dsn, f'CREATE DATABASE "{database}" TEMPLATE template0'))
    deployment = Deployment(broker, server.database(database), engine, folder)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()
