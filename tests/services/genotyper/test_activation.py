"""Which knowledge release is active: nobody's choice, everyone's, a tenant's own, and changes while results come."""

import asyncio
import uuid
from collections.abc import Callable

import pytest

from knowledge.loader import Releases
from knowledge.release import Release
from runtime.exits import NotSetUp
from runtime.message import Outgoing
from runtime.settings import Settings
from schemas.errors import Code, Rejected
from schemas.knowledge import ReleaseActivated
from schemas.topics import KNOWLEDGE
from services.genotyper.activation import Activation, announce
from tests.support.kafka import Broker
from tests.support.streams import eventually, publish, with_topics


@pytest.fixture(scope="module")
def releases() -> Releases:
    return Releases()


@pytest.fixture
def newest(releases: Releases) -> Release:
    return releases.load(releases.newest())


@pytest.fixture
def oldest(releases: Releases) -> Release:
    return releases.load(releases.ids()[0])


@pytest.fixture
async def settings(broker: Broker) -> Settings:
    settings = broker.settings()
    await with_topics(settings, KNOWLEDGE)
    return settings


async def choose(settings: Settings, release: Release, tenant: str = "*", sha256: str | None = None) -> None:
    choice = ReleaseActivated(tenant=tenant, release=release.id, sha256=sha256 or release.sha256)
    await announce(settings, choice, str(uuid.uuid4()))


async def test_a_tenant_s_own_choice_goes_before_everyone_s(
    settings: Settings, releases: Releases, newest: Release, oldest: Release
) -> None:
    await choose(settings, oldest)
    await choose(settings, newest, "mercy")
    activation = Activation(settings, releases.load)
    async with activation.opened():
        assert activation.release("mercy") is newest
        assert activation.release("other") is oldest


async def test_the_last_choice_holds_and_later_ones_are_followed(
    settings: Settings, releases: Releases, newest: Release, oldest: Release
) -> None:
    seen: list[set[str]] = []
    changed: Callable[[set[str]], None] = seen.append
    await choose(settings, newest)
    await choose(settings, oldest)
    activation = Activation(settings, releases.load, changed)
    async with activation.opened():
        following = asyncio.create_task(activation.follow())
        assert activation.release("mercy") is oldest
        await choose(settings, newest, "mercy")
        await eventually(lambda: activation.release("mercy") is newest, "the new choice")
        await publish(settings, KNOWLEDGE, [Outgoing(settings.topic(KNOWLEDGE), b"mercy", None)])
        await eventually(lambda: activation.release("mercy") is oldest, "everyone's again")
        following.cancel()
    assert seen[-1] == {oldest.id}


async def test_without_any_choice_the_service_says_that_setup_has_to_run(broker: Broker, releases: Releases) -> None:
    settings = broker.settings(patience=1.0)
    await with_topics(settings, KNOWLEDGE)
    with pytest.raises(NotSetUp, match="pgx setup"):
        async with Activation(settings, releases.load).opened():
            pass


async def test_setup_may_come_while_the_service_waits(settings: Settings, releases: Releases, newest: Release) -> None:
    activation = Activation(settings, releases.load)

    async def use() -> Release:
        async with activation.opened():
            return activation.release("mercy")

    waiting = asyncio.create_task(use())
    await asyncio.sleep(0)
    await choose(settings, newest)
    assert await asyncio.wait_for(waiting, 30) is newest


@pytest.mark.parametrize(
    "choice",
    [
        ReleaseActivated(release="1999.01", sha256="0" * 64),
        ReleaseActivated(release="2025.11", sha256="0" * 64),
    ],
    ids=["not installed", "other content"],
)
async def test_a_release_that_is_not_the_one_here_rejects_results_rather_than_guessing(
    settings: Settings, releases: Releases, choice: ReleaseActivated
) -> None:
    await announce(settings, choice, str(uuid.uuid4()))
    activation = Activation(settings, releases.load)
    async with activation.opened():
        with pytest.raises(Rejected) as raised:
            activation.release("mercy")
    assert raised.value.code is Code.UNKNOWN_RELEASE


async def test_what_is_no_activation_is_passed_over(settings: Settings, releases: Releases, newest: Release) -> None:
    await choose(settings, newest)
    await publish(settings, KNOWLEDGE, [Outgoing(settings.topic(KNOWLEDGE), b"*", b"{}")])
    activation = Activation(settings, releases.load)
    async with activation.opened():
        assert activation.release("mercy") is newest
