"""The current state of a store after the same input in another order."""

from collections.abc import Iterable, Sequence

from services.recommender.dump import dump
from services.recommender.handler import Recommender, Taken
from services.recommender.store import Store
from tests.services.recommender.builders import release


async def current_after(store: Store, batches: Iterable[Sequence[Taken]]) -> list[bytes]:
    """What ``pgx store dump --current`` says once an empty store has taken in the batches."""
    await store.pool.execute("TRUNCATE patients, outbox CASCADE")
    recommender = Recommender(store, release)
    for batch in batches:
        failures = await recommender.handle(batch)
        assert failures == (), failures
    return [line async for line in dump(store, release, current_only=True)]
