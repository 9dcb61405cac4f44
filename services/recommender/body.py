"""The value of a recommendation event as bytes: canonical, made without serialising anything twice.

A first result's event has each recommendation in its changes and in its list, and what a recommendation says before
anything but the patient's keys is known is the same for everyone who meets its row.
"""

from collections.abc import Iterator
from functools import lru_cache

import cramjam
import orjson

from schemas.recommendation import ChangeKind
from schemas.serialise import to_json
from services.recommender.notice import Notice

_FORMAT = b"\x01"
"""Stands before a packed body, so that another way of packing can be told from this one."""


def body_of(notice: Notice) -> bytes:
    """The event's canonical JSON, the same as ``schemas.serialise.to_json(notice.event)``."""
    head, _, rest = to_json(notice.frame).partition(b'"changes":[]')
    middle, _, tail = rest.partition(b'"recommendations":[]')
    advised = notice.after.advised
    written = [b"".join(one.json()) for one in advised]
    changes = _changes(notice, written) if notice.before.advised else _issues(notice, written)
    return b"".join(
        (head, b'"changes":[', b",".join(changes), b"]", middle, b'"recommendations":[', b",".join(written), b"]", tail)
    )


def _issues(notice: Notice, written: list[bytes]) -> Iterator[bytes]:
    """The changes where nothing was advised before: all that is advised now, in the same order."""
    closing = _closing(notice.reason)
    for one, text in zip(notice.after.advised, written, strict=True):
        yield _issued(one.row.id) + text + closing


def _changes(notice: Notice, written: list[bytes]) -> Iterator[bytes]:
    texts = {id(one.recommendation): b"".join(one.json()) for one in notice.before.advised}
    texts |= {id(one.recommendation): text for one, text in zip(notice.after.advised, written, strict=True)}
    texts[id(None)] = b"null"
    for change in notice.event.changes:
        opening = _opening(change.change, change.rule)
        yield opening + texts[id(change.before)] + b',"after":' + texts[id(change.after)] + _closing(change.reason)


@lru_cache(maxsize=8192)
def _opening(kind: ChangeKind, rule: str) -> bytes:
    return orjson.dumps({"change": kind, "rule": rule})[:-1] + b',"before":'


@lru_cache(maxsize=8192)
def _issued(rule: str) -> bytes:
    return _opening(ChangeKind.ISSUED, rule) + b'null,"after":'


@lru_cache(maxsize=64)
def _closing(reason: str) -> bytes:
    return b',"reason":' + orjson.dumps(reason) + b"}"


def pack(body: bytes) -> bytes:
    """A body for the outbox, compressed."""
    return _FORMAT + bytes(cramjam.lz4.compress_block(body))


def unpack(packed: bytes) -> bytes:
    """The body that was packed."""
    return bytes(cramjam.lz4.decompress_block(packed[len(_FORMAT) :]))
