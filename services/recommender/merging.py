"""One patient's results of several accessions and laboratories, merged gene by gene. Pure.

For each gene one result speaks. Of all current results that are not withdrawn it is the one with, in this order:

1. a usable call, before a no-call, before a gene that was not assayed;
2. a final, amended or corrected status, before a preliminary one;
3. the newest date of issue;
4. the better coverage: fewer positions of the definition missing;
5. the higher version, then laboratory, accession and content: only so that the answer is always the same.

Genes of different results stand side by side, so that CYP2C19 of one laboratory and CYP2D6 of another meet in one rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.genotype import CallStatus, GeneCall, KnowledgeRef, ObservedGene
from schemas.lab_result import ResultRef, Status
from schemas.phenotype import Phenotype, PhenotypeAssigned

Accession = tuple[str, str]
"""Laboratory and accession number: what several deliveries of one result have in common."""

Identity = tuple[str, str, str, str]
"""Laboratory, accession, content and knowledge release: what makes a delivery the same as another."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivered laboratory result, with its genes as they were called under one knowledge release."""

    result: ResultRef
    knowledge: KnowledgeRef
    genotypes: tuple[GeneCall, ...]
    phenotypes: tuple[Phenotype, ...]
    observed: Mapping[str, ObservedGene] | str = field(default="{}", compare=False, repr=False)
    """By gene, as delivered, or as the store keeps it (compact JSON): what another release's definitions are applied
    to."""

    @classmethod
    def of(cls, event: PhenotypeAssigned) -> "Delivery":
        genotype = event.genotype
        return cls(genotype.result, genotype.knowledge, genotype.genotypes, event.phenotypes, genotype.observed)

    @property
    def accession(self) -> Accession:
        return (self.result.laboratory, self.result.accession)

    @property
    def identity(self) -> Identity:
        """Content delivered again under another event id is the same delivery."""
        return (*self.accession, self.result.sha256, self.knowledge.release)


def merge(deliveries: Iterable[Delivery]) -> tuple[tuple[GeneCall, ...], tuple[Phenotype, ...]]:
    """Calls and phenotypes of the patient, ordered by gene. ``deliveries``: the current one of each accession."""
    speaking = [delivery for delivery in deliveries if not delivery.result.status.withdrawn]
    if len(speaking) == 1:
        return speaking[0].genotypes, speaking[0].phenotypes
    chosen: dict[str, tuple[_Preference, GeneCall, tuple[Phenotype, ...]]] = {}
    for delivery in speaking:
        for call in delivery.genotypes:
            phenotypes = tuple(found for found in delivery.phenotypes if found.gene == call.gene)
            preference = _preference(delivery.result, call, phenotypes)
            if call.gene not in chosen or chosen[call.gene][0] < preference:
                chosen[call.gene] = (preference, call, phenotypes)
    genes = [chosen[gene] for gene in sorted(chosen)]
    return tuple(call for _, call, _ in genes), tuple(found for _, _, phenotypes in genes for found in phenotypes)


_Preference = tuple[int, bool, datetime, int, int, str, str, str]


def _preference(result: ResultRef, call: GeneCall, phenotypes: Sequence[Phenotype]) -> _Preference:
    return (
        _usability(call, phenotypes),
        result.status is not Status.PRELIMINARY,
        result.issued,
        -len(call.missing_positions),
        result.version,
        result.laboratory,
        result.accession,
        result.sha256,
    )


def _usability(call: GeneCall, phenotypes: Sequence[Phenotype]) -> int:
    # A no-call that one decisive variant gave a phenotype is as good as a call.
    if phenotypes or call.status in (CallStatus.CALLED, CallStatus.AMBIGUOUS, CallStatus.REPORTED):
        return 2
    return 1 if call.status is CallStatus.NO_CALL else 0
