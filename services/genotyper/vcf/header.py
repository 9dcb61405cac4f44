"""What a VCF header says about the file: which assembly, and what read depths count."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.errors import Code, Rejected

CHR10_LENGTHS = {133_797_422: "GRCh38", 135_534_747: "GRCh37"}
"""Length of chromosome 10 in each assembly (GenBank CM000672.2 and CM000672.1): tells them apart."""

_NAMES = (
    ("GRCh38", re.compile(r"GRCh38|hg38|b38|hs38|GCA_000001405\.(1[5-9]|2\d)", re.IGNORECASE)),
    ("GRCh37", re.compile(r"GRCh37|hg19|b37|hs37|human_g1k_v37|NCBI37|GCA_000001405\.([1-9]|1[0-4])\b", re.IGNORECASE)),
    ("NCBI36", re.compile(r"hg18|NCBI36|b36", re.IGNORECASE)),
)
_CONTIG = re.compile(r"##contig=<(?P<fields>.*)>")
_FIELD = re.compile(r'(\w+)=("[^"]*"|[^,]*)')
_DATE = re.compile(r"##fileDate=\D*(\d{4})-?(\d\d)-?(\d\d)")


@dataclass(frozen=True, slots=True)
class Header:
    """The lines that matter of a VCF header."""

    text: str
    assemblies: frozenset[str]
    """Assemblies that the header names or shows; none where it says nothing."""
    depths_by_allele: bool | None
    """Whether AD has one number for each allele; None where AD is not declared."""
    date: str | None
    """``##fileDate`` as ``2026-01-31``."""


def read_header(text: str) -> Header:
    """Raises Rejected(WRONG_ASSEMBLY) where the header shows another assembly than GRCh38, or several."""
    lines = text.splitlines()
    header = Header(text, frozenset(_assemblies(lines)), _depths(lines), _date(lines))
    if header.assemblies - {"GRCh38"}:
        shown = " and ".join(sorted(header.assemblies))
        raise Rejected(Code.WRONG_ASSEMBLY, f"the header shows {shown}; only GRCh38 is read", "header")
    return header


def _assemblies(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if line.startswith(("##reference=", "##assembly=")):
            yield from _named(line.partition("=")[2])
        elif (contig := _CONTIG.match(line)) is not None:
            fields = {key: value.strip('"') for key, value in _FIELD.findall(contig["fields"])}
            yield from _named(fields.get("assembly", ""))
            if fields.get("ID", "").removeprefix("chr") == "10" and fields.get("length", "").isdecimal():
                length = int(fields["length"])
                yield CHR10_LENGTHS.get(length, f"an unknown assembly (chromosome 10 of {length} bases)")


def _named(text: str) -> Iterable[str]:
    return [assembly for assembly, pattern in _NAMES if pattern.search(text)]


def _depths(lines: Iterable[str]) -> bool | None:
    declared = next((line for line in lines if line.startswith("##FORMAT=<ID=AD,")), None)
    return None if declared is None else "Number=R" in declared


def _date(lines: Iterable[str]) -> str | None:
    found = next((match for line in lines if (match := _DATE.match(line)) is not None), None)
    return None if found is None else "-".join(found.groups())
