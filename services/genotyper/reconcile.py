"""What the laboratory reports beside what its genotypes show: both kept, the reported one first, and flagged where
they differ."""

from collections.abc import Sequence

from knowledge import names
from schemas.genotype import Call, CallStatus, Diplotype, GeneCall
from schemas.warning import Warning

DIFFERS = "reported-differs-from-matched"

_CALLED = (CallStatus.CALLED, CallStatus.AMBIGUOUS)


def reconcile(reported: GeneCall, matched: GeneCall) -> GeneCall:
    """The reported call with the matched one beside it, where the gene's positions were looked at."""
    if matched.status is CallStatus.NOT_ASSAYED:
        return reported
    plain = Call(**{name: getattr(matched, name) for name in Call.model_fields})
    update: dict[str, object] = {"matched": plain, "observed_variants": matched.observed_variants}
    if _differ(reported, matched):
        message = "the laboratory's own call is not what its genotypes show"
        update["warnings"] = (*reported.warnings, Warning(code=DIFFERS, message=message))
    return reported.model_copy(update=update)


def _differ(reported: GeneCall, matched: Call) -> bool:
    """Whether both name alleles, and no reported diplotype is among the matched ones."""
    if matched.status not in _CALLED or not reported.diplotypes:
        return False
    if matched.diplotypes:
        return not _pairs(reported.diplotypes) & _pairs(matched.diplotypes)
    shown = set(matched.haplotypes)
    return not any(set(_parts(diplotype)) == shown for diplotype in reported.diplotypes)


def _pairs(diplotypes: Sequence[Diplotype]) -> set[tuple[tuple[str, ...], ...]]:
    """The diplotypes whatever the order of alleles, and of components within one."""
    return {
        tuple(sorted(tuple(sorted(names.components(allele))) for allele in diplotype.alleles))
        for diplotype in diplotypes
    }


def _parts(diplotype: Diplotype) -> tuple[str, ...]:
    return tuple(part for allele in diplotype.alleles for part in names.components(allele))
