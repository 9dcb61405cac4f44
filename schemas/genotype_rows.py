"""Genotype rows of a lab result, accepted fast and refused precisely.

An event carries some 1,200 rows of which nearly all are plain. ``accept`` looks at them column by column, at the
distinct values where it can, just long enough to be sure that all are plain. Only where they are not, ``_examined``
goes through the rows one by one and finds out what is wrong. Rows that were accepted before are known by their text
(``row_texts``) and not looked at again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from schemas.errors import Code, Rejected

MAX_POSITION = 2**31 - 1
"""Positions and phase sets are 32-bit in VCF and BCF."""
MAX_CONTIG = 128
MAX_GENOTYPE_TEXT = 64

_KNOWN = frozenset({"chrom", "pos", "id", "ref", "alt", "gt", "ps", "ad", "filter"})
_REQUIRED = ("chrom", "pos", "ref", "alt", "gt")
_BASES = re.compile(r"[ACGTNacgtn]+")
_VISIBLE = re.compile(r"[!-~]+")
_PLAIN_ALLELE = re.compile(r"[!-9;-~]+")
"""Visible and without a colon, so that the colons of a plain row can be counted."""
_PLAIN_CONTIG = re.compile(r"[!-9;-~]{1,128}")
# VCF 4.2 section 1.4.2 for the separators and missing entries, 4.4 for the optional leading phase indicator.
_GENOTYPE = re.compile(r"[/|]?(?:\.|0|[1-9][0-9]*)(?:[/|](?:\.|0|[1-9][0-9]*))*")


@dataclass(frozen=True, slots=True)
class Accepted:
    """Rows as they go on, without nulls and unknown fields."""

    rows: tuple[dict[str, Any], ...]
    colons: int | None
    """How many colons the rows take as JSON, where that is known (see ``strict_json.check_names``)."""


def accept(rows: Any, dropped: Callable[[str], None]) -> Accepted:
    """The rows, once they are known to be usable. ``dropped`` is told the name of every unknown field.

    Raises Rejected with a path such as ``genotypes[3].gt``.
    """
    if type(rows) is Accepted:
        return rows
    if type(rows) is not list:
        raise Rejected(Code.INVALID_FIELD, "expected an array of genotype rows", "genotypes")
    if (plain := accept_plain(rows)) is not None:
        return plain
    for name in sorted({name for row in rows if type(row) is dict for name in row} - _KNOWN):
        dropped(f"genotypes[].{name}")
    known = [_without_unknown(row) for row in rows]
    if (plain := accept_plain(known)) is not None:
        return Accepted(plain.rows, None)
    return Accepted(tuple(_examined(row, f"genotypes[{index}]") for index, row in enumerate(known)), None)


def accept_plain(rows: list[Any]) -> Accepted | None:
    """The rows if all are plain, without an unknown field; None where the precise way has to look at them."""
    try:
        return _plain(rows) if rows else Accepted((), 0)
    except (KeyError, TypeError, AttributeError):
        return None


def _plain(rows: list[Any]) -> Accepted | None:
    """As above; a value of a wrong type may also end in an exception."""
    positions = [row["pos"] for row in rows]
    # A sum of whole numbers is one; true and false count as 1 and 0, which the minimum leaves to the precise way.
    if type(sum(positions)) is not int or min(positions) <= 1 or max(positions) > MAX_POSITION:
        return None
    if not all(map(_PLAIN_CONTIG.fullmatch, {row["chrom"] for row in rows})):
        return None
    if not all(map(_BASES.fullmatch, {row["ref"] for row in rows})):
        return None
    alternatives = [row["alt"] for row in rows]
    fewest = min(map(list.__len__, alternatives))
    if not all(map(_PLAIN_ALLELE.fullmatch, set(chain.from_iterable(alternatives)))):
        return None
    genotypes = [row["gt"] for row in rows]
    highest = {text: _highest_allele(text) for text in set(genotypes)}
    if rare := {text: allele for text, allele in highest.items() if allele > fewest}:
        listed = [(text, len(alt)) for text, alt in zip(genotypes, alternatives, strict=True) if text in rare]
        if any(rare[text] > count for text, count in listed):
            return None
    return _with_optional_fields(rows)


def _with_optional_fields(rows: list[Any]) -> Accepted | None:
    """Rows of which everything required is plain, once that is known of everything else."""
    members = sum(map(len, rows))
    others = members - len(_REQUIRED) * len(rows)
    names = [row["id"] for row in rows if "id" in row]
    if others == len(names) and None not in names:
        return Accepted(tuple(rows), members + "".join(names).count(":"))
    filters = [row["filter"] for row in rows if "filter" in row]
    phase_sets = [row["ps"] for row in rows if "ps" in row]
    depths = [row["ad"] for row in rows if "ad" in row]
    columns = {"id": names, "filter": filters, "ps": phase_sets, "ad": depths}
    if others != sum(map(len, columns.values())):
        return None
    if nulls := [name for name, column in columns.items() if None in column]:
        rows = _without_nulls(rows, nulls)
        names, filters, phase_sets, depths = ([v for v in column if v is not None] for column in columns.values())
    if phase_sets and (
        set(map(type, phase_sets)) != {int} or not 0 <= min(phase_sets) <= max(phase_sets) <= MAX_POSITION
    ):
        return None
    if depths and (set(map(type, depths)) != {list} or not {int}.issuperset(map(type, chain.from_iterable(depths)))):
        return None
    return Accepted(tuple(rows), members + "".join(names).count(":") + "".join(filters).count(":"))


def _without_nulls(rows: list[Any], names: list[str]) -> list[Any]:
    kept = [dict(row) for row in rows]
    for name in names:
        for row in kept:
            if name in row and row[name] is None:
                del row[name]
    return kept


@lru_cache(maxsize=4096)
def _highest_allele(text: str) -> int:
    """The highest allele number that a genotype names; TypeError for what the precise way has to look at."""
    if type(text) is not str or len(text) > MAX_GENOTYPE_TEXT or text[:1] in "/|" or _GENOTYPE.fullmatch(text) is None:
        raise TypeError
    return _highest(text)


def _highest(text: str) -> int:
    return max((int(entry) for entry in re.split(r"[/|]", text) if entry != "."), default=0)


def _without_unknown(row: Any) -> Any:
    if type(row) is not dict:
        return row
    return {name: value for name, value in row.items() if value is not None and name in _KNOWN}


def _examined(row: Any, path: str) -> dict[str, Any]:
    if type(row) is not dict:
        raise Rejected(Code.INVALID_FIELD, "expected a genotype row (an object)", path)
    kept: dict[str, Any] = dict(row)
    for name in _REQUIRED:
        if name not in kept:
            raise Rejected(Code.INVALID_FIELD, "the field is missing", f"{path}.{name}")
    for name, value in kept.items():
        _CHECKS[name](value, f"{path}.{name}")
    kept["gt"] = _checked_genotype(kept["gt"], len(kept["alt"]), f"{path}.gt")
    return kept


def _checked_genotype(text: Any, alleles: int, path: str) -> str:
    if type(text) is not str:
        raise Rejected(Code.INVALID_FIELD, "expected a VCF genotype as text, such as 0/1", path)
    if len(text) > MAX_GENOTYPE_TEXT or _GENOTYPE.fullmatch(text) is None:
        raise Rejected(Code.INVALID_GENOTYPE, "expected a VCF genotype such as 0/1, 1|0, 1 or ./.", path)
    plain = _without_leading_phase(text)
    if _highest(plain) > alleles:
        raise Rejected(
            Code.INVALID_GENOTYPE,
            f"the genotype names an allele that the row does not list (it lists ref and {alleles} alternatives)",
            path,
        )
    return plain


def _without_leading_phase(text: str) -> str:
    """VCF 4.4 lets a separator before the first entry say whether that entry is phased: ``|0|1`` is what ``0|1`` means
    anyway, and a genotype that is phased only in part is taken as unphased."""
    if text[0] not in "/|":
        return text
    entries = text[1:]
    return entries if text[0] == "|" else entries.replace("|", "/")


def _contig(value: Any, path: str) -> None:
    if type(value) is not str or len(value) > MAX_CONTIG or _VISIBLE.fullmatch(value) is None:
        raise Rejected(Code.INVALID_FIELD, f"expected a contig of 1 to {MAX_CONTIG} visible ASCII characters", path)


def _text(value: Any, path: str) -> None:
    if type(value) is not str:
        raise Rejected(Code.INVALID_FIELD, "expected a text", path)


def _position(value: Any, path: str) -> None:
    if type(value) is not int or not 1 <= value <= MAX_POSITION:
        raise Rejected(Code.INVALID_FIELD, f"expected a whole number from 1 to {MAX_POSITION}", path)


def _phase_set(value: Any, path: str) -> None:
    if type(value) is not int or not 0 <= value <= MAX_POSITION:
        raise Rejected(Code.INVALID_FIELD, f"expected a whole number from 0 to {MAX_POSITION}", path)


def _reference(value: Any, path: str) -> None:
    if type(value) is not str or _BASES.fullmatch(value) is None:
        raise Rejected(Code.INVALID_FIELD, "expected reference bases (A, C, G, T, N)", path)


def _alternatives(value: Any, path: str) -> None:
    if type(value) is not list:
        raise Rejected(Code.INVALID_FIELD, "expected an array of alternative alleles, which may be empty", path)
    for index, allele in enumerate(value):
        if type(allele) is not str or _VISIBLE.fullmatch(allele) is None:
            raise Rejected(
                Code.INVALID_FIELD, "expected an allele as in VCF: bases, *, or a symbolic allele", f"{path}[{index}]"
            )


def _depths(value: Any, path: str) -> None:
    if type(value) is not list:
        raise Rejected(Code.INVALID_FIELD, "expected an array of whole numbers", path)
    for index, depth in enumerate(value):
        if type(depth) is not int:
            raise Rejected(Code.INVALID_FIELD, "expected a whole number", f"{path}[{index}]")


def _checked_later(value: Any, path: str) -> None:
    """``gt`` needs the number of alternatives, which is known once ``alt`` has been checked."""


_CHECKS: dict[str, Callable[[Any, str], None]] = {
    "chrom": _contig,
    "pos": _position,
    "id": _text,
    "ref": _reference,
    "alt": _alternatives,
    "gt": _checked_later,
    "ps": _phase_set,
    "ad": _depths,
    "filter": _text,
}
