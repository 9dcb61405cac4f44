"""The current state of a store after the same input in another order."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from services.recommender.dump import dump
from services.recommender.erasure import erase
from services.recommender.handler import Recommender, Taken
from services.recommender.store import Store
from tests.lifecycle.inputs import Erasure
from tests.services.recommender.builders import release

ERASED = datetime(2026, 12, 1, tzinfo=UTC)
"""When: after everything but what is published ``inputs.AFTERWARDS``."""


async def current_after(store: Store, batches: Iterable[Sequence[Taken | Erasure]]) -> list[bytes]:
    """What ``pgx store dump --current`` says once an empty store has taken in the batches, and erased in between."""
    await store.pool.execute("TRUNCATE patients, outbox, erasures CASCADE")
    recommender = Recommender(store, release)
    for batch in batches:
        for erasing, some in groupby(batch, key=lambda one: isinstance(one, Erasure)):
            if erasing:
                for one in some:
                    await erase(store, one.tenant, one.patient, ERASED)
                continue
            failures = await recommender.handle(list(some))
            assert failures == (), failures
    return [line async for line in dump(store, release, current_only=True)]
