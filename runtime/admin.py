"""Makes the topics of a registry, and says where those that are there differ from it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from runtime.kafka import client_options, transient_fault, unreachable
from runtime.retry import Fault, persist
from runtime.settings import Settings
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Difference:
    """A topic that is there, but not as the registry wants it."""

    topic: str
    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.found}, wanted {self.wanted}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What :func:`create_topics` did and found. Nothing that exists is changed."""

    created: tuple[str, ...]
    differences: tuple[Difference, ...]


class TopicError(Exception):
    """The brokers refused to create a topic; the message says which and why."""


async def create_topics(settings: Settings, registry: Iterable[Topic]) -> Outcome:
    """Create the topics that are missing, wait until they can be used, and compare those that were there.

    Idempotent, and safe when two run at once.

    Raises:
        Unreachable: no broker answered within the patience.
        TopicError: the brokers refused.
    """
    wanted = list(registry)
    return await persist(
        lambda: _create(settings, wanted),
        transient=transient_fault,
        patience=settings.patience,
        fault=Fault(),
        gave_up=lambda tried: unreachable(settings, tried),
    )


async def missing_topics(settings: Settings, registry: Iterable[Topic]) -> tuple[str, ...]:
    """Names of those topics that are not on the brokers."""
    names = [settings.topic(topic) for topic in registry]
    async with _client(settings) as admin:
        present = set(await admin.list_topics())
    return tuple(name for name in names if name not in present)


async def _create(settings: Settings, registry: Sequence[Topic]) -> Outcome:
    async with _client(settings) as admin:
        present = set(await admin.list_topics())
        absent = [topic for topic in registry if settings.topic(topic) not in present]
        created = await _create_absent(admin, settings, absent)
        await _usable(admin, settings, absent)
        differences: list[Difference] = []
        for topic in registry:
            if settings.topic(topic) not in created:
                differences += await _compare(admin, settings, topic)
        return Outcome(created, tuple(differences))


async def _create_absent(admin: AIOKafkaAdminClient, settings: Settings, topics: Sequence[Topic]) -> tuple[str, ...]:
    created: list[str] = []
    for topic in topics:
        new = NewTopic(
            settings.topic(topic), _partitions(settings, topic), settings.replication, topic_configs=dict(topic.config)
        )
        response = await admin.create_topics([new])
        for name, code, *reason in response.topic_errors:
            if code == 0:
                created.append(name)
            elif code != TopicAlreadyExistsError.errno:
                error = for_code(code)
                if error.retriable:
                    raise error(f"{name}: {reason}")
                raise TopicError(f"{name} could not be created: {error.__name__}{_reason(reason)}")
    return tuple(created)


async def _usable(admin: AIOKafkaAdminClient, settings: Settings, topics: Sequence[Topic]) -> None:
    names = [settings.topic(topic) for topic in topics]
    while names:
        described = await admin.describe_topics(names)
        ready = {
            topic["topic"]
            for topic in described
            if topic["error_code"] == 0 and topic["partitions"] and all(p["leader"] >= 0 for p in topic["partitions"])
        }
        names = [name for name in names if name not in ready]
        await asyncio.sleep(0.05 if names else 0)


async def _compare(admin: AIOKafkaAdminClient, settings: Settings, topic: Topic) -> list[Difference]:
    name = settings.topic(topic)
    [described] = await admin.describe_topics([name])
    found = {"partitions": str(len(described["partitions"]))} | await _configuration(admin, name)
    wanted = {"partitions": str(_partitions(settings, topic))} | dict(topic.config)
    return [
        Difference(name, setting, value, found[setting])
        for setting, value in wanted.items()
        if setting in found and found[setting] != value
    ]


async def _configuration(admin: AIOKafkaAdminClient, name: str) -> dict[str, str]:
    """The topic's settings; empty where the broker does not tell (the embedded one)."""
    try:
        [response] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        return {entry[0]: entry[1] for resource in response.resources for entry in resource[4]}
    except (KafkaError, ValueError):
        return {}


def _partitions(settings: Settings, topic: Topic) -> int:
    return settings.partitions if topic.partitions is None else topic.partitions


def _reason(reason: Sequence[Any]) -> str:
    return f" ({reason[0]})" if reason and reason[0] else ""


class _client:  # noqa: N801 - reads as a function in ``async with``
    def __init__(self, settings: Settings) -> None:
        self._admin = AIOKafkaAdminClient(**client_options(settings))

    async def __aenter__(self) -> AIOKafkaAdminClient:
        try:
            await self._admin.start()
        except BaseException:
            await self._admin.close()
            raise
        return self._admin

    async def __aexit__(self, *error: object) -> None:
        await self._admin.close()
