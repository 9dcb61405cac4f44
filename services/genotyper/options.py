"""What a caller may ask for beyond the clinical default."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Research(StrEnum):
    """Calls for research only, kept apart from clinical output."""

    CYP2D6 = "cyp2d6"
    """Genes that are blind to copy number when called from small variants."""
    EXTRA_GENES = "extra-genes"
    """Genes outside the clinical definitions."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to call. The default is what the services do."""

    candidates: Literal["top", "all"] = "top"
    """Only the best-scoring diplotypes, or every one that matches."""
    combinations: bool = False
    """Where no diplotype matches: combinations of named alleles, and variants outside them. Never looked up."""
    research: frozenset[Research] = frozenset()
