"""What reads a topic and hands its messages on, batch by batch: Faust, or bare aiokafka, with one behaviour.

The contract of an engine: ``handle`` gets batches in the order of each partition, one batch at a time; a message is
acknowledged only after ``handle`` returned for it and for all before it; an error of ``handle`` ends the engine with
nothing of that batch acknowledged; when ``stop`` is set, the batch at hand is finished and acknowledged, unless the
brokers are away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.message import Message
from runtime.settings import Settings

Handle = Callable[[Sequence[Message]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What to read and as whom. ``topics`` and ``group`` are the names on the brokers."""

    topics: tuple[str, ...]
    group: str


class LostPosition(Exception):
    """The group's position is not on the topic: messages were deleted before they were read, or the topic is new."""


class Engine(Protocol):
    """Reads one subscription for one process."""

    async def run(self, handle: Handle, stop: asyncio.Event) -> None:
        """Read until ``stop`` is set; raises what ``handle`` raised, :class:`LostPosition`, or the client's error."""

    @property
    def joined(self) -> bool:
        """Whether the group has given this member its partitions (which may be none)."""

    def poll_age(self) -> float:
        """Seconds since the brokers were last heard of or a batch was finished; grows while something is stuck."""

    def stalled(self) -> float:
        """Seconds for which some part of it has stood still: a partition, its place in the group, taken messages."""

    def lag(self) -> int:
        """Messages of the assigned partitions that are published but not handled."""


def create(settings: Settings, subscription: Subscription) -> Engine:
    """The engine that ``PGX_STREAM_ENGINE`` names."""
    if settings.stream_engine == "aiokafka":
        from runtime.engines.aiokafka_engine import AiokafkaEngine

        return AiokafkaEngine(settings, subscription)
    from runtime.engines.faust_engine import FaustEngine

    return FaustEngine(settings, subscription)
