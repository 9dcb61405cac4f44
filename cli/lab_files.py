"""Lab results in JSON files: one document, or one a line; each with its place for messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from schemas.errors import Rejected
from schemas.lab_result import MAX_BYTES

_LONGEST_DOCUMENT = 2 * MAX_BYTES
"""Bytes of a document that are looked at: more than any valid one, so that the refusal says what is wrong."""
_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Document:
    """What is to be one lab result: its bytes and where they stand."""

    place: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """What cannot even be taken for a document, and why."""

    place: str
    error: Rejected


def documents(path: Path, stream: BinaryIO) -> Iterator[Document]:
    """The documents of a file: lines by its name, or where the first line stands alone; else one document."""
    first = stream.readline(_LONGEST_DOCUMENT)
    if path.suffix.lower() in _LINES or _is_json(first):
        yield from _by_line(path, first, stream)
    else:
        yield Document(str(path), first + stream.read(_LONGEST_DOCUMENT))


def _by_line(path: Path, line: bytes, stream: BinaryIO) -> Iterator[Document]:
    number = 1
    while line:
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(_LONGEST_DOCUMENT)
        if line.strip():
            yield Document(f"{path}:{number}", line.strip())
        line = stream.readline(_LONGEST_DOCUMENT)
        number += 1


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
