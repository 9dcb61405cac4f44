"""A knowledge release that is activated while results come in, as hospitals see it on the bus."""

import json
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest

from knowledge.loader import Releases
from schemas.topics import RECOMMENDATION
from tests.pipeline.conftest import EMBEDDED, KAFKA
from tests.pipeline.deployment import SERVICES, Deployment
from tests.support.results import lab_result

pytestmark = pytest.mark.parametrize("deployment", [EMBEDDED, KAFKA], indirect=True)

OLD, NEW = "2025.11", "2026.11"
NORMAL, CARRIER = {"TPMT": "*1/*1", "NUDT15": "*1/*1"}, {"TPMT": "*1/*3A", "NUDT15": "*1/*1"}
STORED = [f"p-{number:02}" for number in range(70)]
"""More than are evaluated at a time."""
LIVE = ("p-00", "p-69", "new-1", "new-2")
CORRECTED = {"version": 2, "status": "corrected", "day": 2}


def results(tenant: str, patients: Sequence[str], calls: dict[str, str], **about: Any) -> list[dict[str, Any]]:
    release = Releases().load(OLD)
    return [lab_result(calls, release, tenant=tenant, patient=patient, **about) for patient in patients]


def caused_by(events: Sequence[dict[str, Any]], cause: str) -> list[dict[str, Any]]:
    return [event for event in events if event["cause"]["type"] == cause]


def test_live_results_come_out_meanwhile_and_everybody_is_told_once(deployment: Deployment, tenant: str) -> None:
    own = ("--tenant", tenant)
    deployment.pgx("knowledge", "activate", OLD, *own, check=True)
    # Patients are evaluated in the order in which they came; partitions do not keep it unless the last comes alone.
    deployment.publish_results(results(tenant, STORED[:-1], NORMAL))
    deployment.wait_for_events(tenant, len(STORED) - 1)
    deployment.publish_results(results(tenant, STORED[-1:], NORMAL))
    deployment.wait_for_events(tenant, len(STORED))

    # So slow that it is at work until it is ended.
    command = [sys.executable, "-m", "cli.main", "knowledge", "activate", NEW, *own, "--rate", "0.2"]
    activating = subprocess.Popen(command, env=deployment.environment, cwd=deployment.folder, stderr=subprocess.PIPE)
    try:
        deployment.until(
            lambda: caused_by(deployment.recommendations(tenant), "knowledge-release"), bool, "a first change of advice"
        )
        deployment.publish_results(results(tenant, LIVE, CARRIER, **CORRECTED))
        deployment.until(
            lambda: [
                one
                for one in caused_by(deployment.recommendations(tenant), "lab-result")
                if one["cause"]["version"] == 2
            ],
            lambda came: {one["patient"] for one in came} == set(LIVE),
            "live results",
        )
        assert activating.poll() is None
    finally:
        activating.send_signal(signal.SIGKILL)
        activating.communicate()

    done = json.loads(deployment.pgx("knowledge", "activate", NEW, *own, "--json", check=True).stdout)
    assert (done["finished"], done["failed"]) == (True, [])
    assert 0 < done["changed"] < len(STORED)
    deployment.wait_for_events(tenant, 2 * len(STORED) + len(LIVE) - 1)  # p-69 came under it by its own result
    deployment.settled(tenant)
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in deployment.recommendations(tenant):
        told[event["patient"]].append(event)
    assert told.keys() == {*STORED, "new-1", "new-2"}
    for events in told.values():
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        assert events[-1]["knowledge"]["release"] == NEW
    for patient in STORED:
        releases = [event["knowledge"]["release"] for event in told[patient]]
        assert releases == [OLD] + [NEW] * (len(releases) - 1)
        assert len(caused_by(told[patient], "knowledge-release")) == (patient != "p-69")
    ids = [
        dict(one.headers)["ce_id"]
        for one in deployment.messages(RECOMMENDATION)
        if (one.key or b"").startswith(f"{tenant}/".encode())
    ]
    assert len(set(ids)) == len(ids) == 2 * len(STORED) + len(LIVE) - 1

    written = "".join(deployment.log(service).read_text() for service in SERVICES)
    assert tenant in written
    assert not [word for word in ("TPMT", "*3A", "Metabolizer", "azathioprine") if word in written]

    followed = json.loads(deployment.pgx("knowledge", "activate", "--follow", *own, "--json", check=True).stdout)
    assert (followed["release"], followed["patients"], followed["changed"]) == (NEW, len(told), 0)
