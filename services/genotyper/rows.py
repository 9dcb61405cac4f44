"""One row of a laboratory result against the position it is about: usable or not, and what is odd about it.

Specification: "Per-record decision procedure". The codes of warnings are stable; ``docs/genotyper.md`` lists them.
"""

import re
from typing import NamedTuple

from knowledge.model import Ploidy
from schemas.errors import Code, Rejected
from schemas.lab_result import Genotype
from schemas.warning import Warning
from services.genotyper.observation import MISSING, SiteCall
from services.genotyper.panel import Site

PREPROCESSOR_REF = "PCATxREF"
PREPROCESSOR_ALT = "PCATxALT"
_PREPROCESSOR = (PREPROCESSOR_REF, PREPROCESSOR_ALT, "PCATxINDEL")
"""The FILTER tokens with a meaning: what the reference implementation's preprocessor writes."""

PREPROCESSOR_WARNINGS = frozenset({"ref-flagged", "alt-flagged"})
"""Codes of the warnings that these tokens cause."""

_BASES = re.compile(r"[ACGT]+", re.IGNORECASE)

REPEATED = "duplicate"

MESSAGES = {
    REPEATED: "a usable row for this position came before; this one is ignored",
    "duplicate-replaces-invalid": "replaces an earlier row that was not usable",
    "ref-mismatch-discarded": "REF differs from the definition; the row is not used",
    "ref-unreadable-discarded": "REF is not made of bases; the row is not used",
    "ref-flagged": "flagged as REF mismatch although REF agrees: the laboratory used other definitions",
    "alt-flagged": "flagged as ALT mismatch by the laboratory's preparation",
    "no-call": "the laboratory made no call here",
    "more-than-two": "more than two alleles; the first two are used",
    "more-than-one": "more than one allele; the first is used",
    "unequal-copies": "two different bases where one copy was expected (heteroplasmy?)",
    "single-genotype": "one allele where two were expected",
    "single-reference-as-missing": "one reference allele where two were expected; treated as missing",
    "undocumented": "the allele is not part of any definition",
    "undocumented-as-reference": "the allele is not part of any definition; treated as reference",
    "indel-expected-no-alt": "an insertion or deletion is defined here, and the row names no ALT that could show it",
    "indel-expected-snp": "an insertion or deletion is defined here, and the row describes a single-base change",
    "alt-structural": "a symbolic ALT that the genotype does not use",
    "alt-structural-discarded": "the genotype uses a symbolic ALT; the row is not used",
    "alt-star": "a spanning deletion that the genotype does not use",
    "alt-star-discarded": "the genotype uses a spanning deletion; the row is not used",
    "alt-ambiguous": "an ALT with ambiguous bases that the genotype does not use",
    "alt-ambiguous-discarded": "the genotype uses an ALT with ambiguous bases; the row is not used",
    "ad-homozygous-discarded": "heterozygous, but reads show one allele only; the row is not used",
}
"""Every warning about a position, by its code."""


class RowReading(NamedTuple):
    """What became of a row: ``call`` is None where it cannot be used."""

    call: SiteCall | None
    codes: tuple[str, ...]
    unequal_copies: bool = False

    def warnings(self, locus: str) -> tuple[Warning, ...]:
        return tuple(warning(code, locus) for code in self.codes)


UNREMARKABLE = frozenset({None, "", "PASS"})
"""What FILTER says of rows that there is nothing to say about."""


def warning(code: str, locus: str) -> Warning:
    """The warning of this code at a position."""
    return Warning(code=code, message=MESSAGES[code], position=locus)


def flagged_by_preprocessor(row: Genotype) -> bool:
    """Whether the row's FILTER carries one of the tokens that explain why a second row exists."""
    return any(token in _PREPROCESSOR for token in _filters(row))


def read_row(row: Genotype, site: Site, number: int) -> RowReading:
    """Judges one row. Raises Rejected where the genotype itself is not valid VCF (``number`` says which row)."""
    if row["ref"] != site.ref:
        return RowReading(None, ("ref-mismatch-discarded",))
    if row["gt"] in _PLAIN and row["alt"] == site.alts and row.get("filter") in UNREMARKABLE and not row.get("ad"):
        call = _plain_call(row, site)
        if call is not None:
            return RowReading(call, ())
    codes = ["ref-flagged"] if PREPROCESSOR_REF in _filters(row) else []
    entries = _entries(row, number)
    if all(entry is None for entry in entries[:2]):
        return RowReading(None, (*codes, "no-call"))
    kept, ploidy_codes, unequal = _expected_entries(entries, site.ploidy)
    codes += ploidy_codes
    if kept is None:
        return RowReading(None, tuple(codes))
    alts = row["alt"]
    undocumented, alt_codes = _undocumented(alts, kept, site)
    codes += alt_codes
    if PREPROCESSOR_ALT in _filters(row) and not undocumented:
        codes.append("alt-flagged")
    if not _BASES.fullmatch(row["ref"]):
        return RowReading(None, (*codes, "ref-unreadable-discarded"))
    readable, spelling_codes = _readable(alts, kept)
    codes += spelling_codes
    if not readable:
        return RowReading(None, tuple(codes))
    heterozygous = len(kept) == 2 and None not in kept and kept[0] != kept[1]
    if heterozygous and sum(depth > 0 for depth in row.get("ad") or ()) == 1:
        return RowReading(None, (*codes, "ad-homozygous-discarded"))
    phased = "/" not in row["gt"]
    call = _site_call(row, site, kept, undocumented, heterozygous, phased)
    return RowReading(call, tuple(codes), unequal)


