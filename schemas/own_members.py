"""Members of genotype rows that each sample has of its own (depths, phase sets), cut out of a text and put back.

What is left of a row's text repeats itself in other samples and can be recognised (``row_texts``). In the place of each
value stands one that is valid too, so that the text left over is JSON exactly where the whole was, once the values that
were cut out are looked at by themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson

from schemas.genotype_rows import MAX_POSITION

NAMES = ("ps", "ad")
"""The members that make a row one of its sample alone."""

Row = dict[str, Any]

_MEMBER = re.compile(
    rb'"(?:(ps)"[ \t\r\n]*:[ \t\r\n]*(?P<ps>[0-9]+)|(ad)"[ \t\r\n]*:[ \t\r\n]*\[(?P<ad>[0-9, \t\r\n]*)\])'
)
_VALUES = {"ps": rb"([0-9]+)", "ad": rb"([0-9, \t\r\n]*)"}
_NOTHING = {"ps": b"0", "ad": b""}
_LONGEST_WHOLE = 18
"""Digits that fit a 64-bit integer whatever they are; of larger numbers the parser makes fractions."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How rows of one kind end, from the first member of their own on."""

    names: tuple[str, ...]
    pattern: re.Pattern[bytes]
    """With a group for each value."""
    marker: bytes
    """What the pattern finds, with values that carry nothing: what a row whose values were cut out ends in."""

    def ends(self, piece: bytes) -> bool:
        """Whether values were cut out of this row's text (without its last brace)."""
        return piece.endswith(self.marker[:-1])

    def head(self, piece: bytes) -> bytes:
        """The text up to where they were."""
        return piece[: 1 - len(self.marker)]


@dataclass(frozen=True, slots=True)
class Taken:
    """A text cut at the ends of rows: what stands before each end and behind the last, and the values of each name."""

    cut: Cut
    heads: list[bytes]
    rest: bytes
    columns: list[list[Any]]

    def with_markers(self) -> bytes:
        """The text with markers in the place of the row ends."""
        return self.cut.marker.join([*self.heads, self.rest])

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """New rows with the values in them; ``rows`` are those of the heads."""
        own = list(map(dict.copy, rows))
        for name, column in zip(self.cut.names, self.columns, strict=True):
            for row, value in zip(own, column, strict=True):
                row[name] = value
        return own


def cut_for(piece: bytes) -> Cut | None:
    """The cut for rows that end like this one (a row's text without its last brace); None where it has nothing of its
    own."""
    names: list[str] = []
    around: list[bytes] = []
    end: int | None = None
    for found in _MEMBER.finditer(piece):
        name = "ps" if found["ps"] is not None else "ad"
        around.append(piece[found.start() if end is None else end : found.start(name)])
        names.append(name)
        end = found.end(name)
    return _cut(tuple(names), (*around, piece[end:] + b"}")) if names else None


@lru_cache(maxsize=64)
def _cut(names: tuple[str, ...], around: tuple[bytes, ...]) -> Cut:
    """The cut of these members, with what stands before, between and behind their values."""
    pattern, marker = re.escape(around[0]), around[0]
    for name, behind in zip(names, around[1:], strict=True):
        pattern += _VALUES[name] + re.escape(behind)
        marker += _NOTHING[name] + behind
    return Cut(names, re.compile(pattern), marker)


def take(text: bytes, cut: Cut) -> Taken | None:
    """The text cut apart; None where a value is not what it should be."""
    parts = cut.pattern.split(text)
    step = len(cut.names) + 1
    columns = [_read(name, parts[number::step]) for number, name in enumerate(cut.names, start=1)]
    read = [column for column in columns if column is not None]
    return Taken(cut, parts[:-1:step], parts[-1], read) if len(read) == len(columns) else None


def _read(name: str, texts: list[bytes]) -> list[Any] | None:
    """The values of one member; None where one is no JSON or out of bounds."""
    try:
        if name == "ps":
            sets: list[int] = orjson.loads(b"[" + b",".join(texts) + b"]")
            return sets if max(sets, default=0) <= MAX_POSITION else None
        depths: list[list[int]] = orjson.loads(b"[[" + b"],[".join(texts) + b"]]") if texts else []
    except orjson.JSONDecodeError:
        return None
    if max(map(len, texts), default=0) <= _LONGEST_WHOLE or {int}.issuperset(map(type, chain.from_iterable(depths))):
        return depths
    return None
