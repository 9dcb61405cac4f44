"""What a report is made from."""

from typing import Protocol

from schemas.finding import Finding
from schemas.genotype import GeneCall, KnowledgeRef
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import Recommendation


class Facts(Protocol):
    """A patient's current state: what ``pgx report --json`` prints, or an evaluation with its patient."""

    @property
    def tenant(self) -> str: ...
    @property
    def patient(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def knowledge(self) -> KnowledgeRef | None: ...
    @property
    def genotypes(self) -> tuple[GeneCall, ...]: ...
    @property
    def phenotypes(self) -> tuple[Phenotype, ...]: ...
    @property
    def recommendations(self) -> tuple[Recommendation, ...]: ...
    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def results(self) -> tuple[ResultNote, ...]: ...
