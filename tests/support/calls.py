"""Builders of gene calls, as short as a geneticist would say them."""

from schemas.genotype import CallStatus, Diplotype, GeneCall, ReportedCall
from schemas.warning import Warning


def alleles_of(diplotype: str) -> tuple[str, ...]:
    """``*1/*2`` as two names; a combination in square brackets is one."""
    return tuple(part.strip() for part in diplotype.split("/"))


def _diplotype(text: str) -> Diplotype:
    return Diplotype(label=text, alleles=alleles_of(text))


def matched(gene: str, *diplotypes: str, missing: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> GeneCall:
    """Called from genotypes; ambiguous with more than one diplotype."""
    return GeneCall(
        gene=gene,
        status=CallStatus.CALLED if len(diplotypes) == 1 else CallStatus.AMBIGUOUS,
        source="matched",
        diplotypes=tuple(map(_diplotype, diplotypes)),
        missing_positions=missing,
        warnings=tuple(Warning(code=code, message=code) for code in warnings),
    )


def unphased(gene: str, *haplotypes: str, warnings: tuple[str, ...] = ()) -> GeneCall:
    """A lowest-function gene without phase: what was found, a homozygous variant twice."""
    return GeneCall(
        gene=gene,
        status=CallStatus.CALLED,
        source="matched",
        haplotypes=haplotypes,
        warnings=tuple(Warning(code=code, message=code) for code in warnings),
    )


def reported(
    gene: str, diplotype: str | None = None, *, phenotype: str | None = None, score: str | None = None
) -> GeneCall:
    """Called by the laboratory."""
    return reported_lines(gene, (diplotype, phenotype, score))


def reported_lines(gene: str, *lines: tuple[str | None, str | None, str | None]) -> GeneCall:
    """Several reported lines (diplotype, phenotype, score) of one gene."""
    calls = tuple(
        ReportedCall(
            diplotype=diplotype,
            phenotype=phenotype,
            activity_score=score,
            alleles=alleles_of(diplotype) if diplotype else None,
        )
        for diplotype, phenotype, score in lines
    )
    return GeneCall(
        gene=gene,
        status=CallStatus.REPORTED,
        source="reported",
        diplotypes=tuple(_diplotype(line[0]) for line in lines if line[0]),
        reported=calls,
    )


def no_call(gene: str, *, source: str = "matched", observed: dict[str, str] | None = None) -> GeneCall:
    """Looked at, but not called; ``observed`` are bases at positions of interest."""
    return GeneCall(
        gene=gene, status=CallStatus.NO_CALL, source=source, reason="no-match", observed_variants=observed or {}
    )
