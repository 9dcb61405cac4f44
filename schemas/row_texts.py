"""Genotype rows that were read before, recognised by their text.

An assay writes one of a few texts at each of its positions, sample after sample. So the JSON of a lab result is cut at
the ends of its rows, and only texts that are new are read. What makes that safe: each text was accepted standing alone,
as one complete JSON object, and an array of accepted rows is accepted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.genotype_rows import Accepted, accept_plain

MAX_TEXTS = 16_384
"""Texts remembered; some 20 MB. When they are too many, all are forgotten and learnt anew."""
MAX_LENGTH = 512
"""Bytes of a text that is worth remembering."""

_ROWS = re.compile(rb'"genotypes"\s*:\s*\[')
_SPACE = b" \t\r\n"
_OWN = ("ps", "ad")
"""Fields that make a row one of its sample alone."""

Row = dict[str, Any]


@dataclass(slots=True)
class RowTexts:
    """The texts of rows, and the rows that they stand for: one object for each text, which nobody may change."""

    _known: dict[bytes, Row] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._known)

    def loads(self, value: bytes) -> tuple[bytes, Any] | None:
        """The JSON of a lab result (bare, or as ``data`` of an envelope) with ``Accepted`` rows, and the text around.

        None where the rows cannot be cut apart or are not worth it: then the whole has to be read.
        """
        found = _ROWS.search(value)
        if found is None or b"\\" in value or value.count(b'"genotypes"') != 1 or not self._repeats(value):
            return None
        pieces = (b"," + value[found.end() :]).split(b"}")
        rows = self._rows(pieces)
        if rows is None:
            return None
        rest = value[: found.end()] + b"}".join(pieces[len(rows) :]).lstrip(_SPACE)
        try:
            whole = orjson.loads(rest)
        except orjson.JSONDecodeError:
            return None
        holder = whole
        if type(whole) is dict and "genotypes" not in whole:
            holder = whole.get("data")
        if type(holder) is not dict or holder.get("genotypes") != []:
            return None
        holder["genotypes"] = Accepted(tuple(rows), 0)
        return rest, whole

    def _rows(self, pieces: list[bytes]) -> list[Row] | None:
        """The rows at the start of the pieces; None where they cannot be told one by one."""
        rows: list[Any] = list(map(self._known.get, pieces))
        new: list[int] = []
        for number in [number for number, row in enumerate(rows) if row is None]:
            if pieces[number].lstrip(_SPACE)[:1] == b"]":
                del rows[number:]
                break
            new.append(number)
        else:
            return None
        if not new:
            return rows
        read = _read([pieces[number] for number in new])
        if read is None:
            return None
        self._learn((pieces[number] for number in new), read)
        for number, row in zip(new, read, strict=True):
            rows[number] = row
        return rows

    def _repeats(self, value: bytes) -> bool:
        """Whether other samples may have the same rows, judged by the one in the middle."""
        start = value.find(b"}", len(value) // 2) + 1
        piece = value[start : value.find(b"}", start)]
        if piece in self._known:
            return True
        row = _read([piece])
        return row is not None and not any(name in row[0] for name in _OWN)

    def _learn(self, texts: Iterable[bytes], rows: tuple[Row, ...]) -> None:
        for text, row in zip(texts, rows, strict=True):
            if len(text) <= MAX_LENGTH and not any(name in row for name in _OWN):
                if len(self._known) >= MAX_TEXTS:
                    self._known.clear()
                self._known[text] = row


def _read(pieces: list[bytes]) -> tuple[Row, ...] | None:
    """The rows of these texts, each a comma and a JSON object without its last brace; None where one is not plain."""
    rows = []
    for piece in pieces:
        if piece[:1] != b"," and piece.lstrip(_SPACE)[:1] != b",":
            return None
        try:
            rows.append(orjson.loads(piece.lstrip(_SPACE)[1:] + b"}"))
        except orjson.JSONDecodeError:
            return None
    accepted = accept_plain(rows)
    # Colons beyond those that were read belong to a name that occurs twice: see ``strict_json.check_names``.
    if accepted is None or accepted.colons != sum(piece.count(b":") for piece in pieces):
        return None
    return accepted.rows
