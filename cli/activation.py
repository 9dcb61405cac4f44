"""Activating a knowledge release: the store learns of it, then the bus, then every patient comes under it."""

from collections.abc import Callable
from dataclasses import dataclass

from cli.exits import Failure
from cli.open_store import opened
from cli.sweep import Pace, spread
from knowledge.loader import Releases
from knowledge.release import Release
from runtime.exits import Exit
from runtime.settings import Settings
from schemas.genotype import KnowledgeRef
from schemas.knowledge import EVERYONE, ReleaseActivated
from services.genotyper.activation import active, announce, withdraw
from services.recommender.interpretation import as_delivered
from services.recommender.reinterpretation import Progress
from services.recommender.state import release_of
from services.recommender.store import Store
from services.recommender.store.activations import (
    Activated,
    Activations,
    activations,
    add,
    finish,
    held_alone,
    start,
)

_ANY_PATIENT = "SELECT EXISTS (SELECT FROM patients)"


def reference(release: Release) -> KnowledgeRef:
    """A release as the store and events name it."""
    return KnowledgeRef(release=release.id, sha256=release.sha256)


async def first(settings: Settings, release: Release) -> list[ReleaseActivated]:
    """Make the first activation where the store has none: of what is active on the bus already, else of this release.

    Where the bus says something else than the store, it is put right. What was announced or made is given back.

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
        for last in (await activations(store.pool, as_delivered)).lasts():
            wanted = _on_bus(last)
            if on_bus.get(wanted.tenant) != (None if last.follows else wanted):
                done[wanted.tenant] = await _announced(settings, last)
    return list(done.values())


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen for a tenant, or for all that choose nothing themselves (None)."""

    tenant: str | None
    release: Release | None
    """None: the tenant gives its own choice up and follows the one for all again."""


async def activate(
    settings: Settings, choice: Choice, pace: Pace, tell: Callable[[Activated], None]
) -> tuple[Activated, Progress]:
    """Make a choice of release, and bring every patient that it is about under it.

    Where it was the last choice already, that activation goes on: who was not reached by it is reached now.
    ``tell`` is told how far it has come, again and again. Exactly as much is done if it is killed and started again.

    Raises:
        Unreachable: broker or database did not answer.
        NotSetUp: the store or the control topic is not there.
        Failure: there is no own choice to give up, or the release to follow is not installed here.
    """
    async with opened(settings, "activation") as store:
        current = await _made(settings, store, choice)
        await _announced(settings, current)
        await start(store.pool, current.number)
        progress = await spread(settings, store, current, pace, tell)
        made = await activations(store.pool, as_delivered)
        # Where another release was activated meanwhile, patients are for that one to bring under it.
        if not progress.failed and made.last(choice.tenant) is made.numbered(current.number):
            await finish(store.pool, current.number)
        return (await activations(store.pool, as_delivered)).numbered(current.number), progress


async def _made(settings: Settings, store: Store, choice: Choice) -> Activated:
    """The choice in the store: made now, or before where it was the last."""
    async with store.pool.acquire() as connection, connection.transaction():
        made = await held_alone(connection, as_delivered)
        last = made.last(choice.tenant)
        known = wanted(choice, made, Releases(None, *settings.knowledge_folders).load)
        if last is not None and same(last, choice, known, made):
            return last
        number = await add(connection, choice.tenant, known, follows=choice.release is None)
        return (await activations(connection, as_delivered)).numbered(number)


def wanted(choice: Choice, made: Activations, load: Callable[[str], Release]) -> KnowledgeRef:
    """The release that is chosen.

    Raises:
        Failure: there is no own choice to give up.
        Rejected: the release to follow is not installed here.
    """
    if choice.release is not None:
        return reference(choice.release)
    common = made.last(None)
    if common is None or choice.tenant is None or made.last(choice.tenant) is None:
        raise Failure(Exit.NOT_FOUND, f"{choice.tenant} has no choice of its own to give up: it follows that for all")
    release_of(common.knowledge, load)
    return common.knowledge


def same(last: Activated, choice: Choice, known: KnowledgeRef, made: Activations) -> bool:
    """Whether a choice is the last one again, to go on with."""
    if last.follows != (choice.release is None) or last.knowledge != known:
        return False
    common = made.last(None)
    return not last.follows or (common is not None and common.number < last.number)


async def _announced(settings: Settings, made: Activated) -> ReleaseActivated:
    """The activation on the bus, under the id that events have as their cause."""
    choice = _on_bus(made)
    if made.follows:
        await withdraw(settings, choice.tenant, made.id)
    else:
        await announce(settings, choice, made.id)
    return choice


def _on_bus(made: Activated) -> ReleaseActivated:
    tenant = EVERYONE if made.tenant is None else made.tenant
    return ReleaseActivated(tenant=tenant, release=made.knowledge.release, sha256=made.knowledge.sha256)
