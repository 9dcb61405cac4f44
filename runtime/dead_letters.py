"""Dead letters: what cannot be processed is kept as it came, with the reason, to be seen, repaired and sent again.

A dead letter has the key, value and headers of the message it was, followed by the headers named in :data:`NAMES`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiokafka.errors import MessageSizeTooLargeError

from runtime.logs import logger
from runtime.message import Headers, Message, Outgoing
from runtime.metrics import Metrics
from runtime.poison import Place, PoisonLimits
from runtime.producer import Producer
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.errors import Rejected
from schemas.topics import DEAD_LETTER

NAMES = (
    "dlq_topic",
    "dlq_partition",
    "dlq_offset",
    "dlq_timestamp",
    "dlq_stage",
    "dlq_code",
    "dlq_message",
    "dlq_path",
    "dlq_truncated",
)
"""Headers of a dead letter, in this order at its end. ``dlq_timestamp`` is in milliseconds since 1970, -1 if unknown;
``dlq_path`` is empty where the whole message is meant; ``dlq_truncated`` is the value's size where it did not fit and
only its beginning is kept, else empty. Headers of more than a megabyte go then, too."""

_MESSAGE_CHARACTERS = 2_000
_KEPT_BYTES = 1_000_000
_log = logger(__name__)


class TooManyDeadLetters(Exception):
    """So many messages of one partition failed that the topic, not the messages, must be wrong."""


class Incomplete(Exception):
    """A dead letter that kept only the beginning of its message and so cannot be sent again."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message with the reason why ``stage`` could not process it."""

    message: Message
    stage: str
    code: str
    reason: str
    path: str | None = None
    truncated: int | None = None
    """The original value's size in bytes where only its beginning is kept."""

    @property
    def id(self) -> str:
        """The same for every delivery of the letter: stage and original topic, partition and offset."""
        return f"{self.stage}:{self.message.topic}:{self.message.partition}:{self.message.offset}"


class DeadLetters:
    """Writes the dead letters of one stage."""

    def __init__(self, settings: Settings, stage: str, producer: Producer, metrics: Metrics) -> None:
        self._settings = settings
        self._topic = settings.topic(DEAD_LETTER)
        self._limits = PoisonLimits(settings.dead_letter_limit, settings.dead_letter_share)
        self._stage = stage
        self._producer = producer
        self._metrics = metrics

    async def send(self, batch: Sequence[Message], rejected: Sequence[tuple[Message, Rejected]]) -> None:
        """Write the letters of a batch and return when they are confirmed.

        Args:
            batch: all messages of the batch, so that letters in a row and their share can be counted.
            rejected: those of them that could not be processed, with the reason.

        Raises:
            TooManyDeadLetters: a limit is reached on a partition; nothing of this batch is written then.
            Unreachable: the brokers did not confirm.
        """
        await self._remember(batch, rejected)
        self._count(batch, rejected)
        letters = [_letter(message, self._stage, reason) for message, reason in rejected]
        try:
            await self._producer.send([_outgoing(self._topic, letter) for letter in letters])
        except MessageSizeTooLargeError:
            await self._producer.send([_outgoing(self._topic, _truncated(letter)) for letter in letters])
        for letter in letters:
            self._metrics.dead_letter(letter.code)
            _log.warning("dead letter", id=letter.id, code=letter.code, path=letter.path, reason=letter.reason)

    async def _remember(self, batch: Sequence[Message], rejected: Sequence[tuple[Message, Rejected]]) -> None:
        """Learn how many failed in a row before this process, so that restarts do not drain a topic bit by bit."""
        first: dict[Place, int] = {}
        for message in batch:
            first.setdefault((message.topic, message.partition), message.offset)
        bad = {(message.topic, message.partition, message.offset) for message, _ in rejected}
        unsure = {place for place, offset in first.items() if (*place, offset) in bad and not self._limits.knows(place)}
        if not unsure:
            return
        before: dict[Place, set[int]] = {place: set() for place in unsure}
        async with reading(self._settings, DEAD_LETTER) as reader:
            async for message in reader.existing(newest=self._settings.dead_letter_limit):
                letter = parse(message)
                if letter is not None and letter.stage == self._stage:
                    original = letter.message
                    before.get((original.topic, original.partition), set()).add(original.offset)
        for place, offsets in before.items():
            run = 0
            while first[place] - run - 1 in offsets:
                run += 1
            self._limits.resume(place, run)

    def _count(self, batch: Sequence[Message], rejected: Sequence[tuple[Message, Rejected]]) -> None:
        bad = {(message.topic, message.partition, message.offset): reason for message, reason in rejected}
        for message in batch:
            place = (message.topic, message.partition)
            reason = bad.get((*place, message.offset))
            if (reached := self._limits.count(place, reason is not None)) is not None and reason is not None:
                raise TooManyDeadLetters(
                    f"{reached} on {message.topic} partition {message.partition} could not be processed, the last at"
                    f" offset {message.offset}: {reason}. Find out who publishes there; if each of them shall become a"
                    " dead letter, raise PGX_DEAD_LETTER_LIMIT or PGX_DEAD_LETTER_SHARE"
                )


