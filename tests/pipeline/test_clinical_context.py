"""Medications and the body through the whole system: submitted, applied, published, reported, refused."""

import json
from typing import Any

from schemas.topics import CLINICAL_CONTEXT
from tests.pipeline.deployment import Deployment, lab_result

NORMAL = [{"gene": "CYP2D6", "diplotype": "*1/*1"}]


def statement(tenant: str, number: int, **said: Any) -> dict[str, Any]:
    return {
        "tenant": tenant, "patient": "p-1", "source": "ward", "statement": f"MED-{number}",
        "recorded": f"2026-11-2{number}T10:00:00Z", **said,
    }  # fmt: skip


def paroxetine(status: str) -> dict[str, Any]:
    return {"medications": [{"rxnorm": "32937", "name": "paroxetine", "status": status}]}


def submit(deployment: Deployment, *documents: dict[str, Any]) -> list[str]:
    """The ids that ``pgx submit`` prints."""
    lines = b"".join(json.dumps(document).encode() + b"\n" for document in documents)
    done = deployment.pgx("submit", "-", standard_input=lines, check=True)
    return [line.split("\t")[0] for line in done.stdout.decode().splitlines()]


def metoprolol(event: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in event["recommendations"] if (one["drug"], one["source"]) == ("metoprolol", "CPIC"))


def test_an_inhibitor_changes_the_advice_until_it_is_stopped(deployment: Deployment, tenant: str) -> None:
    submit(deployment, lab_result(tenant=tenant, reported=NORMAL))
    [before] = deployment.wait_for_events(tenant, 1)
    taken = {"medications": [*paroxetine("started")["medications"], {"rxnorm": "6918", "status": "started"}]}
    [started_id] = submit(deployment, statement(tenant, 4, **taken))
    started = deployment.wait_for_events(tenant, 2)[1]
    assert started["cause"] == {"type": "clinical-context", "id": started_id, "accession": None, "version": 1}
    change = next(c for c in started["changes"] if c["rule"] == metoprolol(started)["rule"])
    assert (change["change"], change["before"]["genes"], change["after"]["genes"]) == (
        "changed", {"CYP2D6": "2.0"}, {"CYP2D6": "0.0"},
    )  # fmt: skip
    assert metoprolol(started)["current_medication"]
    assert metoprolol(started)["phenoconverted"][0]["because"] == "paroxetine is a strong inhibitor"
    [phenotype] = started["phenotypes"]
    assert (phenotype["phenotype"], phenotype["effective"]["phenotype"]) == ("Normal Metabolizer", "Poor Metabolizer")

    submit(deployment, statement(tenant, 5, **paroxetine("stopped")))
    stopped = deployment.wait_for_events(tenant, 3)[2]
    assert metoprolol(stopped) == metoprolol(before) | {"current_medication": True}
    status = json.loads(deployment.pgx("status", started_id, "--json", check=True).stdout)
    assert (status["state"], status["sequence"], status["statement"]) == ("applied", 2, "ward/MED-4")
    report = json.loads(deployment.pgx("report", "p-1", "--tenant", tenant, "--json", check=True).stdout)
    assert report["recommendations"] == stopped["recommendations"]
    assert [one["drugs"] for one in report["medications"]] == [["metoprolol"]]
    since = deployment.pgx("watch", "--tenant", tenant, "--patient", "p-1", "--since", "0", "--json")
    assert [json.loads(line) for line in since.stdout.splitlines()] == deployment.recommendations(tenant)


def test_a_statement_delivered_again_changes_nothing(deployment: Deployment, tenant: str) -> None:
    submit(deployment, lab_result(tenant=tenant, reported=NORMAL))
    deployment.wait_for_events(tenant, 1)
    first = submit(deployment, *[statement(tenant, 4, **paroxetine("started"))] * 2)
    again = submit(deployment, statement(tenant, 4, **paroxetine("started")))
    assert {*first, *again} == {first[0]}
    deployment.wait_for_events(tenant, 2)
    marker = statement(tenant, 5, **paroxetine("stopped"))
    submit(deployment, marker)
    assert [event["sequence"] for event in deployment.wait_for_events(tenant, 3)] == [1, 2, 3]


def test_what_is_no_statement_is_a_dead_letter_and_the_others_go_on(deployment: Deployment, tenant: str) -> None:
    submit(deployment, lab_result(tenant=tenant, reported=NORMAL))
    deployment.wait_for_events(tenant, 1)
    key = f"{tenant}/p-1".encode()
    bad = json.dumps(statement(tenant, 3, weight_kg="heavy")).encode()
    good = json.dumps(statement(tenant, 4, **paroxetine("started"))).encode()
    deployment.publish((key, bad, ()), (key, good, ()), topic=CLINICAL_CONTEXT)
    deployment.wait_for_events(tenant, 2)
    letters = deployment.until(
        lambda: deployment.dead_letters(key), lambda found: len(found) == 1, "the statement's dead letter"
    )
    assert (letters[0]["dlq_stage"], letters[0]["dlq_code"], letters[0]["dlq_path"]) == (
        "recommender", "invalid-field", "weight_kg",
    )  # fmt: skip
    assert (letters[0]["value"], letters[0]["dlq_topic"]) == (bad, deployment.settings.topic(CLINICAL_CONTEXT))
    refused = deployment.pgx("submit", "-", standard_input=bad)
    assert refused.returncode == 1
    assert b"weight_kg" in refused.stderr
    assert b"heavy" not in refused.stderr


def test_evaluate_takes_the_context_of_a_file(deployment: Deployment, tenant: str) -> None:
    context = deployment.folder / f"{tenant}.jsonl"
    context.write_text(json.dumps(statement(tenant, 4, **paroxetine("started"))) + "\n", encoding="utf-8")
    line = json.dumps(lab_result(tenant=tenant, reported=NORMAL)).encode()
    bare = deployment.pgx("evaluate", standard_input=line, check=True).stdout
    about = deployment.pgx("evaluate", "--context", str(context), standard_input=line, check=True).stdout
    assert metoprolol(json.loads(bare))["genes"] == {"CYP2D6": "2.0"}
    assert metoprolol(json.loads(about))["genes"] == {"CYP2D6": "0.0"}
    assert b"effective" not in bare
    split = deployment.pgx(
        "evaluate", "--context", str(context), "--processes", "2", standard_input=line, check=True
    ).stdout
    assert split == about
