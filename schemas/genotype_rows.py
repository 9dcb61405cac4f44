"""Genotype rows of a lab result, accepted fast and refused precisely.

An event carries some 1,200 rows of which nearly all are plain. ``accept`` looks at each row just long enough to be sure
that it is one of those; only a row that is not goes through ``_examine``, which finds out what is wrong with it or what
has to be dropped.
"""

import re
from collections.abc import Callable
from typing import Any, cast

from schemas.errors import Code, Rejected

MAX_POSITION = 2**31 - 1
"""Positions and phase sets are 32-bit in VCF and BCF."""
MAX_TEXT = 128
MAX_GENOTYPE_TEXT = 64

_KNOWN = frozenset({"chrom", "pos", "id", "ref", "alt", "gt", "ps", "ad", "filter"})
_REQUIRED = ("chrom", "pos", "ref", "alt", "gt")
_BASES = re.compile(r"[ACGTNacgtn]+")
_VISIBLE = re.compile(r"[!-~]+")
# VCF 4.2 section 1.4.2 for the separators and missing entries, 4.4 for the optional leading phase indicator.
_GENOTYPE = re.compile(r"[/|]?(?:\.|0|[1-9][0-9]*)(?:[/|](?:\.|0|[1-9][0-9]*))*")

_MEMO_SIZE = 4096
_highest_allele: dict[str, int] = {}
"""Highest allele number named by a genotype text; texts repeat, so each is parsed once (bounded by ``_MEMO_SIZE``)."""


def accept(rows: Any, dropped: Callable[[str], None]) -> tuple[dict[str, Any], ...]:
    """The rows as they go on: without nulls and unknown fields. ``dropped`` is told the name of every unknown field.

    Raises Rejected with a path such as ``genotypes[3].gt``.
    """
    if type(rows) is not list:
        raise Rejected(Code.INVALID_FIELD, "expected an array of genotype rows", "genotypes")
    highest = _highest_allele
    visible, bases = _VISIBLE.fullmatch, _BASES.fullmatch
    replaced: dict[int, dict[str, Any]] = {}
    for index, row in enumerate(rows):
        try:
            alt = row["alt"]
            ref = row["ref"]
            plain = (
                highest[row["gt"]] <= len(alt)
                and 0 < row["pos"] <= MAX_POSITION
                and type(row["pos"]) is int
                and type(alt) is list
                and (len(ref) == 1 and ref in "ACGT" or bases(ref) is not None)
                and row["chrom"] in _CHROMOSOMES
                and (len(row) == 5 or (len(row) == 6 and type(row["id"]) is str and len(row["id"]) <= MAX_TEXT))
            )
            for allele in alt:
                if not (allele in _BASE_TEXTS or visible(allele)):
                    plain = False
        except (KeyError, TypeError):
            plain = False
        if not plain:
            replaced[index] = _examine(row, f"genotypes[{index}]", dropped)
    if replaced:
        return tuple(replaced.get(index, row) for index, row in enumerate(rows))
    return tuple(rows)


_CHROMOSOMES = frozenset(f"chr{name}" for name in (*range(1, 23), "X", "Y", "M"))
_BASE_TEXTS = frozenset("ACGT")


def _examine(row: Any, path: str, dropped: Callable[[str], None]) -> dict[str, Any]:
    if type(row) is not dict:
        raise Rejected(Code.INVALID_FIELD, "expected a genotype row (an object)", path)
    for name in row.keys() - _KNOWN:
        dropped(f"genotypes[].{name}")
    kept = {name: value for name, value in row.items() if value is not None and name in _KNOWN}
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
    highest = max((int(entry) for entry in re.split(r"[/|]", plain) if entry != "."), default=0)
    if highest > alleles:
        raise Rejected(
            Code.INVALID_GENOTYPE,
            f"the genotype names an allele that the row does not list (ref and {alleles} alt)",
            path,
        )
    if plain == text and len(_highest_allele) < _MEMO_SIZE:
        _highest_allele[text] = highest
    return plain


def _without_leading_phase(text: str) -> str:
    """VCF 4.4 lets a separator before the first entry say whether that entry is phased: ``|0|1`` is what ``0|1`` means
    anyway, and a genotype that is phased only in part is taken as unphased."""
    if text[0] not in "/|":
        return text
    entries = text[1:]
    return entries if text[0] == "|" else entries.replace("|", "/")


def _text(value: Any, path: str) -> None:
    if type(value) is not str or not 0 < len(value) <= MAX_TEXT or _VISIBLE.fullmatch(value) is None:
        raise Rejected(
            Code.INVALID_FIELD, f"expected a text of 1 to {MAX_TEXT} visible ASCII characters without spaces", path
        )


def _free_text(value: Any, path: str) -> None:
    if type(value) is not str or len(value) > MAX_TEXT or not value.isprintable():
        raise Rejected(Code.INVALID_FIELD, f"expected a text of at most {MAX_TEXT} printable characters", path)


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
    for index, depth in enumerate(cast(list[Any], value)):
        if type(depth) is not int:
            raise Rejected(Code.INVALID_FIELD, "expected a whole number", f"{path}[{index}]")


def _checked_later(value: Any, path: str) -> None:
    """``gt`` needs the number of alternatives, which is known once ``alt`` has been checked."""


_CHECKS: dict[str, Callable[[Any, str], None]] = {
    "chrom": _text,
    "pos": _position,
    "id": _free_text,
    "ref": _reference,
    "alt": _alternatives,
    "gt": _checked_later,
    "ps": _phase_set,
    "ad": _depths,
    "filter": _free_text,
}
