"""What an event must be like to be stored at all. The edge has checked it; a forged one must not stop the topic."""

import re
from collections.abc import Iterator

from schemas.cloudevents import MAX_ATTRIBUTE
from schemas.errors import Code, Rejected
from schemas.identifiers import check
from schemas.lab_result import MAX_VERSION
from schemas.phenotype import PhenotypeAssigned

_SHA256 = re.compile(r"[0-9a-f]{64}")


def screen(event: PhenotypeAssigned) -> None:
    """Raises Rejected(INVALID_FIELD) for the first field that the store could not keep."""
    genotype, result = event.genotype, event.genotype.result
    for path, text in (
        ("genotype.tenant", genotype.tenant),
        ("genotype.patient", genotype.patient),
        ("genotype.result.laboratory", result.laboratory),
        ("genotype.result.accession", result.accession),
    ):
        check(text, path)
    for path, fits, expected in _rules(event):
        if not fits:
            raise Rejected(Code.INVALID_FIELD, f"expected {expected}", path)


def _rules(event: PhenotypeAssigned) -> Iterator[tuple[str, bool, str]]:
    genotype, result = event.genotype, event.genotype.result
    yield "genotype.result.version", 1 <= result.version <= MAX_VERSION, f"a whole number from 1 to {MAX_VERSION}"
    yield "genotype.result.issued", result.issued.tzinfo is not None, "a time zone"
    yield "genotype.result.sha256", _SHA256.fullmatch(result.sha256) is not None, "64 hexadecimal digits"
    for path, text in (
        ("genotype.result.event_source", result.event_source),
        ("genotype.result.event_id", result.event_id),
        ("genotype.software", genotype.software),
        ("genotype.knowledge.release", genotype.knowledge.release),
    ):
        fits = 0 < len(text) <= MAX_ATTRIBUTE and text.isprintable()
        yield path, fits, f"1 to {MAX_ATTRIBUTE} printable characters"
