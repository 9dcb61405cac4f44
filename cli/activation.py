"""Activating a knowledge release: the store learns of it, then the bus, then every patient comes under it."""

from collections.abc import Callable

from cli.sweep import Pace, spread
from knowledge.release import Release
from runtime.settings import Settings
from schemas.genotype import KnowledgeRef
from schemas.knowledge import EVERYONE, ReleaseActivated
from services.genotyper.activation import active, announce
from services.recommender.interpretation import as_delivered
from services.recommender.reinterpretation import Progress
from services.recommender.store import Store
from services.recommender.store.activations import Activated, activations, add, finish, start

_ANY_PATIENT = "SELECT EXISTS (SELECT FROM patients)"


def reference(release: Release) -> KnowledgeRef:
    """A release as the store and events name it."""
    return KnowledgeRef(release=release.id, sha256=release.sha256)


async def first(settings: Settings, release: Release) -> list[ReleaseActivated]:
    """Make the first activation where the store has none: of what is active on the bus already, else of this release.

    What the store knows and the bus does not is announced. What was announced or made is given back.

    Raises:
        Unreachable: broker or database did not answer.
        NotSetUp: the control topic is not there.
    """
    on_bus = await active(settings)
    everyone = ReleaseActivated(tenant=EVERYONE, release=release.id, sha256=release.sha256)
    done: dict[str, ReleaseActivated] = {}
    async with await Store.open(settings) as store:
        async with store.pool.acquire() as connection, connection.transaction():
            if not (await activations(connection, as_delivered)).made:
                for choice in ({EVERYONE: everyone} | on_bus).values():
                    tenant = None if choice.tenant == EVERYONE else choice.tenant
                    known = KnowledgeRef(release=choice.release, sha256=choice.sha256)
                    number = await add(connection, tenant, known)
                    if not await connection.fetchval(_ANY_PATIENT):
                        await finish(connection, number)
                    done[choice.tenant] = choice
        made = await activations(store.pool, as_delivered)
        for scope in (None, *made.own()):
            last = made.last(scope)
            if last is not None and (scope or EVERYONE) not in on_bus:
                done[scope or EVERYONE] = await _announced(settings, last)
    return list(done.values())


async def activate(
    settings: Settings, release: Release, tenant: str | None, pace: Pace, tell: Callable[[Activated], None]
) -> tuple[Activated, Progress]:
    """Activate a release for a tenant, or all (None), and bring every patient under it.

    Where this release was activated last already, that activation goes on: who was not reached by it is reached now.
    ``tell`` is told how far it has come, again and again. Exactly as much is done if it is killed and started again.

    Raises:
        Unreachable: broker or database did not answer.
        NotSetUp: the store or the control topic is not there.
    """
    async with await Store.open(settings, "activation") as store:
        async with store.pool.acquire() as connection, connection.transaction():
            last = (await activations(connection, as_delivered)).last(tenant)
            if last is None or last.knowledge != reference(release):
                await add(connection, tenant, reference(release))
        current = await _last(store, tenant)
        await _announced(settings, current)
        await start(store.pool, current.number)
        progress = await spread(settings, store, current, pace, tell)
        # Where another release was activated meanwhile, patients are for that one to bring under it.
        if not progress.failed and (await _last(store, tenant)).number == current.number:
            await finish(store.pool, current.number)
        made = (await activations(store.pool, as_delivered)).made
        return next(one for one in made if one.number == current.number), progress


async def _last(store: Store, tenant: str | None) -> Activated:
    last = (await activations(store.pool, as_delivered)).last(tenant)
    if last is None:
        raise RuntimeError("activations never go")
    return last


async def _announced(settings: Settings, made: Activated) -> ReleaseActivated:
    """The activation on the bus, under the id that events have as their cause."""
    tenant = EVERYONE if made.tenant is None else made.tenant
    choice = ReleaseActivated(tenant=tenant, release=made.knowledge.release, sha256=made.knowledge.sha256)
    await announce(settings, choice, made.id)
    return choice
