"""``pgx dlq`` with options in place of ids, on letters of several patients and codes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.dlq import app
from cli.exits import Failure
from runtime.dead_letters import DeadLetters
from runtime.exits import Exit
from runtime.message import Message
from runtime.metrics import Metrics
from runtime.producer import Producer
from runtime.settings import Settings
from schemas.errors import Code, Rejected
from schemas.topics import DEAD_LETTER, LAB_RESULT
from tests.support.kafka import Broker
from tests.support.streams import with_topics

LETTERS = (
    (b"mercy/p-1", Code.NOT_JSON),
    (b"mercy/p-1", Code.NOT_JSON),
    (b"mercy/p-2", Code.INVALID_FIELD),
    (b"north/p-1", Code.NOT_JSON),
)
NOON_MS = 1_764_072_000_000


@pytest.fixture
async def letters(settings: Settings) -> None:
    await with_topics(settings, LAB_RESULT, DEAD_LETTER)
    producer = Producer(settings, "test")
    await producer.start()
    topic = settings.topic(LAB_RESULT)
    batch = [Message(topic, 0, place, key, b"{", (), NOON_MS) for place, (key, _) in enumerate(LETTERS)]
    reasons = [(message, Rejected(code, "why")) for message, (_, code) in zip(batch, LETTERS, strict=True)]
    await DeadLetters(settings, "genotyper", producer, Metrics("genotyper")).send(batch, reasons)
    await producer.stop()


@pytest.fixture
def dlq(letters: None, settings: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    own = {"PGX_TOPIC_PREFIX": settings.topic_prefix, "PGX_PARTITIONS": str(settings.partitions)}
    for name, value in (broker.environment | own).items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, list(words))


def listed(done: Result) -> list[tuple[str, str]]:
    found: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted((one["key"], one["code"]) for one in found)


def test_letters_are_listed_and_dealt_with_by_what_they_have_in_common(dlq: Callable[..., Result]) -> None:
    own = ("--tenant", "mercy")
    assert listed(dlq("list", "--json", *own, "--stage", "genotyper", "--topic", LAB_RESULT.name)) == [
        ("mercy/p-1", "not-json"), ("mercy/p-1", "not-json"), ("mercy/p-2", "invalid-field"),
    ]  # fmt: skip
    assert listed(dlq("list", "--json", "--until", "2025-11-25")) == []
    assert len(dlq("discard", *own, "--code", "not-json").stdout.splitlines()) == 2
    assert dlq("retry", "--tenant", "north").stdout.endswith("\tretried\n")
    assert listed(dlq("list", "--json")) == [("mercy/p-2", "invalid-field")]
    assert len(listed(dlq("list", "--json", "--all", "--since", "2025-11-25"))) == 4


@pytest.mark.parametrize("words", [("retry",), ("discard", "an-id", "--tenant", "mercy"), ("list", "--since", "noon")])
def test_without_a_clear_choice_nothing_is_done(words: tuple[str, ...]) -> None:
    error = CliRunner().invoke(app, list(words)).exception
    assert isinstance(error, Failure)
    assert error.status is Exit.USAGE
