"""The failure matrix: each fault against each service, nothing lost, nothing doubled, the same store."""

from collections.abc import Iterator

import pytest

from tests.chaos.machine import machine, no_small_disk
from tests.chaos.rows import ROWS, Kind, Row
from tests.chaos.trial import Trials

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.timeout(1200), pytest.mark.xdist_group("matrix")]


@pytest.fixture(scope="module")
def trials_by_kind() -> Iterator[dict[Kind, Trials]]:
    """A machine for rows that need neither links nor a small disk; the others make theirs."""
    with machine() as here:
        yield {Kind(linked=False, disk=None, clustered=False): Trials(here)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_nothing_is_lost_or_doubled(row: Row, trials_by_kind: dict[Kind, Trials]) -> None:
    if row.kind in trials_by_kind:
        await check(row, trials_by_kind[row.kind])
        return
    if row.disk is not None and (reason := no_small_disk()):
        pytest.skip(reason)
    with machine(**row.kind._asdict()) as here:
        await check(row, Trials(here))


async def check(row: Row, trials: Trials) -> None:
    tried = await trials.attempt(row)
    assert tried.verdict.clean, str(tried.verdict)
    assert not tried.hung, "every service stops when it is told to"
    assert not tried.unasked, "no service ends that was not made to"