_PLAIN = {
    f"{first}{separator}{second}": (first, second, separator == "|")
    for first in range(10)
    for second in range(10)
    for separator in "/|"
}
"""Complete genotypes of two entries."""


def _plain_call(row: Genotype, site: Site) -> SiteCall | None:
    """The call of a complete genotype over the definition's own alleles, which raises no warning; None for others."""
    first, second, phased = _PLAIN[row["gt"]]
    alts = site.alts
    if first > len(alts) or second > len(alts) or site.ploidy is Ploidy.MITOCHONDRIAL:
        return None
    return SiteCall(
        position=site.position,
        first=alts[first - 1] if first else site.ref,
        second=alts[second - 1] if second else site.ref,
        heterozygous=first != second,
        phased=phased,
        phase_set=row.get("ps") if phased else None,
    )


def _filters(row: Genotype) -> tuple[str, ...]:
    written = row.get("filter")
    return tuple(written.replace(",", ";").split(";")) if written else ()


def _entries(row: Genotype, number: int) -> list[int | None]:
    """Allele numbers of the genotype, None for a missing one."""
    entries: list[int | None] = []
    for entry in row["gt"].lstrip("/|").replace("|", "/").split("/"):
        if entry in ("", MISSING):
            entries.append(None)
        elif not (entry.isascii() and entry.isdigit()) or int(entry) > len(row["alt"]):
            raise Rejected(
                Code.INVALID_GENOTYPE, "expected a VCF genotype over the alleles of this row", f"genotypes[{number}].gt"
            )
        else:
            entries.append(int(entry))
    return entries


def _expected_entries(
    entries: list[int | None], ploidy: Ploidy
) -> tuple[tuple[int | None, ...] | None, list[str], bool]:
    """The entries that count on this chromosome (None: treat the position as missing), warnings, and unequal copies."""
    if ploidy is Ploidy.MITOCHONDRIAL:
        present = [entry for entry in entries if entry is not None]
        unequal = len(set(present)) > 1
        codes = (["unequal-copies"] if unequal else ["more-than-one"]) if len(entries) > 1 else []
        return (present[0],), codes, unequal
    codes = ["more-than-two"] if len(entries) > 2 else []
    kept = tuple(entries[:2])
    present = [entry for entry in kept if entry is not None]
    if ploidy is Ploidy.AUTOSOMAL and len(present) == 1:
        if present[0] == 0:
            return None, [*codes, "single-reference-as-missing"], False
        codes.append("single-genotype")
    return kept, codes, False


def _undocumented(alts: list[str], kept: tuple[int | None, ...], site: Site) -> tuple[frozenset[str], list[str]]:
    """Selected alternatives that no definition knows.

    As in the reference implementation, alternatives are counted after symbolic ones were dropped, and where an
    insertion or deletion is defined but the row spells none, nothing is compared.
    """
    spelt = [alt for alt in alts if not alt.startswith("<")]
    if site.indel and not any(len(alt) > 1 for alt in spelt):
        return frozenset(), ["indel-expected-snp" if spelt else "indel-expected-no-alt"]
    selected = {spelt[entry - 1] for entry in kept if entry is not None and 0 < entry <= len(spelt)}
    unknown = frozenset(alt for alt in selected if alt not in site.alts)
    if not unknown:
        return unknown, []
    return unknown, ["undocumented-as-reference" if site.undocumented_as_reference else "undocumented"]


def _readable(alts: list[str], kept: tuple[int | None, ...]) -> tuple[bool, list[str]]:
    """Whether every selected alternative is spelt in bases."""
    readable, codes = True, []
    for number, alt in enumerate(alts, start=1):
        if _BASES.fullmatch(alt):
            continue
        kind = "alt-structural" if alt.startswith("<") else "alt-star" if alt == "*" else "alt-ambiguous"
        if number in kept:
            readable = False
            kind += "-discarded"
        codes.append(kind)
    return readable, codes


def _site_call(
    row: Genotype,
    site: Site,
    kept: tuple[int | None, ...],
    undocumented: frozenset[str],
    heterozygous: bool,
    phased: bool,
) -> SiteCall:
    spellings = [row["ref"], *row["alt"]]
    bases = [
        MISSING
        if entry is None
        else site.ref
        if site.undocumented_as_reference and spellings[entry] in undocumented
        else spellings[entry].upper()
        for entry in kept
    ]
    return SiteCall(
        position=site.position,
        first=bases[0],
        second=None if len(bases) == 1 else bases[1],
        heterozygous=heterozygous,
        phased=phased,
        phase_set=row.get("ps") if phased else None,
    )
