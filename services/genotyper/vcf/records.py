"""Records of a VCF file as plain values, one sample at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from schemas.errors import Code, Rejected
from services.genotyper.vcf.blocks import PLACEHOLDERS

_PADDING = -2
"""How cyvcf2 fills up genotypes shorter than the longest of a record."""


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the file, without its samples."""

    chrom: str
    pos: int
    ref: str
    alts: tuple[str, ...]
    filter: str | None
    end: int
    block: bool
    """A stretch of reference: no alternative but a placeholder, and an END."""


@dataclass(frozen=True, slots=True)
class SampleData:
    """What one sample has in a record: allele numbers (None: missing), phase, depths."""

    entries: tuple[int | None, ...]
    phased: bool
    phase_set: int | None
    depths: tuple[int, ...] | None
    depth: int | None
    """MIN_DP, else DP."""
    quality: int | None


@contextmanager
def refusing(message: str, where: str) -> Iterator[None]:
    """Refuse the file with this message where the library cannot read it. Around nothing but calls of the library.

    It has no exceptions of its own: what it raises about headers and lines may be of any class.
    """
    try:
        yield
    except Exception as error:
        raise Rejected(Code.INVALID_FIELD, message, where) from error


def record_of(variant: Any) -> Record:
    """The record of a cyvcf2 variant."""
    alts = tuple(alt for alt in variant.ALT if alt != ".")
    declared_end = variant.INFO.get("END")
    block = declared_end is not None and all(alt in PLACEHOLDERS for alt in alts)
    end = int(declared_end) if block else variant.POS + len(variant.REF) - 1
    return Record(variant.CHROM, variant.POS, variant.REF, alts, variant.FILTER, end, block)


def samples_of(variant: Any, samples: int, depths_by_allele: bool) -> Iterator[SampleData | None]:
    """What each of so many samples has in the record, in file order; None where it has no genotype."""
    variant.format(
        "GT"
    )  # only now does the library read what the record says of samples; FORMAT alone does not ask for it
    fields = set(variant.FORMAT)
    if "GT" not in fields:
        yield from (None for _ in range(samples))
        return
    phase_sets = _phase_sets(variant) if "PS" in fields else None
    allele_depths = variant.format("AD") if "AD" in fields and depths_by_allele else None
    if allele_depths is not None and allele_depths.dtype.kind not in "iu":
        allele_depths = None
    depth = _numbers(variant, "MIN_DP" if "MIN_DP" in fields else "DP", fields)
    quality = _numbers(variant, "GQ", fields)
    for index, genotype in enumerate(variant.genotypes):
        *entries, phased = genotype
        kept = tuple(None if entry == -1 else entry for entry in entries if entry != _PADDING)
        phase_set = None if phase_sets is None else phase_sets[index]
        # A phase set that cannot be compared with others must not look like phase through the whole file.
        unreadable_set = phase_set is _UNREADABLE
        yield SampleData(
            entries=kept,
            phased=bool(phased) and not unreadable_set,
            phase_set=None if unreadable_set else phase_set,
            depths=None if allele_depths is None else _depths(allele_depths[index]),
            depth=None if depth is None else depth[index],
            quality=None if quality is None else quality[index],
        )


_UNREADABLE: Any = object()


def _phase_sets(variant: Any) -> list[Any]:
    values = variant.format("PS")
    if values is None:
        return [None] * len(variant.genotypes)
    if values.dtype.kind in "iu":
        return [int(row[0]) if row[0] >= 0 else None for row in values]
    return [None if str(value) in (".", "") else _as_set(str(value)) for value in values]


def _as_set(text: str) -> Any:
    return int(text) if text.isdecimal() else _UNREADABLE


def _numbers(variant: Any, field: str, fields: set[str]) -> list[int | None] | None:
    if field not in fields:
        return None
    values = variant.format(field)
    if values is None or values.dtype.kind not in "iuf":
        return None
    return [int(row[0]) if row[0] >= 0 else None for row in values]


def _depths(row: Any) -> tuple[int, ...] | None:
    """Read depths by allele; None where one is missing."""
    depths = tuple(int(value) for value in row)
    return depths if depths and all(value >= 0 for value in depths) else None
