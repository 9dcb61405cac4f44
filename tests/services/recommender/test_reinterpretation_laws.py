"""Whatever the patients: an activation ends as if everything had come under its release in the first place."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from services.recommender.discordance import Policy
from services.recommender.handler import Recommender
from services.recommender.store import Store
from services.recommender.store.policies import set_policy
from tests.services.recommender.activating import INTERPRETER, NEW, OLD, activated, current
from tests.services.recommender.builders import release
from tests.services.recommender.populations import Population, populations

pytestmark = pytest.mark.postgres


@pytest.fixture
def recommender(store: Store) -> Recommender:
    return Recommender(store, release, INTERPRETER)


async def emptied(store: Store, policy: Policy) -> None:
    """A new store, with a tenant's policy."""
    tables = "patients, results, statements, inbox, history, outbox, activations, policies"
    await store.pool.execute(f"TRUNCATE {tables} CASCADE")
    await store.pool.execute("ALTER SEQUENCE activations_number_seq RESTART")
    async with store.pool.acquire() as connection:
        await set_policy(connection, "mercy", policy)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(populations())
async def test_an_activation_ends_as_if_everything_had_come_under_its_release(
    store: Store, recommender: Recommender, people: Population
) -> None:
    events = people.called_under(OLD)
    await emptied(store, people.policy)
    await activated(store, OLD)
    await recommender.handle(events)
    first = await current(store)
    told = len(await store.pool.fetch("SELECT FROM outbox"))
    progress = await activated(store, NEW)
    after, counted = await current(store), progress.published
    views = await store.pool.fetch("SELECT pseudonym, lookups, medications, against FROM patients ORDER BY pseudonym")
    assert len(await store.pool.fetch("SELECT FROM outbox")) == told + counted
    back = await activated(store, OLD)
    assert await current(store) == first, "activating the former release takes it back"
    assert back.published == counted

    await emptied(store, people.policy)
    await activated(store, OLD)
    await recommender.handle(events)
    everyone = await activated(store, NEW, everyone=True)
    assert (await current(store), everyone.published) == (after, counted), "who is passed over is not affected"
    rows = await store.pool.fetch("SELECT pseudonym, lookups, medications, against FROM patients ORDER BY pseudonym")
    assert rows == views

    await emptied(store, people.policy)
    await activated(store, NEW)
    await recommender.handle(people.called_under(NEW))
    assert _facts(await current(store)) == _facts(after)


def _facts(lines: Sequence[bytes]) -> list[Any]:
    read = [orjson.loads(line) for line in lines]
    for line in read:
        for name in ("events", "observed"):  # positions that only the later release knows are named in its rows
            line.pop(name, None)
    return read
