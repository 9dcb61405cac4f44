"""A short campaign finds nothing; the same faults against the consumer as first written find losses."""

import pytest

from tests.chaos.campaign import Plan, run_on
from tests.chaos.machine import Machine
from tests.chaos.report import as_page

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.timeout(900), pytest.mark.xdist_group("chaos")]
KINDS = ("service-kill", "point-kill", "service-stop", "shell-raises", "broker-kill", "database-kill", "backend-kill")


def told(what: str) -> None:
    print(what, flush=True)


@pytest.mark.parametrize("engine", ["faust"])
async def test_a_short_campaign_loses_and_doubles_nothing(here: Machine, engine: str) -> None:
    plan = Plan(kills=8, seed=1, minutes=1.0, engine=engine, only=KINDS, inputs=240)
    found = await run_on(here, plan, told)
    assert found.passed, as_page(found)
    assert found.kills > 0, as_page(found)
    assert found.letters > 0, as_page(found)


async def test_the_consumer_as_first_written_is_seen_to_lose_events(here: Machine) -> None:
    plan = Plan(kills=6, seed=2, minutes=1.5, naive=True, only=("shell-raises",), inputs=240)
    found = await run_on(here, plan, told)
    assert found.verdict.lost, as_page(found)
    assert found.verdict.different, as_page(found)
