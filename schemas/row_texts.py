"""Genotype rows that were read before, recognised by their text.

An assay writes one of a few texts at each of its positions, sample after sample. So the JSON of a lab result is cut at
the ends of its rows, and only texts that are new are read. What makes that safe: each text was accepted standing alone,
as one complete JSON object, and an array of accepted rows is accepted. Depths and phase sets, which differ from sample
to sample, are cut out before and put back (``own_members``).
"""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas import own_members
from schemas.genotype_rows import Accepted, accept_plain
from schemas.own_members import Cut, Row

MAX_TEXTS = 16_384
"""Texts remembered; some 20 MB. When they are too many, all are forgotten and learnt anew."""
MAX_LENGTH = 512
"""Bytes of a text that is worth remembering."""

_ROWS = re.compile(rb'"genotypes"\s*:\s*\[')
_SPACE = b" \t\r\n"


@dataclass(slots=True)
class RowTexts:
    """The texts of rows, and the rows that they stand for: one object for each text, which nobody may change."""

    _known: dict[bytes, Row] = field(default_factory=dict)
    """By the row's text without its last brace."""
    _heads: dict[Cut, dict[bytes, Row]] = field(default_factory=dict)
    """The same rows by their text up to where a cut begins."""

    def __len__(self) -> int:
        return len(self._known)

    def loads(self, value: bytes) -> tuple[bytes, Any] | None:
        """The JSON of a lab result (bare, or as ``data`` of an envelope) with ``Accepted`` rows, and the text around.

        None where the rows cannot be cut apart or are not worth it: then the whole has to be read.
        """
        found = _ROWS.search(value)
        if found is None or b"\\" in value:
            return None
        start = value.find(b"}", len(value) // 2) + 1
        middle = value[start : value.find(b"}", start)]
        text, cut = b"," + value[found.end() :], own_members.cut_for(middle)
        if cut is not None:
            read = self._own_rows(text, cut)
        else:
            read = self._whole_rows(text) if middle in self._known or _repeats(middle) else None
        if read is None:
            return None
        rows, after = read
        return _with_rows(rows, value[: found.end()] + after.lstrip(_SPACE))

    def _whole_rows(self, text: bytes) -> tuple[list[Row], bytes] | None:
        """The rows and the text behind them."""
        pieces = text.split(b"}")
        rows = self._rows(pieces, None)
        return None if rows is None else (rows, b"}".join(pieces[len(rows) :]))

    def _own_rows(self, text: bytes, cut: Cut) -> tuple[list[Row], bytes] | None:
        """The same of a text in which rows have members of their own."""
        taken = own_members.take(text, cut)
        # Where most rows end in another way, reading them one by one takes longer than reading the whole.
        if taken is None or 2 * len(taken.heads) < text.count(b"}"):
            return None
        heads = self._heads.setdefault(cut, {})
        known = [row for row in map(heads.get, taken.heads) if row is not None]
        if len(known) == len(taken.heads):
            return taken.rows(known), taken.rest
        pieces = taken.with_markers().split(b"}")
        rows = self._rows(pieces, cut)
        if rows is None:
            return None
        own = [number for number, piece in enumerate(pieces[: len(rows)]) if cut.ends(piece)]
        if len(own) != len(taken.heads):
            return None  # something that looks like the end of a row stands elsewhere
        for number, row in zip(own, taken.rows([rows[number] for number in own]), strict=True):
            rows[number] = row
        return rows, b"}".join(pieces[len(rows) :])

    def _rows(self, pieces: list[bytes], cut: Cut | None) -> list[Row] | None:
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
        for number, row in zip(new, read, strict=True):
            self._learn(pieces[number], row, cut)
            rows[number] = row
        return rows

    def _learn(self, piece: bytes, row: Row, cut: Cut | None) -> None:
        ends = cut is not None and cut.ends(piece)
        own = [name for name in own_members.NAMES if name in row and not (cut and ends and name in cut.names)]
        if own or len(piece) > MAX_LENGTH:
            return
        if len(self._known) >= MAX_TEXTS:
            self._known.clear()
            self._heads.clear()
        self._known[piece] = row
        if cut is not None and ends:
            self._heads.setdefault(cut, {})[cut.head(piece)] = row


def _repeats(piece: bytes) -> bool:
    """Whether other samples may have a row of this text."""
    row = _read([piece])
    return row is not None and not any(name in row[0] for name in own_members.NAMES)


def _with_rows(rows: list[Row], rest: bytes) -> tuple[bytes, Any] | None:
    """The JSON of the text around the rows, with them in it; None where their place is not in a lab result."""
    if rest.count(b'"genotypes"') != 1:
        return None
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
