"""JSON from outside, read strictly: UTF-8, RFC 8259, no duplicate names, bounded in size and nesting.

Duplicate names are refused although RFC 8259 only advises against them: a row with two ``gt`` has no meaning that the
laboratory and every reader would agree on.
"""

import json
from collections.abc import Iterable
from typing import Any

import orjson

from schemas.errors import Code, Rejected

MAX_DEPTH = 16
"""Levels of arrays and objects, the outermost counted as one."""


def loads(value: bytes | None, max_bytes: int) -> Any:
    """The JSON value in the bytes.

    Raises Rejected: EMPTY_VALUE, TOO_LARGE, NOT_JSON, TOO_DEEP where the parser itself gives up. What takes time is
    left to the caller: ``check_names``, and ``check_depth`` where something unexpected is present (a value that has
    only known fields of the right types is never deep).
    """
    if not value:
        raise Rejected(Code.EMPTY_VALUE, "the value is empty; expected a JSON object")
    if len(value) > max_bytes:
        raise Rejected(Code.TOO_LARGE, f"the value has {len(value):,} bytes; expected at most {max_bytes:,}")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg or "recursion" in error.msg.lower():
            raise _too_deep() from None
        raise Rejected(
            Code.NOT_JSON, f"expected JSON in UTF-8; it stops being that at line {error.lineno}, column {error.colno}"
        ) from None


def check_depth(parsed: Any) -> None:
    """Raises Rejected(TOO_DEEP) where arrays and objects are nested deeper than the limit."""
    level = [parsed]
    for _ in range(MAX_DEPTH):
        level = [inner for container in level for inner in _inside(container) if isinstance(inner, dict | list)]
    if level:
        raise _too_deep()


def _inside(container: Any) -> Iterable[Any]:
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, list) else ()


def _too_deep() -> Rejected:
    return Rejected(Code.TOO_DEEP, f"expected at most {MAX_DEPTH} levels of arrays and objects")


def check_names(value: bytes, parsed: Any, colons: int | None = None) -> None:
    """Raises Rejected(INVALID_FIELD) where an object in the bytes has one name twice.

    ``colons``: how many colons the parsed value takes as JSON, where the caller knows.
    """
    # Without escapes every colon is a member's or stands in a text, and a member that the parser dropped took its
    # colon along. Looking at the names one by one costs ten times more, so only a suspicious value pays for that.
    if b"\\" not in value and value.count(b":") == (colons_of(parsed) if colons is None else colons):
        return
    try:
        json.loads(value, object_pairs_hook=_unique)
    except RecursionError:
        raise _too_deep() from None


def colons_of(parsed: Any) -> int:
    """How many colons the value takes as JSON."""
    try:
        return orjson.dumps(parsed).count(b":")
    except orjson.JSONEncodeError:
        raise _too_deep() from None


def _unique(members: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        twice = next(name for position, name in enumerate(names) if name in names[:position])
        raise Rejected(Code.INVALID_FIELD, "the name occurs twice in one object; expected it once", printable(twice))


def printable(name: str) -> str:
    """A name from outside as it may stand in a message: bounded, without control characters."""
    return "".join(character if character.isprintable() else "?" for character in name[:64])
