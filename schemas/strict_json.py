"""JSON from outside, read strictly: UTF-8, RFC 8259, no duplicate names, bounded in size and nesting.

Duplicate names are refused although RFC 8259 only advises against them: a row with two ``gt`` has no meaning that the
laboratory and every reader would agree on.
"""

import json
from typing import Any

import orjson

from schemas.errors import Code, Rejected

MAX_DEPTH = 16
"""Levels of arrays and objects, the outermost counted as one."""


def loads(value: bytes | None, max_bytes: int) -> Any:
    """The JSON value in the bytes.

    Raises Rejected: EMPTY_VALUE, TOO_LARGE, NOT_JSON, TOO_DEEP where the parser itself gives up, INVALID_FIELD for
    duplicate names. Depth up to the limit is checked by ``check_depth`` where something unexpected is present, since a
    value that has only known fields of the right types is never deep.
    """
    if not value:
        raise Rejected(Code.EMPTY_VALUE, "the value is empty; expected a JSON object")
    if len(value) > max_bytes:
        raise Rejected(Code.TOO_LARGE, f"the value has {len(value):,} bytes; expected at most {max_bytes:,}")
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if "depth limit" in error.msg or "recursion" in error.msg.lower():
            raise _too_deep() from None
        raise Rejected(
            Code.NOT_JSON, f"expected JSON in UTF-8; it stops being that at line {error.lineno}, column {error.colno}"
        ) from None
    _check_duplicate_names(value, parsed)
    return parsed


def check_depth(parsed: Any) -> None:
    """Raises Rejected(TOO_DEEP) where arrays and objects are nested deeper than the limit."""
    level = [parsed]
    for _ in range(MAX_DEPTH + 1):
        level = [child for container in level for child in _children(container)]
        if not level:
            return
    raise _too_deep()


def _children(container: Any) -> list[Any]:
    if isinstance(container, dict):
        return list(container.values())
    return container if isinstance(container, list) else []


def _too_deep() -> Rejected:
    return Rejected(Code.TOO_DEEP, f"expected at most {MAX_DEPTH} levels of arrays and objects")


def _check_duplicate_names(value: bytes, parsed: Any) -> None:
    # Without escapes every colon is a member's or stands in a text; a member that the parser dropped takes its colon along.
    # That is four times faster than looking at the names one by one, which only a suspicious value has to pay for.
    try:
        if b"\\" not in value and value.count(b":") == orjson.dumps(parsed).count(b":"):
            return
    except orjson.JSONEncodeError:
        raise _too_deep() from None
    try:
        json.loads(value, object_pairs_hook=_unique)
    except RecursionError:
        raise _too_deep() from None


def _unique(members: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        twice = next(name for position, name in enumerate(names) if name in names[:position])
        raise Rejected(
            Code.INVALID_FIELD, "a name occurs twice in one object; expected each name once", printable(twice)
        )


def printable(name: str) -> str:
    """A name from outside as it may stand in a message: bounded, without control characters."""
    return "".join(character if character.isprintable() else "?" for character in name[:64])
