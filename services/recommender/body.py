"""The value of a recommendation event as bytes: canonical, made without serialising any recommendation twice.

A first result's event has each recommendation in its changes and in its list, so a body is kept as fragments that know
when they are repeated.
"""

import zlib
from collections.abc import Iterable

import orjson

from schemas.recommendation import Change, Recommendation, RecommendationsChanged
from schemas.serialise import to_json

_COMPRESSION = 1
"""Bodies leave the outbox within moments: the fastest level is enough."""


def fragments(event: RecommendationsChanged) -> list[bytes]:
    """The event's canonical JSON in parts; joined, they are ``schemas.serialise.to_json(event)``."""
    known: dict[int, bytes] = {}

    def one(recommendation: Recommendation | None) -> bytes:
        if recommendation is None:
            return b"null"
        place = id(recommendation)
        if place not in known:
            known[place] = to_json(recommendation)
        return known[place]

    frame = to_json(event.model_copy(update={"changes": (), "recommendations": ()}))
    head, _, rest = frame.partition(b'"changes":[]')
    phenotypes, _, tail = rest.partition(b'"recommendations":[]')
    parts = [head, b'"changes":[']
    for number, change in enumerate(event.changes):
        parts += [_opening(change, number), one(change.before), b',"after":', one(change.after), _closing(change)]
    parts += [b"]", phenotypes, b'"recommendations":[']
    for number, recommendation in enumerate(event.recommendations):
        parts += [b"," if number else b"", one(recommendation)]
    return [*parts, b"]", tail]


def _opening(change: Change, number: int) -> bytes:
    start = orjson.dumps({"change": change.change.value, "rule": change.rule})[:-1] + b',"before":'
    return b"," + start if number else start


def _closing(change: Change) -> bytes:
    return b',"reason":' + orjson.dumps(change.reason) + b"}"


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
