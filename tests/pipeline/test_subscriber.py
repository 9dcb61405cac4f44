"""A hospital that lost events asks the results store for them, through the sample subscriber."""

import shlex
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from schemas.topics import RECOMMENDATION
from tests.examples.hospital import Hospital
from tests.pipeline.conftest import KAFKA
from tests.pipeline.deployment import Deployment, lab_result

pytestmark = pytest.mark.parametrize("deployment", [KAFKA], indirect=True)

PAIRS = ("*1/*1", "*1/*2", "*2/*2", "*1/*17", "*2/*17")


def test_every_single_change_that_did_not_come_is_fetched_from_the_store(
    deployment: Deployment, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in deployment.environment.items():
        monkeypatch.setenv(name, value)
    patient = f"{tenant}/p-1"
    pgx_watch = shlex.join([sys.executable, "-m", "cli.main", "watch"])
    hospital = Hospital("python", deployment.settings, tmp_path, "--missed", pgx_watch)
    results = [
        lab_result(tenant=tenant, version=version, reported=[{"gene": "CYP2C19", "diplotype": pair}])
        for version, pair in enumerate(PAIRS, start=1)
    ]
    deployment.publish_results(results[:1])
    deployment.wait_for_events(tenant, 1)
    try:
        hospital.start()
        until_sequence(deployment, hospital, patient, 1)
        hospital.kill()
        deployment.publish_results(results[1:])
        events = deployment.wait_for_events(tenant, len(PAIRS))
        lose_all_but_the_last(deployment, hospital, patient)
        hospital.start()
        until_sequence(deployment, hospital, patient, len(PAIRS))
        told = [notice[1:3] for notice in hospital.notices() if notice[0] == patient]
        assert sorted(told) == sorted(
            (one["sequence"], change["change"]) for one in events for change in one["changes"]
        )
        rules = {rule for (rule,) in hospital.read("SELECT rule FROM advice WHERE patient = ?", [patient])}
        assert rules == {one["rule"] for one in events[-1]["recommendations"]}
        assert "events 2 to 4 did not come" in hospital.said()
    finally:
        hospital.kill()


def until_sequence(deployment: Deployment, hospital: Hospital, patient: str, wanted: int) -> None:
    query = "SELECT sequence FROM patients WHERE patient = ?"
    deployment.until(lambda: hospital.read(query, [patient]), lambda rows: rows == [(wanted,)], f"sequence {wanted}")


def lose_all_but_the_last(deployment: Deployment, hospital: Hospital, patient: str) -> None:
    """The hospital takes itself for further than it is, as after a wrong restore of its database."""
    last = [one for one in deployment.messages(RECOMMENDATION) if one.key == patient.encode()][-1]
    with closing(sqlite3.connect(hospital.database)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", [last.partition, last.offset])
