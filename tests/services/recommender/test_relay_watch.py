"""The relay's watch over its session ends whenever it is cancelled: the relay waits for that after each send."""

import asyncio
from typing import Any, cast

import pytest

from runtime.producer import Producer
from runtime.settings import Settings
from services.recommender import relay
from services.recommender.relay import Relay


class LivingSession:
    """A session that is never lost and answers at once."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    async def backlog(self) -> tuple[int, float]:
        await asyncio.sleep(0)
        return 0, 0.0


@pytest.mark.parametrize("steps", range(40))
async def test_the_watch_ends_at_whatever_moment_it_is_cancelled(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_POLL_SECONDS", 0)
    settings = Settings.load()
    watched = Relay(settings, Producer(settings, "test"))
    session = LivingSession()
    watch = asyncio.create_task(watched._until_lost(cast(Any, session)))
    for _ in range(steps):
        await asyncio.sleep(0)
    watch.cancel()
    done, _ = await asyncio.wait({watch}, timeout=1)
    session.lost.set()
    assert done
