"""CloudEvents 1.0 on Kafka: messages to events and back, in binary and structured mode.

Specification: CloudEvents 1.0.2, Kafka protocol binding 1.0.2.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event(Generic[T]):
    """An event with its decoded value.

    ``sha256`` is the hex digest of the value's bytes as they arrived; with ``source`` and ``id`` it identifies the event,
    since ids of laboratories are unique only for each source.
    """

    id: str
    source: str
    type: str
    time: str
    data: T
    sha256: str
    traceparent: str | None = None
