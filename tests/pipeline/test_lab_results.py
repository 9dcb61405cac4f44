"""Lab results become recommendations: from the laboratory's message to the hospital's, on all parts."""

import json
from pathlib import Path
from typing import Any

from tests.pipeline.deployment import Deployment, lab_result

EXAMPLES = Path(__file__).parents[2] / "examples"


def evaluated(deployment: Deployment, results: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What ``pgx evaluate`` answers, by accession."""
    lines = "\n".join(json.dumps(result) for result in results).encode()
    answers = map(json.loads, deployment.pgx("evaluate", "-", standard_input=lines, check=True).stdout.splitlines())
    return {answer["accession"]: answer for answer in answers}


def examples() -> list[dict[str, Any]]:
    """The example results of one laboratory each, as objects."""
    return [json.loads((EXAMPLES / name).read_text()) for name in ("genotyping-panel.json", "reported-calls.json")]


def test_recommendations_are_those_of_evaluate(deployment: Deployment, tenant: str) -> None:
    results = [{**result, "tenant": tenant} for result in examples()]
    results += [
        lab_result(
            tenant=tenant, patient=f"p-{number}", accession=f"A-{number}", reported=[{"gene": gene, "diplotype": pair}]
        )
        for number, (gene, pair) in enumerate(
            [("CYP2C19", "*1/*17"), ("CYP2D6", "*4/*41"), ("HLA-B", "*57:01/*15:02"), ("MT-RNR1", "m.1555A>G")]
        )
    ]
    deployment.publish_results(results)
    events = deployment.wait_for_events(tenant, len(results))
    answers = evaluated(deployment, results)
    assert len(events) == len(results)
    for event in events:
        answer = answers[event["cause"]["accession"]]
        assert event["sequence"] == 1
        assert event["knowledge"] == answer["knowledge"]
        assert event["phenotypes"] == answer["phenotypes"]
        assert event["recommendations"] == answer["recommendations"]
        assert [change["change"] for change in event["changes"]] == ["issued"] * len(answer["recommendations"])
