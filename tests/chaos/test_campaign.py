"""A short campaign finds nothing; the same faults against the consumer as first written find losses."""

import pytest

from tests.chaos.campaign import Plan, run_on
from tests.chaos.machine import Machine
from tests.chaos.oracle import Observed
from tests.chaos.report import as_page

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.timeout(900), pytest.mark.xdist_group("chaos")]
KINDS = ("service-kill", "point-kill", "service-stop", "shell-raises", "broker-kill", "database-kill", "backend-kill")


def told(what: str) -> None:
    print(what, flush=True)


@pytest.fixture(scope="module")
def runs_without_faults() -> list[Observed]:
    """The run of the one input without faults, once there was one."""
    return []


async def test_a_short_campaign_loses_and_doubles_nothing(here: Machine, runs_without_faults: list[Observed]) -> None:
    plan = Plan(kills=8, seed=1, minutes=1.0, only=KINDS, even=True, inputs=200)
    found = await run_on(here, plan, told, next(iter(runs_without_faults), None))
    runs_without_faults.append(found.reference)
    assert found.passed, as_page(found)
    assert found.kills > 0, as_page(found)
    assert found.letters > 0, as_page(found)


async def test_the_consumer_as_first_written_is_seen_to_lose_events(
    here: Machine, runs_without_faults: list[Observed]
) -> None:
    plan = Plan(kills=3, seed=1, minutes=0.5, naive=True, only=("shell-raises",), inputs=200)
    found = await run_on(here, plan, told, next(iter(runs_without_faults), None))
    assert found.verdict.lost, as_page(found)
    assert found.verdict.different, as_page(found)
