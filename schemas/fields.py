"""Single fields of JSON from outside, read strictly: each reader takes a value and its path, or raises Rejected."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from schemas.errors import Code, Rejected

E = TypeVar("E", bound=StrEnum)


def whole(low: int, high: int) -> Callable[[Any, str], int]:
    """A whole number, ends included."""

    def read(value: Any, path: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Rejected(Code.INVALID_FIELD, f"expected a whole number from {low} to {high}", path)
        return value

    return read


def number(low: float, high: float) -> Callable[[Any, str], float]:
    """A number, ends included."""

    def read(value: Any, path: str) -> float:
        if type(value) not in (int, float) or not low <= value <= high:
            raise Rejected(Code.INVALID_FIELD, f"expected a number from {low:g} to {high:g}", path)
        return float(value)

    return read


def one_of(members: type[E]) -> Callable[[Any, str], E]:
    """A member of an enumeration, by its value."""
    by_value = {member.value: member for member in members}

    def read(value: Any, path: str) -> E:
        if type(value) is not str or value not in by_value:
            raise Rejected(Code.INVALID_FIELD, f"expected one of {', '.join(by_value)}", path)
        return by_value[value]

    return read


def set_of(members: type[E]) -> Callable[[Any, str], tuple[E, ...]]:
    """An array of members, each once and in the order of their names whatever the order given."""
    one = one_of(members)

    def read(value: Any, path: str) -> tuple[E, ...]:
        if type(value) is not list:
            raise Rejected(Code.INVALID_FIELD, f"expected an array of {', '.join(members)}", path)
        return tuple(sorted({one(each, f"{path}[{index}]") for index, each in enumerate(value)}))

    return read


def text(pattern: str, expected: str) -> Callable[[Any, str], str]:
    """A text of a certain form; ``expected`` describes it."""
    compiled = re.compile(pattern.removeprefix("^").removesuffix("$"), re.ASCII)

    def read(value: Any, path: str) -> str:
        if type(value) is not str or compiled.fullmatch(value) is None:
            raise Rejected(Code.INVALID_FIELD, f"expected {expected}", path)
        return value

    return read


def line(longest: int) -> Callable[[Any, str], str]:
    """A printable text of one line, without space around it."""

    def read(value: Any, path: str) -> str:
        if type(value) is not str or len(value) > longest or not value.isprintable() or not value.strip():
            raise Rejected(Code.INVALID_FIELD, f"expected 1 to {longest} printable characters", path)
        return value.strip()

    return read
