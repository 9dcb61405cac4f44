"""Findings about inherited conditions: what a patient's genes say beside all drugs."""

from enum import StrEnum

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


class Reference(Model):
    title: str
    url: str
    pmid: tuple[str, ...] = ()


class Finding(Model):
    """What one gene's result says about an inherited condition."""

    finding: str
    """Stable id of the statement in the knowledge release."""
    condition: str
    significance: Significance
    gene: str
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
