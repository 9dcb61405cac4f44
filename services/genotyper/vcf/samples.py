"""Who a sample is: what a VCF file does not say and a lab result needs.

Nothing is taken from the clock, and names of samples never leave: what is not given is derived from the content.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import orjson

from schemas.errors import Code, Rejected
from services.genotyper.vcf.header import Header

SAMPLE_COLUMN = "sample"
NO_DATE = "1970-01-01"
"""Day of issue where neither the caller nor the file names one."""
DERIVED_LENGTH = 20


@dataclass(frozen=True, slots=True)
class SampleFields:
    """The fields of a lab result besides its genotypes; None: derived from the content, or the plain default."""

    tenant: str | None = None
    patient: str | None = None
    laboratory: str | None = None
    accession: str | None = None
    issued: str | None = None
    status: str | None = None
    version: int | None = None
    sex: str | None = None

    def over(self, general: "SampleFields") -> "SampleFields":
        """These fields, and those of ``general`` where they are not given."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(general, **{name: value for name, value in given.items() if value is not None})


def sample_map(lines: Iterable[str]) -> dict[str, SampleFields]:
    """The fields of many samples from a tab-separated table with a header line: ``sample``, and any field by its name.

    Raises Rejected where a column is unknown, a sample is listed twice, or a version is no number.
    """
    table = csv.DictReader((line for line in lines if line.strip()), delimiter="\t")
    known = {field.name for field in fields(SampleFields)}
    columns = set(table.fieldnames or ())
    if SAMPLE_COLUMN not in columns or columns - known - {SAMPLE_COLUMN}:
        message = f"expected the columns {SAMPLE_COLUMN} and any of {', '.join(sorted(known))}"
        raise Rejected(Code.INVALID_FIELD, message, "samples")
    found: dict[str, SampleFields] = {}
    for number, line in enumerate(table, start=2):
        sample = (line[SAMPLE_COLUMN] or "").strip()
        if not sample or sample in found or None in line:
            raise Rejected(
                Code.INVALID_FIELD, "expected each sample once, with one value a column", f"samples:{number}"
            )
        found[sample] = _fields(line, f"samples:{number}")
    return found


def _fields(line: Mapping[str, str | None], place: str) -> SampleFields:
    given: dict[str, Any] = {
        name: value.strip() for name, value in line.items() if name != SAMPLE_COLUMN and value and value.strip()
    }
    if "version" in given:
        if not given["version"].isdecimal():
            raise Rejected(Code.INVALID_FIELD, "expected a positive whole number", f"{place}.version")
        given["version"] = int(given["version"])
    return SampleFields(**given)


def lab_result(given: SampleFields, header: Header, column: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The lab result of one sample. Its accession and patient, where not given, are made from header, column and
    rows."""
    digest = hashlib.sha256(header.text.encode() + b"\0%d\0" % column + orjson.dumps(rows)).hexdigest()[:DERIVED_LENGTH]
    result: dict[str, Any] = {
        "tenant": given.tenant or "local",
        "patient": given.patient or f"p-{digest}",
        "accession": given.accession or f"vcf-{digest}",
        "laboratory": given.laboratory or "local",
        "status": given.status or "final",
        "version": given.version or 1,
        "issued": given.issued or f"{header.date or NO_DATE}T00:00:00Z",
        "assembly": "GRCh38",
    }
    if given.sex:
        result["sex"] = given.sex
    return result | {"genotypes": rows}
