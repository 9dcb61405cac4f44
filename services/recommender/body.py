"""The value of a recommendation event as bytes: canonical, made without serialising any recommendation twice.

A first result's event has each recommendation in its changes and in its list, so a body is kept as fragments that know
when they are repeated.
"""

import zlib
from collections.abc import Iterable
from functools import lru_cache

import orjson

from schemas.recommendation import RecommendationsChanged
from schemas.serialise import to_json

_COMPRESSION = 1
"""Bodies leave the outbox within moments: the fastest level is enough."""


def fragments(event: RecommendationsChanged) -> list[bytes]:
    """The event's canonical JSON in parts; joined, they are ``schemas.serialise.to_json(event)``."""
    sides = (side for change in event.changes for side in (change.before, change.after))
    different = {id(one): one for one in (*event.recommendations, *sides) if one is not None}
    known = {place: to_json(one) for place, one in different.items()} | {id(None): b"null"}
    frame = to_json(event.model_copy(update={"changes": (), "recommendations": ()}))
    head, _, rest = frame.partition(b'"changes":[]')
    middle, _, tail = rest.partition(b'"recommendations":[]')
    parts = [head, b'"changes":[']
    for number, change in enumerate(event.changes):
        opening = _opening(change.change.value, change.rule)
        parts += [b"," + opening if number else opening, known[id(change.before)]]
        parts += [b',"after":', known[id(change.after)], _closing(change.reason)]
    parts += [b"]", middle, b'"recommendations":[']
    for number, one in enumerate(event.recommendations):
        parts += [b",", known[id(one)]] if number else [known[id(one)]]
    return [*parts, b"]", tail]


@lru_cache(maxsize=8192)
def _opening(kind: str, rule: str) -> bytes:
    return orjson.dumps({"change": kind, "rule": rule})[:-1] + b',"before":'


@lru_cache(maxsize=64)
def _closing(reason: str) -> bytes:
    return b',"reason":' + orjson.dumps(reason) + b"}"


def pack(parts: Iterable[bytes]) -> bytes:
    """Fragments for the outbox: each different one once, compressed."""
    places: dict[bytes, int] = {}
    order = [places.setdefault(part, len(places)) for part in parts]
    head = orjson.dumps([order, list(map(len, places))])
    return zlib.compress(b"".join((len(head).to_bytes(4, "big"), head, *places)), _COMPRESSION)


def unpack(packed: bytes) -> bytes:
    """The whole body of what was packed."""
    plain = zlib.decompress(packed)
    start = 4 + int.from_bytes(plain[:4], "big")
    order, lengths = orjson.loads(plain[4:start])
    different = []
    for length in lengths:
        different.append(plain[start : start + length])
        start += length
    return b"".join([different[place] for place in order])
