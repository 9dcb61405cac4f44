"""Several records about one position of one sample, made one row again.

Programs split a position with several alternatives into one record for each (``1/2`` becomes ``1/0`` and ``0/1``); the
definitions, and the rows of a lab result, have them together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import Code, Rejected
from services.genotyper.panel import Site

GenotypeRow = dict[str, object]

MAX_RECORDS = 100
"""Records about one position of one sample. A position that was split has one for each alternative."""


@dataclass(frozen=True, slots=True)
class Spelt:
    """One record about a position, in the definition's spelling: the alleles of the sample as bases (None: missing)."""

    ref: str
    alts: tuple[str, ...]
    alleles: tuple[str | None, ...]
    phased: bool
    phase_set: int | None
    depths: dict[str, int] | None
    filter: str | None


def rows(site: Site, found: Sequence[Spelt]) -> list[GenotypeRow]:
    """The rows of one position: records with different alternatives as one, repeated ones one after the other.

    Raises Rejected where there are very many.
    """
    if len(found) > MAX_RECORDS:
        message = f"more than {MAX_RECORDS} records about one position"
        raise Rejected(Code.INVALID_FIELD, message, site.locus)
    groups: list[list[Spelt]] = []
    for spelt in found:
        # A record belongs to a split position while it brings an alternative of its own.
        group = next((g for g in groups if all(_complements(spelt, other) for other in g)), None)
        if group is None:
            groups.append([spelt])
        else:
            group.append(spelt)
    return [_row(site, _merged(group) if len(group) > 1 else group[0]) for group in groups]


def _complements(one: Spelt, other: Spelt) -> bool:
    return (
        one.ref == other.ref
        and len(one.alleles) == len(other.alleles)
        and bool(one.alts)
        and bool(other.alts)
        and not set(one.alts) & set(other.alts)
    )


def _merged(group: Sequence[Spelt]) -> Spelt:
    first = group[0]
    alts = tuple(alt for spelt in group for alt in spelt.alts)
    phased = all(spelt.phased for spelt in group)
    alleles = _by_strand(group) if phased else None
    if alleles is None:
        alleles, phased = _by_count(group), False
    depths: dict[str, int] | None = {}
    for spelt in group:
        depths = None if depths is None or spelt.depths is None else depths | spelt.depths
    return Spelt(
        ref=first.ref,
        alts=alts,
        alleles=alleles,
        phased=phased,
        phase_set=first.phase_set if phased and len({spelt.phase_set for spelt in group}) == 1 else None,
        depths=depths,
        filter=next((spelt.filter for spelt in group if spelt.filter), None),
    )


def _by_strand(group: Sequence[Spelt]) -> tuple[str | None, ...] | None:
    """Each strand's allele where at most one record changes it; None where two do."""
    strands: list[str | None] = []
    for entries in zip(*(spelt.alleles for spelt in group), strict=True):
        changed = {entry for entry in entries if entry not in (None, group[0].ref)}
        if len(changed) > 1:
            return None
        strands.append(changed.pop() if changed else group[0].ref if group[0].ref in entries else None)
    return tuple(strands)


def _by_count(group: Sequence[Spelt]) -> tuple[str | None, ...]:
    """The alleles of both strands together; all missing where the records name more than there are strands."""
    ploidy = len(group[0].alleles)
    changed = [entry for spelt in group for entry in spelt.alleles if entry not in (None, spelt.ref)]
    if len(changed) > ploidy:
        return (None,) * ploidy
    unchanged = ploidy - len(changed)
    missing = min(unchanged, *(sum(entry is None for entry in spelt.alleles) for spelt in group))
    return (*[None] * missing, *[group[0].ref] * (unchanged - missing), *changed)


def _row(site: Site, spelt: Spelt) -> GenotypeRow:
    """The row as a lab result has it: the definition's alternatives first, in its order."""
    same_reference = spelt.ref == site.ref
    alts = [*site.alts] if same_reference else []
    alts += [alt for alt in dict.fromkeys(spelt.alts) if alt not in alts and alt != spelt.ref]
    numbers = {spelt.ref: "0"} | {alt: str(number) for number, alt in enumerate(alts, start=1)}
    entries = ["." if allele is None else numbers[allele] for allele in spelt.alleles]
    row: GenotypeRow = {"chrom": site.locus.partition(":")[0], "pos": site.pos, "ref": spelt.ref, "alt": alts}
    row["gt"] = ("|" if spelt.phased else "/").join(entries)
    if spelt.phased and spelt.phase_set is not None and len(entries) > 1:
        row["ps"] = spelt.phase_set
    if spelt.depths is not None and len({entry for entry in entries if entry != "."}) > 1:
        row["ad"] = [spelt.depths.get(allele, 0) for allele in (spelt.ref, *alts)]
    if spelt.filter:
        row["filter"] = spelt.filter[:128]
    return row
