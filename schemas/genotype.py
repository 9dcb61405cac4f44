"""Named-allele calls: what the genotyper puts on ``pgx.genotype.v1`` and ``pgx evaluate`` prints as ``genotypes``."""

from enum import StrEnum

from pydantic import Field

from schemas.base import Model
from schemas.lab_result import ResultRef
from schemas.warning import Warning


class CallStatus(StrEnum):
    CALLED = "called"
    AMBIGUOUS = "ambiguous"
    NO_CALL = "no-call"
    NOT_ASSAYED = "not-assayed"
    REPORTED = "reported"


class Diplotype(Model):
    """A pair of named alleles (one for a hemizygous or mitochondrial gene); a reported one has no match score."""

    label: str
    alleles: tuple[str, ...]
    score: int | None = None


class ReportedCall(Model):
    """What the laboratory wrote about a gene, unchanged."""

    diplotype: str | None = None
    phenotype: str | None = None
    activity_score: str | None = None
    alleles: tuple[str, ...] | None = None
    """The allele names read from ``diplotype``, as in the call's ``diplotypes``; None where nothing could be read."""


class Call(Model):
    """The fields that a matched call has, whether it stands for itself or beside a reported one."""

    status: CallStatus
    diplotypes: tuple[Diplotype, ...] = ()
    haplotypes: tuple[str, ...] = ()
    """Distinct alleles of the diplotypes; for lowest-function genes without phase, what was found, a homozygous one
    twice."""
    phased: bool = False
    reason: str | None = None
    """Why there is no call: a stable code such as ``half-call``, ``no-match``, ``missing-required-position``."""
    missing_positions: tuple[str, ...] = ()
    uncallable_haplotypes: tuple[str, ...] = ()
    warnings: tuple[Warning, ...] = ()


class OfGene(Model):
    """Puts the gene before everything else that is said about it, for people who read the JSON."""

    gene: str


class GeneCall(Call, OfGene):
    """One gene's call, with everything needed to explain it."""

    source: str | None = None
    """``matched`` or ``reported``; None where the gene was not assayed."""
    reported: tuple[ReportedCall, ...] | None = None
    matched: Call | None = None
    observed_variants: dict[str, str] = Field(default_factory=dict)
    """Positions of interest outside the definition (``rs12777823``: ``G/A``)."""


class ObservedGene(Model):
    """A gene's rows at definition positions, compact.

    Every position of the definition not named here was seen as ``reference_gt`` (``0/0``, ``0|0`` or ``0``), those in
    ``absent`` had no row, ``rows`` are all others. A row is [pos, ref, alts, gt, phase set or None].
    """

    reference_gt: str | None = None
    absent: tuple[int, ...] = ()
    rows: tuple[tuple[int, str, tuple[str, ...], str, int | None], ...] = ()
    discarded_by_depth: tuple[int, ...] = ()
    """Positions whose row was not used because the read depths contradict it."""


class KnowledgeRef(Model):
    """The knowledge release something was decided under."""

    release: str
    sha256: str


class GenotypeCalled(Model):
    """The genotyper's event: the calls of one laboratory result under one knowledge release."""

    tenant: str
    patient: str
    result: ResultRef
    knowledge: KnowledgeRef
    software: str
    genotypes: tuple[GeneCall, ...]
    observed: dict[str, ObservedGene]
    warnings: tuple[Warning, ...] = ()
    research: tuple[GeneCall, ...] = ()
    """Calls made on request for research only; never looked up, never beside clinical ones."""
