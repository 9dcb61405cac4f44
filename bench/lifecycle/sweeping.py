"""The work of an activation in a process of its own, as the command does it."""

import asyncio
import os

from cli.sweep import Pace, make_way, spread
from runtime.settings import Settings
from services.recommender.reinterpretation import Progress
from services.recommender.store import Store
from services.recommender.store.activations import Activated


def sweep(settings: Settings, activated: Activated, pace: Pace) -> tuple[Progress, float]:
    """What the command does, but for the bus; the processor seconds that it took, without the database's."""

    async def spread_out() -> Progress:
        async with await Store.open(settings, "activation") as store:
            return await spread(settings, store, activated, pace, lambda one: None)

    if pace.processes == 1:
        make_way()
    return asyncio.run(spread_out()), sum(os.times()[:4])
