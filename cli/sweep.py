"""The work of an activation: patient by patient, in one process or several, out of the way of live results."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from cli.interpretation import Interpreter
from knowledge.loader import Releases
from runtime.settings import Settings
from services.recommender.interpretation import as_delivered
from services.recommender.reinterpretation import Progress, Reinterpreter
from services.recommender.store import Store
from services.recommender.store.activations import Activated, Activations, activations
from services.recommender.store.behind import Scope

_BACKLOG = 500
"""Events of the activation that may wait to be published before more patients are looked at."""
_LOOK_SECONDS = 0.05
_TELL_SECONDS = 1.0
_POLITENESS = 10
"""How much lower than a service's the priority of the work is."""
_WAITING = "SELECT count(*) FROM outbox WHERE background"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast patients are evaluated. ``rate``: at most so many a second; None: as many as can be published."""

    processes: int = 1
    rate: float | None = None


def scope_of(made: Activations, tenant: str | None, part: int = 0, parts: int = 1) -> Scope:
    """Whose patients an activation for a tenant, or for all, is about."""
    return Scope(tenant, () if tenant is not None else made.own(), part, parts)


async def spread(
    settings: Settings, store: Store, activated: Activated, pace: Pace, tell: Callable[[Activated], None]
) -> Progress:
    """Bring every patient of an activation's scope under it."""
    telling = asyncio.create_task(_tell(store, activated.number, tell))
    try:
        if pace.processes == 1:
            return await _share(settings, activated, 0, pace, os.getppid())
        # Started anew rather than forked: a connection must not be shared.
        with ProcessPoolExecutor(pace.processes, mp_context=get_context("spawn")) as pool:
            loop = asyncio.get_running_loop()
            shares = [
                loop.run_in_executor(pool, share, settings, activated, part, pace, os.getpid())
                for part in range(pace.processes)
            ]
            return _sum(await asyncio.gather(*shares))
    finally:
        telling.cancel()


def make_way() -> None:
    """This process gives way to the services from now on."""
    os.nice(_POLITENESS)


def share(settings: Settings, activated: Activated, part: int, pace: Pace, parent: int) -> Progress:
    """One process's share of the patients."""
    return asyncio.run(_share(settings, activated, part, pace, parent))


async def _share(settings: Settings, activated: Activated, part: int, pace: Pace, parent: int) -> Progress:
    if pace.processes > 1:
        make_way()
    load = Releases(None, *settings.knowledge_folders).load
    interpreter = Interpreter(load)
    progress = Progress()
    async with await Store.open(settings, "activation", locks=True) as store:
        made = await activations(store.pool, interpreter)
        governing = made.of(activated.number)
        if governing is None:
            raise RuntimeError("activations never go")
        work = Reinterpreter(store, load, interpreter, governing, made)
        clock = asyncio.get_running_loop()
        began, evaluated = clock.time(), 0
        async for some in work.run(scope_of(made, activated.tenant, part, pace.processes), progress):
            evaluated += some
            await _room(store)
            if pace.rate is not None:
                await asyncio.sleep(max(0.0, began + evaluated * pace.processes / pace.rate - clock.time()))
            if os.getppid() != parent and pace.processes > 1:
                break  # whoever started us is gone; the next activation goes on here
    return progress


async def _room(store: Store) -> None:
    """Return when few events wait: the relay sends those of live results first, but it shares the database."""
    while await store.pool.fetchval(_WAITING) >= _BACKLOG:  # noqa: ASYNC110 - another process makes room
        await asyncio.sleep(_LOOK_SECONDS)


async def _tell(store: Store, number: int, tell: Callable[[Activated], None]) -> None:
    while True:
        await asyncio.sleep(_TELL_SECONDS)
        made = (await activations(store.pool, as_delivered)).made
        tell(next(one for one in made if one.number == number))


def _sum(shares: list[Progress]) -> Progress:
    return Progress(
        sum(one.examined for one in shares),
        sum(one.recomputed for one in shares),
        sum(one.published for one in shares),
        [patient for one in shares for patient in one.failed],
    )
