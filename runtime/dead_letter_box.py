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
            elif (found := marker(message)) is not None:
                resolutions[found[0]] = found[1]
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


def marker(message: Message) -> tuple[str, str] | None:
    """The letter that a message says is resolved, and how; None where it says no such thing."""
    headers = dict(message.headers)
    identifier, resolution = headers.get("dlq_id"), headers.get("dlq_resolution")
    if message.value or identifier is None or resolution is None:
        return None
    return identifier.decode("utf-8", "replace"), resolution.decode("utf-8", "replace")


class OpenLetters:
    """The dead letters that wait for somebody. What was read once is not read again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read: dict[int, range] = {}
        self._open: dict[str, tuple[int, int, int]] = {}
        """Partition, offset and time in milliseconds of each open letter, by its id."""

    async def oldest_age(self, now_ms: float) -> float:
        """Age in seconds of the oldest letter that is neither retried nor discarded; 0 when there is none.

        Raises:
            Unreachable: no broker answered within the patience.
            NotSetUp: there is no dead-letter topic.
        """
        resolved: set[str] = set()
        async with reading(self._settings, DEAD_LETTER) as reader:
            async for message in reader.existing(since=self._read):
                if (letter := dead_letters.parse(message)) is not None:
                    self._open.setdefault(letter.id, (message.partition, message.offset, message.timestamp_ms))
                elif (found := marker(message)) is not None:
                    resolved.add(found[0])
            self._read = reader.held
        self._open = {
            id_: (partition, offset, milliseconds)
            for id_, (partition, offset, milliseconds) in self._open.items()
            if id_ not in resolved and offset in self._read.get(partition, ())
        }
        oldest = min((milliseconds for _, _, milliseconds in self._open.values()), default=now_ms)
        return max(0.0, (now_ms - oldest) / 1000)
