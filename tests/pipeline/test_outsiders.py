"""Clients that know nothing of us but the documented example: librdkafka, and Kafka's own console tools."""

import json
import time
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest

from schemas.topics import RECOMMENDATION
from tests.pipeline.conftest import KAFKA
from tests.pipeline.deployment import PATIENCE_SECONDS, Deployment
from tests.support.kafka_server import KafkaServer

MESSAGE = Path(__file__).parents[2] / "examples" / "message.json"

pytestmark = pytest.mark.parametrize("deployment", [KAFKA], indirect=True)


def example(tenant: str) -> tuple[str, str]:
    """Key and value of the example message, for a tenant of our own."""
    value = MESSAGE.read_text().strip().replace('"mercy"', json.dumps(tenant))
    return f"{tenant}/{json.loads(value)['patient']}", value


def check(event: dict[str, Any]) -> None:
    assert event["sequence"] == 1
    assert {one["gene"]: one["phenotype"] for one in event["phenotypes"]} == {
        "CYP2C19": "Poor Metabolizer", "CYP2D6": "Intermediate Metabolizer",
    }  # fmt: skip
    assert "clopidogrel" in {one["drug"] for one in event["recommendations"]}


def test_librdkafka_publishes_a_result_and_reads_the_recommendations(deployment: Deployment, tenant: str) -> None:
    servers = deployment.settings.kafka_bootstrap_servers
    prefix = deployment.settings.topic_prefix
    subscriber = confluent_kafka.Consumer(
        {"bootstrap.servers": servers, "group.id": f"{prefix}hospital", "auto.offset.reset": "earliest"}
    )
    subscriber.subscribe([f"{prefix}pgx.recommendation.v1"])
    publisher = confluent_kafka.Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random"})
    key, value = example(tenant)
    publisher.produce(f"{prefix}pgx.lab-result.v1", key=key, value=value)
    assert publisher.flush(PATIENCE_SECONDS) == 0

    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        message = subscriber.poll(1)
        if message is not None and message.error() is None and message.key() == key.encode():
            break
    else:
        pytest.fail("no recommendation came")
    subscriber.close()
    check(json.loads(message.value()))
    headers = dict(message.headers())
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"pgx.recommendation.v1"
    assert headers["content-type"] == b"application/json"
    assert {"ce_id", "ce_source", "ce_time"} <= headers.keys()


def test_the_console_tools_of_kafka_do_as_well(deployment: Deployment, kafka_server: KafkaServer, tenant: str) -> None:
    servers = ["--bootstrap-server", kafka_server.bootstrap_servers]
    prefix = deployment.settings.topic_prefix
    key, value = example(tenant)
    kafka_server.tool(
        "org.apache.kafka.tools.ConsoleProducer",
        [*servers, "--topic", f"{prefix}pgx.lab-result.v1", "--reader-property", "parse.key=true"],
        f"{key}\t{value}\n".encode(),
    )
    deployment.wait_for_events(tenant, 1)
    [partition] = {message.partition for message in deployment.messages(RECOMMENDATION) if message.key == key.encode()}
    read = kafka_server.tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        [*servers, "--topic", f"{prefix}pgx.recommendation.v1", "--partition", str(partition), "--offset", "earliest",
         "--timeout-ms", "10000"],
    )  # fmt: skip
    events = [json.loads(line) for line in read.splitlines() if line.startswith(b"{")]
    [event] = [event for event in events if event["tenant"] == tenant]
    check(event)
