"""A patient over time: several laboratories, repeated deliveries, corrections, services that come and go."""

from typing import Any

from tests.pipeline.deployment import SERVICES, Deployment, bare, lab_result


def advice(event: dict[str, Any], drug: str, source: str) -> list[dict[str, Any]]:
    return [one for one in event["recommendations"] if one["drug"] == drug and one["source"] == source]


def test_two_laboratories_together_give_the_combined_advice(deployment: Deployment, tenant: str) -> None:
    first = lab_result(
        tenant=tenant, accession="C19", laboratory="north", reported=[{"gene": "CYP2C19", "diplotype": "*2/*2"}]
    )
    later = lab_result(
        tenant=tenant, accession="D6", laboratory="south", issued="2026-12-23T10:00:00Z",
        reported=[{"gene": "CYP2D6", "diplotype": "*4/*4"}],
    )  # fmt: skip
    deployment.publish_results([first])
    [alone] = deployment.wait_for_events(tenant, 1)
    deployment.publish_results([later])
    _, combined = deployment.wait_for_events(tenant, 2)
    assert [one["genes"] for one in advice(alone, "amitriptyline", "CPIC")] == [
        {"CYP2C19": "Poor Metabolizer", "CYP2D6": "No Result"}
    ]
    assert [one["genes"] for one in advice(combined, "amitriptyline", "CPIC")] == [
        {"CYP2C19": "Poor Metabolizer", "CYP2D6": "0.0"}
    ]
    assert (alone["sequence"], combined["sequence"]) == (1, 2)
    assert {note["accession"] for note in advice(combined, "amitriptyline", "CPIC")[0]["results"]} == {"C19", "D6"}
    assert {change["change"] for change in combined["changes"] if change["rule"] != ""} >= {"issued"}


def test_what_is_delivered_again_changes_nothing(deployment: Deployment, tenant: str) -> None:
    result = lab_result(tenant=tenant)
    deployment.publish_results([result] * 3)
    deployment.wait_for_events(tenant, 1)
    deployment.publish_results([result] * 3)
    deployment.settled(tenant)
    assert [event["sequence"] for event in deployment.recommendations(tenant)] == [1]


def test_the_version_decides_and_not_the_order_of_arrival(deployment: Deployment, tenant: str) -> None:
    original = lab_result(tenant=tenant)
    corrected = lab_result(
        tenant=tenant, version=2, status="corrected", reported=[{"gene": "CYP2C19", "diplotype": "*1/*1"}]
    )
    deployment.publish_results([corrected, original])
    deployment.settled(tenant)
    [event] = deployment.recommendations(tenant)
    assert event["cause"]["version"] == 2
    assert [one["phenotype"] for one in event["phenotypes"]] == ["Normal Metabolizer"]


def test_a_result_entered_in_error_takes_its_advice_back(deployment: Deployment, tenant: str) -> None:
    deployment.publish_results([lab_result(tenant=tenant)])
    [issued] = deployment.wait_for_events(tenant, 1)
    deployment.publish_results([lab_result(tenant=tenant, version=2, status="entered-in-error")])
    _, withdrawn = deployment.wait_for_events(tenant, 2)
    assert withdrawn["recommendations"] == withdrawn["phenotypes"] == []
    assert len(withdrawn["changes"]) == len(issued["recommendations"])
    assert {change["change"] for change in withdrawn["changes"]} == {"withdrawn"}


def test_services_that_are_stopped_and_started_lose_and_repeat_nothing(own_deployment: Deployment) -> None:
    deployment = own_deployment
    patients = 150
    results = [
        lab_result(tenant="restart", patient=f"p-{number}", accession=f"A-{number}") for number in range(patients)
    ]
    deployment.publish(*(bare(result) for result in results[:50]))
    for number, service in enumerate(SERVICES):
        deployment.stop_service(service)
        deployment.publish(*(bare(result) for result in results[50 + 30 * number : 80 + 30 * number]))
        deployment.start_service(service)
    deployment.publish(*(bare(result) for result in results[140:]))
    deployment.wait_for_events("restart", patients)
    deployment.settled("restart")
    events = deployment.recommendations("restart")
    assert sorted(event["patient"] for event in events) == sorted(result["patient"] for result in results)
    assert {event["sequence"] for event in events} == {1}
    assert deployment.dead_letters() == []
