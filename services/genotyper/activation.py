"""Which knowledge release is active for a tenant, by the control topic ``pgx.knowledge.v1``.

The topic is compacted and keyed by tenant, ``*`` for everyone: its last message of a key decides. The service reads it
to its end before its first event, and follows it from then on.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from knowledge.loader import UnknownRelease
from knowledge.release import Release
from runtime.exits import NotSetUp
from runtime.logs import logger
from runtime.message import Message, Outgoing
from runtime.producer import Producer
from runtime.retry import Fault, persist
from runtime.settings import Settings
from runtime.topic_reader import TopicReader, reading
from schemas import cloudevents
from schemas.errors import Code, Rejected
from schemas.knowledge import EVERYONE, ReleaseActivated
from schemas.topics import KNOWLEDGE

SOURCE = "/pgx/operator"
_log = logger(__name__)


class Activation:
    """The active release of each tenant. ``load`` gives an installed release by its id; ``changed`` is told the ids in
    use whenever they change."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[str], Release],
        changed: Callable[[set[str]], None] = lambda releases: None,
    ) -> None:
        self._settings = settings
        self._load = load
        self._changed = changed
        self._choices: dict[str, ReleaseActivated] = {}
        self._reader: TopicReader | None = None

    def release(self, tenant: str) -> Release:
        """The release that new results of a tenant are called under: its own choice, else everyone's.

        Raises:
            Rejected: the active release is not installed here, or is another one of the same name.
        """
        choice = self._choices.get(tenant) or self._choices.get(EVERYONE)
        if choice is None:
            raise Rejected(Code.UNKNOWN_RELEASE, "no knowledge release is active for this tenant", "tenant")
        try:
            release = self._load(choice.release)
        except UnknownRelease:
            raise Rejected(Code.UNKNOWN_RELEASE, f"the active release {choice.release} is not installed here") from None
        if release.sha256 != choice.sha256:
            raise Rejected(Code.UNKNOWN_RELEASE, f"the active release {choice.release} has another content here")
        return release

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Knows every choice that has been made when the block begins.

        Raises:
            NotSetUp: nobody has activated a release within the patience.
            Unreachable: no broker answered.
        """
        async with reading(self._settings, KNOWLEDGE) as reader:
            self._reader = reader
            await persist(
                self._catch_up,
                transient=lambda error: isinstance(error, NotSetUp),
                patience=self._settings.patience,
                fault=Fault(),
                gave_up=lambda tried: NotSetUp(f"{tried}. Run `pgx setup` first: it activates a release"),
            )
            for choice in self._choices.values():
                _log.info("knowledge release active", tenant=choice.tenant, release=choice.release)
            yield

    async def follow(self) -> None:
        """Take over later choices as they are made; runs beside the service."""
        if self._reader is None:
            raise RuntimeError("follow() runs while opened() is entered")
        async for message in self._reader.onward():
            if (choice := self._take(message)) is not None:
                _log.info("knowledge release activated", tenant=choice.tenant, release=choice.release)
            elif message.value is None and message.key is not None:
                _log.info("knowledge release no longer chosen", tenant=message.key.decode("utf-8", "replace"))

    async def _catch_up(self) -> None:
        if self._reader is not None:
            async for message in self._reader.existing():
                self._take(message)
        if not self._choices:
            raise NotSetUp(f"no knowledge release is active on {self._settings.topic(KNOWLEDGE)}")

    def _take(self, message: Message) -> ReleaseActivated | None:
        choice = decoded(message)
        if choice is not None:
            self._choices[choice.tenant] = choice
        elif message.value is None and message.key is not None:
            # A deleted choice: the tenant is back to everyone's.
            self._choices.pop(message.key.decode("utf-8", "replace"), None)
        self._changed({each.release for each in self._choices.values()})
        return choice


async def announce(settings: Settings, choice: ReleaseActivated, identifier: str) -> None:
    """Publish a choice under the id of its event. It holds for results that are called from now on.

    Raises:
        Unreachable: the brokers did not confirm.
    """
    key, value, headers = cloudevents.encode(KNOWLEDGE, choice, id=identifier, source=SOURCE, time=_now())
    await _publish(settings, key, value, headers)


async def withdraw(settings: Settings, tenant: str, identifier: str) -> None:
    """Take a tenant's own choice off the topic: everyone's holds for it from now on. Raises ``Unreachable``."""
    headers = cloudevents.headers_of(KNOWLEDGE, id=identifier, source=SOURCE, time=_now())
    await _publish(settings, tenant.encode(), None, headers)


async def _publish(settings: Settings, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    producer = Producer(settings, "pgx-activation")
    try:
        await producer.start()
        await producer.send([Outgoing(settings.topic(KNOWLEDGE), key, value, tuple(headers))])
    finally:
        await producer.stop()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def active(settings: Settings) -> dict[str, ReleaseActivated]:
    """The choices that hold now, by tenant. Raises ``Unreachable``, ``NotSetUp``."""
    choices: dict[str, ReleaseActivated] = {}
    async with reading(settings, KNOWLEDGE) as reader:
        async for message in reader.existing():
            if (choice := decoded(message)) is not None:
                choices[choice.tenant] = choice
            elif message.value is None and message.key is not None:
                choices.pop(message.key.decode("utf-8", "replace"), None)
    return choices


def decoded(message: Message) -> ReleaseActivated | None:
    """The choice in a message of the control topic; None, with a log line, where there is none."""
    if message.value is None:
        return None
    headers = [(name, value or b"") for name, value in message.headers]
    try:
        choice: ReleaseActivated = cloudevents.decode(KNOWLEDGE, message.key, message.value, headers).data
    except Rejected as error:
        _log.error("unreadable activation ignored", offset=message.offset, code=error.code, path=error.path)
        return None
    return choice
