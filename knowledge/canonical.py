"""The one way in which releases are written: the same facts always give the same bytes, and a change of one fact shows
as one changed line."""

import json
from typing import Any


def to_bytes(value: Any, lines: int) -> bytes:
    """JSON in UTF-8 with the members of the outermost ``lines`` levels of containers on lines of their own.

    Object members keep their order. Ends with a line feed.
    """
    return (_text(value, lines) + "\n").encode()


def _text(value: Any, lines: int) -> str:
    if lines < 1 or not value or not isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if isinstance(value, dict):
        body = ",\n".join(f"{json.dumps(k, ensure_ascii=False)}:{_text(v, lines - 1)}" for k, v in value.items())
        return "{\n" + body + "\n}"
    return "[\n" + ",\n".join(_text(v, lines - 1) for v in value) + "\n]"
