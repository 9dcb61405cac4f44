"""The commands against a running deployment, as operators use them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.conftest import EMBEDDED, KAFKA
from tests.pipeline.deployment import Deployment, lab_result

pytestmark = pytest.mark.parametrize("deployment", [EMBEDDED, KAFKA], indirect=True)


def submit(deployment: Deployment, folder: Path, *results: dict[str, Any]) -> list[str]:
    """Submit lab results; the ids that were printed."""
    file = folder / "results.jsonl"
    file.write_text("".join(json.dumps(result) + "\n" for result in results))
    lines = deployment.pgx("submit", str(file), check=True).stdout.decode().splitlines()
    return [line.split("\t")[0] for line in lines]


def json_lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_setup_again_finds_everything_as_wanted(deployment: Deployment) -> None:
    assert deployment.pgx("setup", check=True).stdout == b"all is set up\n"


def test_status_follows_an_event_to_its_recommendations(deployment: Deployment, tenant: str, tmp_path: Path) -> None:
    [identifier] = submit(deployment, tmp_path, lab_result(tenant=tenant))
    deployment.wait_for_events(tenant, 1)
    [found] = json_lines(deployment.pgx("status", identifier, "--json", check=True).stdout)
    assert (found["state"], found["tenant"], found["accession"], found["sequence"]) == ("applied", tenant, "A-1", 1)
    assert b"sequence 1" in deployment.pgx("status", identifier, check=True).stdout


def test_submitting_twice_is_the_same_event(deployment: Deployment, tenant: str, tmp_path: Path) -> None:
    result = lab_result(tenant=tenant)
    assert submit(deployment, tmp_path, result) == submit(deployment, tmp_path, dict(reversed(result.items())))
    deployment.settled(tenant)
    assert len(deployment.recommendations(tenant)) == 1


def test_status_of_an_unknown_event_is_not_found(deployment: Deployment) -> None:
    unknown = deployment.pgx("status", "no-such-event")
    assert unknown.returncode == 3
    assert unknown.stdout == b""
    assert b"no-such-event" in unknown.stderr


def test_what_submit_refuses_is_named_and_the_rest_is_sent(deployment: Deployment, tenant: str, tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    lines = [
        lab_result(tenant=tenant),
        lab_result(tenant=tenant, assembly="GRCh37"),
        lab_result(tenant=tenant, accession="A-2"),
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    done = deployment.pgx("submit", str(file))
    assert done.returncode == 1
    assert [line.split("\t")[1] for line in done.stdout.decode().splitlines()] == ["A-1", "A-2"]
    assert f"{file}:2: wrong-assembly" in done.stderr.decode()


def test_the_report_is_what_evaluate_answers(deployment: Deployment, tenant: str, tmp_path: Path) -> None:
    result = lab_result(tenant=tenant, patient=f"p-{tenant}")
    submit(deployment, tmp_path, result)
    deployment.wait_for_events(tenant, 1)
    report = json.loads(deployment.pgx("report", f"p-{tenant}", "--json", check=True).stdout)
    answer = json.loads(deployment.pgx("evaluate", standard_input=json.dumps(result).encode(), check=True).stdout)
    for part in ("knowledge", "phenotypes", "recommendations"):
        assert report[part] == answer[part], part
    assert [one["accession"] for one in report["results"]] == ["A-1"]
    assert report.keys() >= {
        "tenant", "patient", "sequence", "knowledge", "genotypes", "phenotypes", "recommendations", "results",
    }  # fmt: skip


def test_a_report_needs_a_known_patient_and_one_tenant(deployment: Deployment, tenant: str, tmp_path: Path) -> None:
    assert deployment.pgx("report", "p-nobody").returncode == 3
    assert deployment.pgx("report", "p-nobody", "--tenant", tenant).returncode == 3
    submit(deployment, tmp_path, *(lab_result(tenant=name, patient=f"p-{tenant}") for name in (tenant, f"{tenant}-b")))
    deployment.wait_for_events(f"{tenant}-b", 1)
    deployment.wait_for_events(tenant, 1)
    ambiguous = deployment.pgx("report", f"p-{tenant}", "--json")
    assert ambiguous.returncode == 2
    assert b"--tenant" in ambiguous.stderr
    assert deployment.pgx("report", f"p-{tenant}", "--tenant", tenant, "--json").returncode == 0


def test_watch_shows_events_as_they_come(deployment: Deployment, tenant: str) -> None:
    command = [sys.executable, "-m", "cli.main", "watch", "--json", "--tenant", tenant]
    watching = subprocess.Popen(
        command, env=deployment.environment, cwd=deployment.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert watching.stdout
        assert watching.stderr
        assert b"watching" in watching.stderr.readline()
        deployment.publish_results([lab_result(tenant=f"{tenant}-other"), lab_result(tenant=tenant)])
        event = json.loads(watching.stdout.readline())
    finally:
        watching.terminate()
        watching.communicate()
    assert (event["tenant"], event["sequence"]) == (tenant, 1)


def test_what_was_missed_comes_from_the_store(deployment: Deployment, tenant: str) -> None:
    deployment.publish_results(
        lab_result(tenant=tenant, version=number, reported=[{"gene": "CYP2C19", "diplotype": pair}])
        for number, pair in enumerate(("*1/*1", "*1/*2", "*2/*2"), start=1)
    )
    published = deployment.wait_for_events(tenant, 3)
    arguments = ("watch", "--json", "--tenant", tenant, "--patient", "p-1")
    assert json_lines(deployment.pgx(*arguments, "--since", "0", check=True).stdout) == published
    assert json_lines(deployment.pgx(*arguments, "--since", "2", check=True).stdout) == published[2:]
    assert deployment.pgx(*arguments, "--since", "3", check=True).stdout == b""
    assert deployment.pgx("watch", "--tenant", tenant, "--patient", "p-x", "--since", "0").returncode == 3
    assert deployment.pgx("watch", "--since", "0").returncode == 2


def test_a_dead_letter_is_shown_put_right_and_retried(deployment: Deployment, tenant: str) -> None:
    value = json.dumps(lab_result(tenant=tenant)).encode()
    key = f"{tenant}/p-1".encode()
    deployment.publish((f"{tenant}/p-2".encode(), value, (("test", tenant.encode()),)), (key, b"{", ()))
    deployment.until(
        lambda: deployment.dead_letters(key) + deployment.dead_letters(f"{tenant}/p-2".encode()),
        lambda letters: len(letters) == 2,
        "both dead letters",
    )
    mine = [
        one
        for one in json_lines(deployment.pgx("dlq", "list", "--json", check=True).stdout)
        if tenant in (one["key"] or "")
    ]
    by_code = {one["code"]: one["id"] for one in mine}
    assert set(by_code) == {"key-mismatch", "not-json"}
    assert all(identifier.startswith("genotyper:") for identifier in by_code.values())

    assert deployment.pgx("dlq", "show", by_code["key-mismatch"], "--raw", check=True).stdout == value
    shown = deployment.pgx("dlq", "show", by_code["not-json"], check=True).stdout.decode()
    assert "not-json" in shown
    assert deployment.pgx("dlq", "show", "genotyper:x:0:0").returncode == 3
    assert deployment.pgx("dlq", "retry", by_code["not-json"], "genotyper:x:0:0").returncode == 3

    assert deployment.pgx("dlq", "discard", by_code["not-json"], check=True).stdout.decode().endswith("\tdiscarded\n")
    deployment.pgx("dlq", "retry", by_code["key-mismatch"], check=True)
    again = deployment.until(
        lambda: deployment.dead_letters(f"{tenant}/p-2".encode()),
        lambda letters: len(letters) == 2,
        "the letter of the retry, which fails again",
    )
    assert {letter["test"] for letter in again} == {tenant}
    left = [
        one
        for one in json_lines(deployment.pgx("dlq", "list", "--json", check=True).stdout)
        if tenant in (one["key"] or "")
    ]
    assert [one["code"] for one in left] == ["key-mismatch"]
    assert left[0]["id"] not in by_code.values()


def test_a_dead_letter_is_what_became_of_its_event(deployment: Deployment, tenant: str) -> None:
    headers = (
        ("ce_specversion", b"1.0"), ("ce_id", tenant.encode()), ("ce_source", b"/lab"),
        ("ce_type", b"pgx.lab-result.v1"), ("content-type", b"application/json"),
    )  # fmt: skip
    deployment.publish((f"{tenant}/p-1".encode(), b"[]", headers))
    deployment.until(lambda: deployment.dead_letters(f"{tenant}/p-1".encode()), bool, "the dead letter")
    [found] = json_lines(deployment.pgx("status", tenant, "--json", check=True).stdout)
    assert (found["state"], found["code"]) == ("dead-letter", "invalid-field")


def test_the_dump_has_every_patient_once_as_it_is_now(deployment: Deployment, tenant: str, tmp_path: Path) -> None:
    submit(deployment, tmp_path, *(lab_result(tenant=tenant, patient=f"p-{number}") for number in range(3)))
    deployment.wait_for_events(tenant, 3)
    deployment.settled(tenant)
    lines = json_lines(deployment.pgx("store", "dump", "--current", check=True).stdout)
    states = [line["patient"] for line in lines if line["record"] == "state" and line["tenant"] == tenant]
    assert states == ["p-0", "p-1", "p-2"]


@pytest.mark.parametrize("arguments", [["report", "p-1"], ["store", "dump"], ["status", "x"], ["setup"]])
def test_a_database_that_is_not_there_is_named(deployment: Deployment, arguments: list[str]) -> None:
    away = {"PGX_DATABASE_URL": "postgresql://pgx@127.0.0.1:1/pgx", "PGX_PATIENCE": "1"}
    done = deployment.pgx(*arguments, environment=away)
    assert done.returncode == 4
    assert b"127.0.0.1:1" in done.stderr
    assert b"PGX_DATABASE_URL" in done.stderr
    assert b"Traceback" not in done.stderr
