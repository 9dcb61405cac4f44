"""Brokers for tests: a real Apache Kafka and the embedded one.

``--broker=embedded`` (the default) or ``--broker=kafka`` decides what ``broker`` is, for suites that run on either.
Tests that need the real one are marked ``kafka`` and use ``kafka_server``. Every test gets ``settings`` with a topic
prefix of its own, so that tests share a broker without seeing one another.
"""

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.embedded import broker as embedded
from runtime.settings import Settings
from tests.support import kafka_server as real


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that accepts clients at ``bootstrap_servers``."""

    kind: str
    bootstrap_servers: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which commands and services reach it."""
        idempotence = "true" if self.kind == "kafka" else "false"
        return {"PGX_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers, "PGX_KAFKA_IDEMPOTENCE": idempotence}

    def settings(self, **values: Any) -> Settings:
        """Settings of a deployment of its own on this broker, with little patience and few partitions."""
        own: dict[str, Any] = {
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "kafka_idempotence": self.kind == "kafka",
            "topic_prefix": f"t{uuid.uuid4().hex[:12]}.",
            "partitions": 4,
            "patience": 20.0,
        }
        return Settings.load(**(own | values))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker",
        choices=("embedded", "kafka"),
        default="embedded",
        help="What the pipeline suites run on: the embedded broker, or a real Apache Kafka (Java 17 and Maven).",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reason = real.missing()
    if reason is None:
        return
    if config.getoption("--broker") == "kafka":
        raise pytest.UsageError(reason)
    for item in items:
        if item.get_closest_marker("kafka"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def broker_folder() -> Iterator[Path]:
    """A short-lived folder for the brokers' data and logs."""
    folder = Path(tempfile.mkdtemp(prefix="pgx-broker-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def embedded_broker(broker_folder: Path) -> Iterator[Broker]:
    """The embedded broker, one for each test process."""
    folder = broker_folder / "embedded"
    folder.mkdir()
    with embedded.start(folder) as running:
        yield Broker("embedded", running.bootstrap_servers)


@pytest.fixture(scope="session")
def kafka_server(broker_folder: Path) -> Iterator[real.KafkaServer]:
    """A real Apache Kafka, one for each test process. Never stop it: use ``own_kafka_server`` for that."""
    with real.running(broker_folder) as server:
        yield server


@pytest.fixture
def own_kafka_server(broker_folder: Path) -> Iterator[real.KafkaServer]:
    """A real Apache Kafka for one test, which may stop and start it."""
    with real.running(broker_folder) as server:
        yield server


@pytest.fixture(scope="session")
def broker_of(request: pytest.FixtureRequest) -> Callable[[str], Broker]:
    """Gives the session's broker of a kind, started when first asked for."""

    def get(kind: str) -> Broker:
        if kind == "embedded":
            found: Broker = request.getfixturevalue("embedded_broker")
            return found
        server: real.KafkaServer = request.getfixturevalue("kafka_server")
        return Broker("kafka", server.bootstrap_servers)

    return get


@pytest.fixture
def broker(request: pytest.FixtureRequest, broker_of: Callable[[str], Broker]) -> Broker:
    """The broker that ``--broker`` names; the real one for tests marked ``kafka``."""
    marked = request.node.get_closest_marker("kafka") is not None
    return broker_of("kafka" if marked else str(request.config.getoption("--broker")))


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def any_broker(request: pytest.FixtureRequest, broker_of: Callable[[str], Broker]) -> Broker:
    """Each kind of broker in turn: for contracts that must hold on both."""
    return broker_of(str(request.param))


@pytest.fixture
def settings(broker: Broker) -> Settings:
    """Settings of a deployment of its own on ``broker``: no topics exist yet."""
    return broker.settings()