async def stored(settings: Settings) -> AsyncIterator[DeadLetter]:
    """Every dead letter on the topic, each once, the oldest of each partition first.

    Raises:
        Unreachable: no broker answered within the patience.
        NotSetUp: there is no dead-letter topic.
    """
    seen: set[str] = set()
    async with reading(settings, DEAD_LETTER) as reader:
        async for message in reader.existing():
            letter = parse(message)
            if letter is not None and letter.id not in seen:
                seen.add(letter.id)
                yield letter


async def retry(producer: Producer, letters: Sequence[DeadLetter]) -> None:
    """Publish the original messages again, where and as they were, and return when they are confirmed.

    Raises:
        Incomplete: one of them is not whole; nothing is sent.
    """
    for letter in letters:
        if letter.truncated is not None:
            raise Incomplete(
                f"{letter.id} kept only the beginning of its message of {letter.truncated:,} bytes:"
                " have it submitted again"
            )
    await producer.send(
        [
            Outgoing(
                letter.message.topic,
                letter.message.key,
                letter.message.value,
                letter.message.headers,
                partition=letter.message.partition,
            )
            for letter in letters
        ]
    )


def parse(message: Message) -> DeadLetter | None:
    """A message of the dead-letter topic; None where it is not a dead letter of ours."""
    own = message.headers[-len(NAMES) :]
    if tuple(name for name, _ in own) != NAMES:
        return None
    text = {name: (value or b"").decode("utf-8", "replace") for name, value in own}
    try:
        original = Message(
            topic=text["dlq_topic"],
            partition=int(text["dlq_partition"]),
            offset=int(text["dlq_offset"]),
            key=message.key,
            value=message.value,
            headers=message.headers[: -len(NAMES)],
            timestamp_ms=int(text["dlq_timestamp"]),
        )
        truncated = int(text["dlq_truncated"]) if text["dlq_truncated"] else None
    except ValueError:
        return None
    return DeadLetter(
        original, text["dlq_stage"], text["dlq_code"], text["dlq_message"], text["dlq_path"] or None, truncated
    )


def _letter(message: Message, stage: str, reason: Rejected) -> DeadLetter:
    return DeadLetter(message, stage, reason.code.value, reason.message[:_MESSAGE_CHARACTERS], reason.path)


def _outgoing(topic: str, letter: DeadLetter) -> Outgoing:
    original = letter.message
    texts = (
        original.topic,
        str(original.partition),
        str(original.offset),
        str(original.timestamp_ms),
        letter.stage,
        letter.code,
        letter.reason,
        (letter.path or "")[:_MESSAGE_CHARACTERS],
        "" if letter.truncated is None else str(letter.truncated),
    )
    own: Headers = tuple((name, text.encode("utf-8", "replace")) for name, text in zip(NAMES, texts, strict=True))
    return Outgoing(topic, original.key, original.value, original.headers + own)


def _truncated(letter: DeadLetter) -> DeadLetter:
    original = letter.message
    value = original.value or b""
    header_bytes = sum(len(name) + len(text or b"") for name, text in original.headers)
    if max(len(value), header_bytes) <= _KEPT_BYTES:
        return letter
    kept = Message(
        original.topic,
        original.partition,
        original.offset,
        original.key,
        value[:_KEPT_BYTES],
        original.headers if header_bytes <= _KEPT_BYTES else (),
        original.timestamp_ms,
    )
    return DeadLetter(kept, letter.stage, letter.code, letter.reason, letter.path, len(value))
