"""How laboratories write alleles and diplotypes, read into the names of the release.

Specification: "Outside calls", "HLA-A, HLA-B", "MT-RNR1" and "CYP2D6 copy number". Understood are the gene's name in
front, sub-alleles (``*4.024``), copy numbers (``*1x2``, ``*2x≥3``), copies in tandem (``*36+*10``), combinations
(``[*2 + *3]``) and HLA fields. A name that the release does not know is kept, with a warning.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge import names
from knowledge.model import Gene, Matching, PhenotypeMethod, Ploidy

NO_CALLS = frozenset({".", "./.", ".|."})
"""How a laboratory says that it could not call the gene."""

MESSAGES = {
    "unknown-allele": "the release does not know this allele; it is kept as reported",
    "unlisted-arrangement": "the release has no record of these alleles together; they are kept as reported",
    "sub-allele": "the sub-allele is read as its core allele",
    "allele-fields": "the allele is cut to its first two fields",
    "copies-not-counted": "the number of copies is not said; no phenotype follows from it",
}
"""Warnings about reported alleles, by code."""

_SUB_ALLELE = re.compile(r"(\*\d+)\.\d+")
_COPIES = re.compile(r"(?P<allele>.+?)[xX×](?P<count>≥?\d+|>=\d+|[nN])")
_HLA = re.compile(r"(?:HLA-)?(?P<locus>[A-Z]+\d?)?\*(?P<fields>\d{2,3}(?::\d{2,4})+)(?P<expression>[NLSCAQ]?)")


class Unreadable(Exception):
    """The notation cannot be read; the text says what was expected."""


@dataclass(slots=True)
class Notation:
    """Reads the notation of one gene under one release."""

    gene: Gene
    _known: Mapping[str, str] = field(init=False)
    """Public names by every name that the release has."""
    _tandems: Mapping[tuple[str, ...], str] = field(init=False)

    def __post_init__(self) -> None:
        alleles = self.gene.definition.alleles
        self._known = {allele.name: allele.public_name or allele.name for allele in alleles}
        self._tandems = {tuple(sorted(allele.tandem)): allele.name for allele in alleles if allele.tandem}

    def read(self, diplotype: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The alleles in name order, and codes of warnings. Raises Unreadable."""
        parts = [part.strip() for part in re.split(r"[/|]", diplotype)]
        codes: list[str] = []
        if not all(parts):
            raise Unreadable("expected an allele on each side of the separator")
        self._check_number(len(parts))
        alleles = [self._allele(part, codes) for part in parts]
        return tuple(sorted(alleles, key=names.order)), tuple(dict.fromkeys(codes))

    def _check_number(self, number: int) -> None:
        single = self.gene.ploidy is Ploidy.MITOCHONDRIAL
        may_be_single = single or self.gene.ploidy is Ploidy.X_LINKED or self._is_hla
        if number > (1 if single else 2):
            raise Unreadable(f"expected {'one allele' if single else 'at most two alleles'}")
        if number == 1 and not may_be_single:
            raise Unreadable("expected two alleles")

    @property
    def _is_hla(self) -> bool:
        return self.gene.phenotype.method is PhenotypeMethod.ALLELE_PRESENCE

    def _allele(self, written: str, codes: list[str]) -> str:
        if self._is_hla:
            return self._hla_allele(written, codes)
        text = self._without_gene(written)
        if not text or re.search(r"\sor\s", text):
            raise Unreadable("expected one allele name; give alternatives as calls of their own")
        if text in self._known and _SUB_ALLELE.fullmatch(text) is None:
            return self._known[text]
        if text.startswith("[") and text.endswith("]"):
            return self._combination(text[1:-1], codes)
        # A name with a plus and blanks around it is several copies; without blanks it can also be a variant's own name.
        if "+" in text and (text.startswith("*") or " + " in text):
            return self._tandem(text, codes)
        return self._single(text, codes)

    def _without_gene(self, written: str) -> str:
        return written.removeprefix(self.gene.symbol).strip()

    def _single(self, text: str, codes: list[str]) -> str:
        if (sub := _SUB_ALLELE.fullmatch(text)) is not None and sub[1] in self._known:
            codes.append("sub-allele")
            return self._known[sub[1]]
        if text in self._known:
            return self._known[text]
        copies = _COPIES.fullmatch(text)
        if copies is not None and text.startswith("*"):
            return self._copied(copies["allele"], copies["count"], codes)
        codes.append("unknown-allele")
        return text

    def _copied(self, allele: str, count: str, codes: list[str]) -> str:
        base = self._single(allele, codes)
        if count in ("n", "N"):
            codes.append("copies-not-counted")
            return f"{base}xN"
        return f"{base}x{count.replace('>=', '≥')}"

    def _tandem(self, text: str, codes: list[str]) -> str:
        parts = tuple(self._single(self._without_gene(part.strip()), codes) for part in text.split("+"))
        written = "+".join(parts)
        if written in self._known:
            return self._known[written]
        if (listed := self._tandems.get(tuple(sorted(parts)))) is not None:
            return listed
        if "unknown-allele" not in codes:
            codes.append("unlisted-arrangement")
        return written

    def _combination(self, inside: str, codes: list[str]) -> str:
        parts = [self._single(part.strip(), codes) for part in inside.split(" + ")]
        if self.gene.definition.matching is not Matching.LOWEST_FUNCTION and "unknown-allele" not in codes:
            codes.append("unlisted-arrangement")
        return names.join(parts)

    def _hla_allele(self, written: str, codes: list[str]) -> str:
        allele = _HLA.fullmatch(re.sub(r"\s", "", written))
        if allele is None:
            raise Unreadable("expected HLA alleles with at least two fields, such as *15:02")
        locus = self.gene.symbol.removeprefix("HLA-")
        if allele["locus"] not in (None, locus):
            raise Unreadable("the allele belongs to another HLA locus")
        fields = allele["fields"].split(":")
        if len(fields) > 2:
            codes.append("allele-fields")
        return f"*{fields[0]}:{fields[1]}{allele['expression']}"
