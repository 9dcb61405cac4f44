"""Which dead letters options choose."""

from typing import Any

import pytest

from cli.exits import Failure
from cli.letter_filter import LetterFilter
from runtime.dead_letters import DeadLetter
from runtime.message import Message

NOON = 1_764_072_000_000
"""2025-11-25T12:00:00Z in milliseconds."""


def letter(**changes: Any) -> DeadLetter:
    facts: dict[str, Any] = {"stage": "genotyper", "code": "not-json", "key": b"mercy/p-1", "time": NOON} | changes
    message = Message("lab.pgx.lab-result.v1", 3, 7, facts["key"], b"{", (), facts["time"])
    return DeadLetter(message, facts["stage"], facts["code"], "why")


def chosen(**options: str) -> LetterFilter:
    names = ("stage", "code", "topic", "tenant", "since", "until")
    return LetterFilter.of(*(options.get(name) for name in names))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stage": "genotyper"},
        {"code": "not-json", "tenant": "mercy"},
        {"topic": "pgx.lab-result.v1"},
        {"topic": "lab.pgx.lab-result.v1"},
        {"since": "2025-11-25T12:00:00Z", "until": "2025-11-25T13:00:01+01:00"},
        {"since": "2025-11-25", "until": "2025-11-26"},
    ],
)
def test_a_letter_that_fits_every_option_is_chosen(options: dict[str, str]) -> None:
    assert chosen(**options).matches(letter(), "lab.")


@pytest.mark.parametrize(
    "options",
    [
        {"stage": "phenotyper"},
        {"code": "not-json", "tenant": "merc"},
        {"topic": "pgx.genotype.v1"},
        {"since": "2025-11-25T12:00:01Z"},
        {"until": "2025-11-25T12:00:00Z"},
        {"since": "2025-11-25T13:00:00+02:00", "until": "2025-11-25T13:30:00+02:00"},
    ],
)
def test_a_letter_that_fails_one_option_is_not(options: dict[str, str]) -> None:
    assert not chosen(**options).matches(letter(), "lab.")


def test_a_letter_without_key_or_time_has_no_tenant_and_no_time() -> None:
    odd = letter(key=None, time=-1)
    assert chosen().matches(odd)
    assert not chosen(tenant="mercy").matches(odd)
    assert not chosen(since="1970-01-01").matches(odd)
    assert not chosen(until="2100-01-01").matches(odd)


def test_a_time_that_is_none_is_a_mistake_of_usage() -> None:
    with pytest.raises(Failure, match="--since yesterday"):
        chosen(since="yesterday")
