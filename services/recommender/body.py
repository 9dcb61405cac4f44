"""The value of a recommendation event as bytes: canonical, made without serialising anything twice.

A first result's event has each recommendation in its changes and in its list, and what a recommendation says before
anything but the patient's keys is known is the same for everyone who meets its row.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain

import cramjam
import orjson

from schemas.recommendation import ChangeKind, Recommendation, RecommendationsChanged
from schemas.serialise import to_json
from services.recommender.rows import Row

_FIELDS = tuple(Recommendation.model_fields)
_OF_ROW = set(_FIELDS[: _FIELDS.index("confidence")])
_OF_PATIENT = set(_FIELDS) - _OF_ROW
_FORMAT = b"\x01"
"""Stands before a packed body, so that another way of packing can be told from this one."""


def body_of(event: RecommendationsChanged, rows: Iterable[tuple[Recommendation, Row]] = ()) -> bytes:
    """The event's canonical JSON, the same as ``schemas.serialise.to_json(event)``.

    ``rows``: recommendations of the event, each with the row that it is of. Others are serialised as a whole.
    """
    known = _recommendations(event, {id(one): row for one, row in rows})
    frame = to_json(event.model_copy(update={"changes": (), "recommendations": ()}))
    head, _, rest = frame.partition(b'"changes":[]')
    middle, _, tail = rest.partition(b'"recommendations":[]')
    parts = [head, b'"changes":[']
    for change in event.changes:
        before, after, closing = change.before, known[id(change.after)], _closing(change.reason)
        if before is None:
            parts += (_issued(change.rule), after, closing, b",")
        else:
            opening = _opening(change.change, change.rule)
            parts += (opening, known[id(before)], b',"after":', after, closing, b",")
    if event.changes:
        parts.pop()
    parts += (b"]", middle, b'"recommendations":[')
    for one in event.recommendations:
        parts += (known[id(one)], b",")
    if event.recommendations:
        parts.pop()
    return b"".join((*parts, b"]", tail))


@lru_cache(maxsize=8192)
def _opening(kind: ChangeKind, rule: str) -> bytes:
    return orjson.dumps({"change": kind, "rule": rule})[:-1] + b',"before":'


@lru_cache(maxsize=8192)
def _issued(rule: str) -> bytes:
    return _opening(ChangeKind.ISSUED, rule) + b'null,"after":'


@lru_cache(maxsize=64)
def _closing(reason: str) -> bytes:
    return b',"reason":' + orjson.dumps(reason) + b"}"


def _recommendations(event: RecommendationsChanged, rows: Mapping[int, Row]) -> dict[int, bytes]:
    """The JSON of every recommendation of the event, by its ``id``; also that of none."""
    shared: dict[tuple[object, ...], bytes] = {}
    found = {id(None): b"null"}
    for one in chain(event.recommendations, *((change.before, change.after) for change in event.changes)):
        place = id(one)
        if one is not None and place not in found:
            row = rows.get(place)
            found[place] = to_json(one) if row is None else _of_row(row) + _of_patient(one, shared)
    return found


@lru_cache(maxsize=8192)
def _of_row(row: Row) -> bytes:
    one = row.completed({})
    return one.__pydantic_serializer__.to_json(one, exclude=_OF_PATIENT)[:-1] + b","


def _of_patient(one: Recommendation, shared: dict[tuple[object, ...], bytes]) -> bytes:
    if one.current_medication or one.phenoconverted or one.dose_estimate is not None:
        return one.__pydantic_serializer__.to_json(one, exclude=_OF_ROW)[1:]
    # Recommendations with the same states behind them share these objects, which live as long as the event.
    same = (id(one.confidence_reasons), id(one.diplotypes), id(one.results), one.confidence, one.conflict)
    if (known := shared.get(same)) is None:
        known = shared[same] = one.__pydantic_serializer__.to_json(one, exclude=_OF_ROW)[1:]
    return known


def pack(body: bytes) -> bytes:
    """A body for the outbox, compressed."""
    return _FORMAT + bytes(cramjam.lz4.compress_block(body))


def unpack(packed: bytes) -> bytes:
    """The body that was packed."""
    return bytes(cramjam.lz4.decompress_block(packed[len(_FORMAT) :]))
