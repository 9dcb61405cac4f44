"""A message as it lies on a topic: bytes and a position, nothing decoded."""

from dataclasses import dataclass

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A consumed message. ``topic`` is the name on the brokers, ``timestamp_ms`` -1 if unknown."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_ms: int = -1


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be published. ``partition`` None: by the key. ``timestamp_ms`` None: the time of sending."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None
    timestamp_ms: int | None = None
