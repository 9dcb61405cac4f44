"""More copies of a service, and more partitions, without Docker: what docs/operations.md tells operators to do."""

import asyncio
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import GroupCoordinatorNotAvailableError

from runtime.kafka import client_options
from schemas.topics import KNOWLEDGE, RECOMMENDATION, TOPICS
from tests.pipeline.conftest import KAFKA
from tests.pipeline.deployment import SERVICES, Deployment, lab_result
from tests.support.kafka_server import KafkaServer


def members(deployment: Deployment, service: str) -> list[tuple[str, int]]:
    """The members of a service's group: their ids, and how many partitions each has."""

    async def ask() -> list[tuple[str, int]]:
        admin = AIOKafkaAdminClient(**client_options(deployment.settings))
        await admin.start()
        try:
            [described] = await admin.describe_consumer_groups([deployment.settings.group(service)])
        except GroupCoordinatorNotAvailableError:
            return []
        finally:
            await admin.close()
        of_all = [member for group in described.groups for member in group[5]]
        shares = {member[0]: ConsumerProtocolMemberAssignment.decode(member[4]) for member in of_all if member[4]}
        return [(id_, sum(len(found) for _, found in share.assignment)) for id_, share in shares.items()]

    return asyncio.run(ask())


def one_each(seen: list[tuple[str, int]], copies: list[str]) -> bool:
    """Whether there is one partition for each of the copies, whose ids begin with their names, and for one without."""
    named = [next((copy for copy in copies if id_.startswith(f"{copy}-")), "") for id_, _ in seen]
    return sorted(named) == ["", *copies] and {number for _, number in seen} == {1}


@pytest.mark.parametrize("deployment", [KAFKA], indirect=True)
def test_copies_started_by_hand_share_the_partitions(deployment: Deployment, tenant: str) -> None:
    copies = [f"{tenant}-{number}" for number in range(3)]
    for copy in copies:
        deployment.start_service("genotyper", copy)
    try:
        deployment.until(
            lambda: members(deployment, "genotyper"),
            lambda seen: one_each(seen, copies),
            "one of the four partitions for each of the four copies",
        )
        deployment.publish_results(lab_result(tenant=tenant, patient=f"p-{number}") for number in range(20))
        deployment.wait_for_events(tenant, 20)
    finally:
        for copy in copies:
            deployment.stop_service(copy)


@pytest.mark.parametrize("own_deployment", [KAFKA], indirect=True)
def test_more_partitions_keep_every_patients_order(
    own_deployment: Deployment, kafka_server: KafkaServer, tenant: str
) -> None:
    deployment = own_deployment
    patients = [f"p-{number}" for number in range(16)]

    def publish(version: int, pair: str) -> None:
        reported = [{"gene": "CYP2C19", "diplotype": pair}]
        deployment.publish_results(
            lab_result(tenant=tenant, patient=patient, version=version, reported=reported) for patient in patients
        )

    publish(1, "*2/*2")
    deployment.wait_for_events(tenant, len(patients))
    for service in SERVICES:
        deployment.stop_service(service)
    more_partitions(deployment, kafka_server, 7)
    for service in SERVICES:
        deployment.start_service(service)
    publish(2, "*1/*2")
    publish(3, "*1/*1")

    by_patient: dict[str, list[dict[str, Any]]] = {}
    for event in sorted(deployment.wait_for_events(tenant, 3 * len(patients)), key=lambda event: event["sequence"]):
        by_patient.setdefault(event["patient"], []).append(event)
    facts = {
        patient: [(one["sequence"], one["cause"]["version"]) for one in by_patient[patient]] for patient in patients
    }
    assert facts == {patient: [(1, 1), (2, 2), (3, 3)] for patient in patients}
    used = {
        one.partition for one in deployment.messages(RECOMMENDATION) if (one.key or b"").startswith(tenant.encode())
    }
    assert max(used) >= 4, "patients moved to the new partitions"


def more_partitions(deployment: Deployment, server: KafkaServer, number: int) -> None:
    """The documented commands; afterwards ``pgx setup`` finds everything as wanted."""
    tool, servers = "org.apache.kafka.tools.TopicCommand", ["--bootstrap-server", server.bootstrap_servers]
    for topic in TOPICS:
        if topic is not KNOWLEDGE:
            name = deployment.settings.topic(topic)
            server.tool(tool, [*servers, "--alter", "--topic", name, "--partitions", str(number)])
    told = deployment.pgx("setup", environment={"PGX_PARTITIONS": str(number)}, check=True)
    assert told.stdout == b"all is set up\n"
