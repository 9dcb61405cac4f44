"""Findings: what a patient's genes say beside all drugs, and what is wrong with the results they come from."""

from enum import StrEnum

from pydantic import Field

from schemas.base import Model
from schemas.phenotype import ResultNote


class Significance(StrEnum):
    """What a result says about a condition. Stable codes."""

    FOUND = "found", "a cause of the condition or of the susceptibility was found"
    POSSIBLE = "possible", "the result fits the condition, which something else has to decide"
    UNCLEAR = "unclear", "the result neither shows the condition nor makes it less likely"
    NOT_FOUND = "not-found", "none of the causes that were looked for; the condition is not ruled out"

    description: str

    def __new__(cls, value: str, description: str) -> "Significance":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class FindingKind(StrEnum):
    """What a finding is about. Stable codes."""

    CONDITION = "condition", "what one gene's result says about an inherited condition"
    DISCORDANCE = "discordance", "results of several accessions contradict each other about one gene"
    IDENTITY = "identity", "a result is, or was, filed under several patients; in reports, in no event"

    description: str

    def __new__(cls, value: str, description: str) -> "FindingKind":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class Reference(Model):
    title: str
    url: str
    pmid: tuple[str, ...] = ()


class Finding(Model):
    """What one gene's result says about an inherited condition, or what is wrong with results (see ``kind``)."""

    finding: str
    """Stable id of the statement in the knowledge release; for the other kinds made of kind and gene, or result."""
    condition: str
    """The condition; for the other kinds what is wrong, in a few words."""
    significance: Significance
    gene: str
    """Empty where it is about a whole result."""
    phenotype: str
    diplotype: str | None
    """The diplotypes behind it, several joined by `` or ``; None where none is known."""
    meaning: str
    care: tuple[str, ...]
    """What follows for care."""
    limits: tuple[str, ...]
    """What the result does not show. No result ever rules a condition out."""
    references: tuple[Reference, ...]
    confidence: str
    """``high``, or ``reduced`` with the reasons beside it."""
    confidence_reasons: tuple[str, ...] = ()
    results: tuple[ResultNote, ...] = ()
    """The laboratory results behind it."""
    preliminary: bool = False
    """One of the results behind it is preliminary."""
    kind: FindingKind = Field(default=FindingKind.CONDITION, exclude_if=lambda kind: kind is FindingKind.CONDITION)
    """Left out for a condition."""
