"""Phenotypes: what the phenotyper publishes on ``pgx.phenotype.v1`` and ``pgx evaluate`` prints as ``phenotypes``."""

from enum import StrEnum

from pydantic import Field

from schemas.base import Model
from schemas.genotype import GenotypeCalled
from schemas.lab_result import ResultRef
from schemas.warning import Warning


class ResultNote(Model):
    """A laboratory result behind a phenotype, a recommendation or a report."""

    laboratory: str
    accession: str
    issued: str
    """RFC 3339, in UTC written as ``Z``."""
    status: str
    version: int

    @classmethod
    def of(cls, result: ResultRef) -> "ResultNote":
        return cls(
            laboratory=result.laboratory,
            accession=result.accession,
            issued=result.issued.isoformat().replace("+00:00", "Z"),
            status=result.status.value,
            version=result.version,
        )


class Inference(StrEnum):
    """How the looked-up diplotype was derived where it is not the one that was called. Stable codes."""

    LOWEST_FUNCTION = "lowest-function", "the two alleles of lowest function among those found"
    COPY_NUMBER = "copy-number", "a copy count that has no record of its own, taken as the record for that many or more"
    SINGLE_VARIANT = "single-variant", "the one decisive variant, as no diplotype could be called"

    description: str

    def __new__(cls, value: str, description: str) -> "Inference":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class Interaction(Model):
    """A drug that the patient takes and that inhibits or induces an enzyme."""

    drug: str
    rxnorm: str | None = None
    effect: str
    """``inhibitor`` or ``inducer``."""
    strength: str
    """``strong``, ``moderate`` or ``weak``."""
    class_by: str
    """Who classed it so."""
    sources: tuple[str, ...]
    """Ids of references in the knowledge release."""
    note: str | None = None


class Conversion(StrEnum):
    """What the drugs that a patient takes do to a genetic phenotype. Stable codes."""

    CONVERTED = "converted", "the effective phenotype or score is another one than the genetic"
    UNCHANGED = "unchanged", "by the rules for these drugs the genetic phenotype stays what it is"
    NOT_COMPUTED = "not-computed", "there is an interaction, and no rule that gives an effective phenotype"

    description: str

    def __new__(cls, value: str, description: str) -> "Conversion":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class EffectivePhenotype(Model):
    """What the gene's enzyme comes to under the drugs that the patient takes (phenoconversion).

    Where nothing is converted, phenotype, score and key are the genetic ones.
    """

    outcome: Conversion
    phenotype: str | None
    activity_score: str | None = None
    lookup_key: str | tuple[str, ...] | None = None
    """What advice is looked up with."""
    cause: tuple[Interaction, ...]
    """All current drugs that act on the enzyme, those that decide first."""
    method: str
    """``activity-score-multiplier``, ``phenotype-shift`` or ``flag-only``."""
    evidence: str
    """How good the rule is."""
    sources: tuple[str, ...]
    """The rule's references, by their ids in the knowledge release."""
    reasons: tuple[str, ...] = ()
    """Why it was not computed, or is less sure."""


class Phenotype(Model):
    """What one diplotype (or one reported phenotype or score) of a gene means.

    ``lookup_key`` is what guideline tables are keyed by: a phenotype, an activity score as text, an allele presence; a
    list where one reported phenotype stands for several scores; None where the gene has no phenotype table.
    """

    gene: str
    diplotype: str | None
    alleles: tuple[str, ...]
    functions: tuple[str | None, ...]
    phenotype: str | None
    activity_score: str | None = None
    lookup_key: str | tuple[str, ...] | None = None
    inferred: bool = False
    """The looked-up diplotype was derived from what was called (lowest function, folded copies, single variant)."""
    inference: Inference | None = None
    """How it was derived."""
    term: str | None = None
    """What the genotype is called where guidelines name genotypes and no phenotype (IFNL3: ``Favorable Response``)."""
    reported: bool = False
    """The phenotype or the score was given by the laboratory and went before what the diplotype means."""
    warnings: tuple[Warning, ...] = ()
    """Where the laboratory's phenotype or score is not what its diplotype means."""
    result: ResultNote | None = None
    """The laboratory result that it comes from."""
    effective: EffectivePhenotype | None = Field(default=None, exclude_if=lambda effective: effective is None)
    """Where the patient takes a drug that acts on the gene's enzyme: all other fields stay genetic, advice is looked up
    with this. Left out where no such drug is known of."""


class PhenotypeAssigned(Model):
    """The phenotyper's event: phenotypes with the genotype event they came from (event-carried state)."""

    genotype: GenotypeCalled
    phenotypes: tuple[Phenotype, ...]
