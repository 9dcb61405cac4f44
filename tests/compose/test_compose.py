"""`docker compose up` on the official images, used from the host as the README says."""

import json
import shlex
from pathlib import Path

import pytest

from schemas.topics import LAB_RESULT, RECOMMENDATION
from tests.compose.stack import FIRST, SECOND, SERVICES, Stack, variant

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("compose")]

PATIENT = ("p-7f3a91", "--tenant", "mercy")


def test_the_services_are_healthy_and_setup_has_ended(stack: Stack) -> None:
    state = {container["Service"]: container for container in stack.containers()}
    assert all(state[service]["Health"] == "healthy" for service in (*SERVICES, "kafka", "postgres"))
    assert (state["setup"]["State"], state["setup"]["ExitCode"]) == ("exited", 0)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_without_rights_on_a_file_system_that_it_cannot_write(stack: Stack, service: str) -> None:
    assert stack.compose("exec", "-T", service, "id", "-u").stdout.strip() == "10001"
    for path in ("/app/x", "/opt/pgx/x", "/x"):
        assert stack.compose("exec", "-T", service, "touch", path, check=False).returncode != 0


def test_results_submitted_on_the_host_become_reports_and_events(stack: Stack) -> None:
    stack.submit(FIRST, SECOND)
    report = json.loads(stack.pgx("report", *PATIENT, "--json").stdout)
    assert report["recommendations"]
    assert stack.pgx("report", "p-unknown", "--tenant", "mercy", check=False).returncode == 3
    assert stack.pgx("dlq", "list", "--json").stdout == ""


def test_kafkas_own_console_tools_publish_and_subscribe(stack: Stack, tmp_path: Path) -> None:
    value = variant(tmp_path, "CONSOLE-1").read_text()
    tools = "/opt/kafka/bin"
    producer = f"{tools}/kafka-console-producer.sh --bootstrap-server localhost:19092 --topic {LAB_RESULT.name}"
    stack.compose(
        "exec", "-T", "kafka", *shlex.split(producer), "--reader-property", "parse.key=true",
        "--reader-property", "key.separator=|", text=f"mercy/p-7f3a91|{value}\n",
    )  # fmt: skip
    consumer = f"{tools}/kafka-console-consumer.sh --bootstrap-server localhost:19092 --topic {RECOMMENDATION.name}"

    def received() -> bool:
        words = [*shlex.split(consumer), "--from-beginning", "--timeout-ms", "10000"]
        printed = stack.compose("exec", "-T", "kafka", *words, check=False).stdout
        # The tool writes the end of its patience between the values.
        events = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        return any(event["cause"]["accession"] == "CONSOLE-1" for event in events)

    assert stack.eventually(received)


def test_what_was_recommended_survives_down_and_up(stack: Stack) -> None:
    stack.submit(FIRST)
    before = stack.dump()
    stack.down()
    stack.up()
    assert stack.dump() == before
    stack.submit(FIRST)
    assert stack.dump() == before, "submitting the same content again changes nothing"


def test_three_genotypers_share_the_work(stack: Stack, tmp_path: Path) -> None:
    stack.up("--scale", "genotyper=3")
    assert sum(container["Service"] == "genotyper" for container in stack.containers()) == 3
    stack.submit(*(variant(tmp_path, f"SCALED-{number}") for number in range(5)))


def test_the_services_outlive_a_restart_of_broker_and_store(stack: Stack, tmp_path: Path) -> None:
    stack.compose("restart", "--timeout", "30", "kafka", "postgres")
    stack.submit(variant(tmp_path, "RESTARTED-1"))


def test_a_service_that_ends_comes_back(stack: Stack, tmp_path: Path) -> None:
    stack.compose("exec", "-T", "recommender", "python", "-c", "import os, signal; os.kill(1, signal.SIGTERM)")
    stack.submit(variant(tmp_path, "RETURNED-1"))


def test_services_stop_in_order_when_told(stack: Stack) -> None:
    stack.compose("stop", "--timeout", "30", *SERVICES)
    ended = [container for container in stack.containers() if container["Service"] in SERVICES]
    assert [container["ExitCode"] for container in ended] == [0] * len(ended)
