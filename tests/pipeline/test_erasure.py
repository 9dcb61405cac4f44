"""A patient who was erased, as hospitals and laboratories see it on the bus."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runtime.message import Headers, Message
from schemas.topics import CLINICAL_CONTEXT, LAB_RESULT, PHENOTYPE, RECOMMENDATION
from tests.pipeline.conftest import EMBEDDED, KAFKA
from tests.pipeline.deployment import Deployment, bare, lab_result
from tests.pipeline.test_clinical_context import paroxetine, statement, submit

pytestmark = pytest.mark.parametrize("deployment", [EMBEDDED, KAFKA], indirect=True)

SOURCES = (LAB_RESULT, PHENOTYPE, CLINICAL_CONTEXT)


def told(deployment: Deployment, key: bytes) -> list[Message]:
    """Everything on the recommendation topic about a patient."""
    return [one for one in deployment.messages(RECOMMENDATION) if one.key == key]


def published_now(result: dict[str, Any]) -> tuple[bytes, bytes, Headers]:
    """A lab result whose event is of a later time than any erasure until now."""
    key, value, _ = bare(result)
    about = {
        "ce_specversion": "1.0", "ce_id": f"{result['accession']}-{result['version']}", "ce_source": "/lab",
        "ce_type": LAB_RESULT.name, "ce_time": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
        "content-type": "application/json",
    }  # fmt: skip
    return key, value, tuple((name, text.encode()) for name, text in about.items())


def test_is_gone_for_subscribers_and_nothing_old_brings_the_patient_back(deployment: Deployment, tenant: str) -> None:
    key = f"{tenant}/p-1".encode()
    submit(deployment, lab_result(tenant=tenant), statement(tenant, 4, **paroxetine("started")))
    submit(deployment, lab_result(tenant=tenant, patient="p-2"))
    deployment.wait_for_events(tenant, 2)
    deployment.settled(tenant)
    old = {topic: [one for one in deployment.messages(topic) if one.key == key] for topic in SOURCES}
    assert all(old.values())

    deployment.pgx("patient", "erase", "p-1", "--tenant", tenant, check=True)
    deployment.until(lambda: told(deployment, key)[-1].value, lambda value: value is None, "the tombstone")
    before = told(deployment, key)
    for topic, messages in old.items():
        deployment.publish(*((one.key, one.value, one.headers) for one in messages), topic=topic)
    corrected = lab_result(tenant=tenant, version=2, status="corrected")
    deployment.publish_results([corrected])
    deployment.settled(tenant)
    assert told(deployment, key) == before
    assert deployment.dead_letters(key) == []
    assert deployment.pgx("report", "p-1", "--tenant", tenant).returncode == 3
    assert deployment.pgx("report", "p-2", "--tenant", tenant).returncode == 0

    deployment.publish(published_now(corrected))
    anew = deployment.until(lambda: told(deployment, key)[-1].value, lambda value: value is not None, "a new patient")
    event = json.loads(anew or b"")
    assert (event["sequence"], event["cause"]["version"]) == (1, 2)
    assert [one["change"] for one in event["changes"]] == ["issued"] * len(event["changes"])
