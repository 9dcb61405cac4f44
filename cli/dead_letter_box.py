"""Dead letters with what became of them.

A letter that was retried or discarded is resolved: a marker on the dead-letter topic says so (headers ``dlq_id`` and
``dlq_resolution``, no value), which goes when the letter goes. A retry that fails again is a letter of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime import dead_letters
from runtime.dead_letters import DeadLetter
from runtime.message import Message, Outgoing
from runtime.producer import Producer
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.topics import DEAD_LETTER

RETRIED, DISCARDED = "retried", "discarded"


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter and its resolution: ``retried``, ``discarded``, or None while it is open."""

    letter: DeadLetter
    resolution: str | None


async def kept(settings: Settings) -> dict[str, Kept]:
    """Every dead letter by its id, the oldest of each partition first. Raises ``Unreachable``, ``NotSetUp``."""
    letters: dict[str, DeadLetter] = {}
    resolutions: dict[str, str] = {}
    async with reading(settings, DEAD_LETTER) as reader:
        async for message in reader.existing():
            if (letter := dead_letters.parse(message)) is not None:
                letters.setdefault(letter.id, letter)
            elif (marker := _marker(message)) is not None:
                resolutions[marker[0]] = marker[1]
    return {id_: Kept(letter, resolutions.get(id_)) for id_, letter in letters.items()}


async def retry(settings: Settings, producer: Producer, letters: Sequence[DeadLetter]) -> None:
    """Publish the original messages again and mark the letters. Raises ``Incomplete``, ``Unreachable``."""
    await dead_letters.retry(producer, letters)
    await mark(settings, producer, letters, RETRIED)


async def mark(settings: Settings, producer: Producer, letters: Sequence[DeadLetter], resolution: str) -> None:
    """Write down what became of the letters. Raises ``Unreachable``."""
    topic = settings.topic(DEAD_LETTER)
    await producer.send(
        [
            Outgoing(
                topic,
                letter.message.key,
                None,
                (("dlq_id", letter.id.encode()), ("dlq_resolution", resolution.encode())),
            )
            for letter in letters
        ]
    )


def _marker(message: Message) -> tuple[str, str] | None:
    headers = dict(message.headers)
    identifier, resolution = headers.get("dlq_id"), headers.get("dlq_resolution")
    if message.value or identifier is None or resolution is None:
        return None
    return identifier.decode("utf-8", "replace"), resolution.decode("utf-8", "replace")
