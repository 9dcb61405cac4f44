"""Finds an event on topics by the id that its laboratory or its content gave it."""

from typing import Any

import orjson

from runtime.dead_letter_box import kept
from runtime.dead_letters import DeadLetter
from runtime.message import Message
from runtime.settings import Settings
from runtime.topic_reader import reading
from schemas.cloudevents import read_clinical_context, read_lab_result
from schemas.errors import Rejected
from schemas.topics import FROM_OUTSIDE


async def among_dead_letters(settings: Settings, id_: str) -> list[DeadLetter]:
    """The open dead letters of a laboratory's event, of whichever stage. Raises ``Unreachable``, ``NotSetUp``."""
    return [
        one.letter
        for one in (await kept(settings)).values()
        if one.resolution is None and _caused_by(one.letter.message, id_)
    ]


async def among_submitted(settings: Settings, id_: str, newest: int) -> Message | None:
    """The event among the newest from outside, so many of each partition. Raises ``Unreachable``, ``NotSetUp``."""
    for topic in FROM_OUTSIDE:
        async with reading(settings, topic) as reader:
            async for message in reader.existing(newest):
                if _is(message, id_):
                    return message
    return None


def _caused_by(message: Message, id_: str) -> bool:
    """Whether a message is the event, or one of ours that was derived from it."""
    if _is(message, id_):
        return True
    if id_.encode() not in (message.value or b""):
        return False
    try:
        content: Any = orjson.loads(message.value or b"")
        about = content.get("genotype", content)
        return bool(about["result"]["event_id"] == id_)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return False


def _is(message: Message, id_: str) -> bool:
    given = dict(message.headers).get("ce_id")
    if given is not None:
        return given == id_.encode()
    for read in (read_lab_result, read_clinical_context):
        try:
            if read(message.value).id == id_:
                return True
        except Rejected:
            continue
    return False
