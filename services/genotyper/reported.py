"""Calls that the laboratory made itself, gene by gene: read, checked, and kept as they are.

Specification: "Outside calls". A line that cannot be read costs this gene's call, never the result.
"""

from collections.abc import Mapping, Sequence

from knowledge import names
from knowledge.model import Gene
from schemas.genotype import CallStatus, Diplotype, GeneCall, ReportedCall
from schemas.lab_result import Reported
from schemas.warning import Warning
from services.genotyper import labels, notation
from services.genotyper.notation import NO_CALLS, Notation, Unreadable

NO_CALL = "reported-no-call"
UNREADABLE = "unreadable-report"

REASONS = {
    NO_CALL: "the laboratory reports that it could not call the gene",
    UNREADABLE: "what the laboratory reports cannot be read",
}
"""Why a reported gene has no call, by code."""

UNKNOWN_GENE = "unknown-gene"
CONFLICTING = "no-call-and-call"
_NAMED_AT_MOST = 20


def by_gene(
    lines: Sequence[Reported], known: Mapping[str, object]
) -> tuple[dict[str, list[Reported]], tuple[Warning, ...]]:
    """The lines of each gene, and warnings about genes that the release does not know."""
    genes: dict[str, list[Reported]] = {}
    unknown: list[str] = []
    for number, line in enumerate(lines):
        symbol = line.gene.strip()
        if symbol in known:
            genes.setdefault(symbol, []).append(line)
        else:
            unknown.append(f"reported[{number}]")
    if not unknown:
        return genes, ()
    named = ", ".join(unknown[:_NAMED_AT_MOST]) + (", …" if len(unknown) > _NAMED_AT_MOST else "")
    message = f"the release does not know the gene of {named}; not used"
    return genes, (Warning(code=UNKNOWN_GENE, message=message),)


def read_gene(gene: Gene, lines: Sequence[Reported], reader: Notation) -> GeneCall:
    """One gene's reported call; of several lines each is kept, and each readable diplotype once."""
    kept: list[ReportedCall] = []
    warnings: list[Warning] = []
    readable = no_calls = 0
    for line in lines:
        call, codes, explicit = _read_line(line, reader)
        kept.append(call)
        warnings += codes
        no_calls += explicit
        readable += bool(call.alleles or call.phenotype or call.activity_score) and not explicit
    if readable and no_calls:
        message = "the laboratory reports both a call and that it could not call the gene; the call is kept"
        warnings.append(Warning(code=CONFLICTING, message=message))
    reason = None if readable else NO_CALL if no_calls else UNREADABLE
    diplotypes = _diplotypes(gene, kept)
    return GeneCall(
        gene=gene.symbol,
        source="reported",
        status=CallStatus.NO_CALL if reason else CallStatus.REPORTED,
        diplotypes=diplotypes,
        haplotypes=tuple(sorted({allele for each in diplotypes for allele in each.alleles}, key=names.order)),
        reason=reason,
        reported=tuple(kept),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _read_line(line: Reported, reader: Notation) -> tuple[ReportedCall, list[Warning], bool]:
    """The line with its alleles, warnings, and whether it says that there is no call."""
    diplotype, phenotype, score = (_text(field) for field in (line.diplotype, line.phenotype, line.activity_score))
    written = ReportedCall(diplotype=line.diplotype, phenotype=line.phenotype, activity_score=line.activity_score)
    if diplotype in NO_CALLS:
        return written, [], True
    if diplotype is None or diplotype == "/":
        if phenotype is None and score is None:
            message = "expected a diplotype, a phenotype or an activity score"
            return written, [Warning(code=UNREADABLE, message=message)], False
        return written, [], False
    try:
        alleles, codes = reader.read(diplotype)
    except Unreadable as problem:
        return written, [Warning(code=UNREADABLE, message=f"the reported diplotype is not used: {problem}")], False
    warnings = [Warning(code=code, message=notation.MESSAGES[code]) for code in codes]
    return written.model_copy(update={"alleles": alleles}), warnings, False


def _text(field: str | None) -> str | None:
    stripped = field.strip() if field is not None else ""
    return stripped or None


def _diplotypes(gene: Gene, lines: Sequence[ReportedCall]) -> tuple[Diplotype, ...]:
    read = dict.fromkeys(line.alleles for line in lines if line.alleles)
    ordered = sorted(read, key=lambda alleles: [names.order(allele) for allele in alleles])
    return tuple(labels.diplotype(gene, alleles) for alleles in ordered)
