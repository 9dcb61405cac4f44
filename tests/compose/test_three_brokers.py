"""The overlay with three brokers: the loss of any one of them stops nothing and loses nothing."""

import json
import shlex
from pathlib import Path

import pytest

from schemas.topics import LAB_RESULT, RECOMMENDATION
from tests.compose.stack import SERVICES, Stack, variant

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("compose")]

OVERLAYS = ("compose.three-brokers.yml",)
BROKERS = ("kafka", "kafka-2", "kafka-3")


def topics(stack: Stack, asked: str, *question: str) -> str:
    """What Kafka's own tool says of the topics, asked of one broker."""
    tool = "/opt/kafka/bin/kafka-topics.sh --bootstrap-server localhost:19092 --describe"
    return stack.compose("exec", "-T", asked, *shlex.split(tool), *question).stdout


def test_everything_is_kept_three_times_and_confirmed_by_two(stack: Stack) -> None:
    for topic in (LAB_RESULT.name, RECOMMENDATION.name, "__consumer_offsets"):
        said = topics(stack, "kafka", "--topic", topic)
        assert "ReplicationFactor: 3" in said
        assert "min.insync.replicas=2" in said


@pytest.mark.parametrize("lost", BROKERS)
def test_the_loss_of_one_broker_stops_nothing(stack: Stack, tmp_path: Path, lost: str) -> None:
    submitted = stack.submit(*(variant(tmp_path, f"BEFORE-{lost}-{number}") for number in range(3)))
    stack.compose("kill", lost)
    submitted += stack.submit(*(variant(tmp_path, f"WITHOUT-{lost}-{number}") for number in range(5)))
    running = {one["Service"]: one["State"] for one in stack.containers()}
    assert running[lost] == "exited"
    assert all(running[service] == "running" for service in SERVICES)
    assert len(set(submitted)) == 8

    stack.compose("start", lost)
    other = next(broker for broker in BROKERS if broker != lost)
    stack.eventually(lambda: topics(stack, other, "--under-replicated-partitions").strip() == "")
    stack.submit(variant(tmp_path, f"AFTER-{lost}"))
    accessions = {json.loads(line).get("accession") for line in stack.dump().splitlines()}
    assert {f"WITHOUT-{lost}-{number}" for number in range(5)} < accessions
