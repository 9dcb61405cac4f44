"""One gene's part of the genotype event, from what a sample shows, with a memo."""

from functools import lru_cache
from typing import NamedTuple

from knowledge.model import Matching
from schemas.filled import unvalidated
from schemas.genotype import CallStatus, GeneCall, ObservedGene
from schemas.warning import Warning
from services.genotyper.calling import call_gene, observed_variants
from services.genotyper.definition import GeneDefinition
from services.genotyper.observation import Observation
from services.genotyper.options import Options

MEMO_SIZE = 512
"""Observations remembered for each gene."""

COPY_NUMBER_NEEDED = "copy-number-needed"


class Answer(NamedTuple):
    """What a gene's rows come to."""

    call: GeneCall
    observed: ObservedGene | None
    """The rows in compact form; None where there are none."""
    copies: int | None
    """How many alleles the genotypes have, where they agree."""


class GeneCaller:
    """Calls one gene; as research where ``warning`` says so, which every such call then carries."""

    def __init__(self, definition: GeneDefinition, options: Options, warning: Warning | None = None) -> None:
        self.definition = definition
        self._options = options
        self._warning = warning
        self.answer = lru_cache(maxsize=MEMO_SIZE)(self._answer)

    def forget(self) -> None:
        """Empties the memo."""
        self.answer.cache_clear()

    def _answer(self, observation: Observation) -> Answer:
        copies = 1 if observation.single and observation.haploid else None if observation.single else 2
        return Answer(self._gene_call(observation), _observed(self.definition, observation), copies)

    def _gene_call(self, observation: Observation) -> GeneCall:
        if self._warning is not None:
            call = call_gene(self.definition, observation, self._options)
            return call.model_copy(update={"warnings": (self._warning, *call.warnings)})
        if observation.with_row and self.definition.gene.definition.matching is Matching.RESEARCH:
            return GeneCall(
                gene=self.definition.symbol,
                source="matched",
                status=CallStatus.NO_CALL,
                reason=COPY_NUMBER_NEEDED,
                warnings=observation.warnings,
                observed_variants=observed_variants(self.definition, observation, called=False),
            )
        return call_gene(self.definition, observation, self._options)


def _observed(definition: GeneDefinition, observation: Observation) -> ObservedGene | None:
    if not observation.with_row:
        return None
    positions = definition.gene.definition.positions
    absent = definition.bits(definition.everything & ~observation.with_row)
    return unvalidated(
        ObservedGene,
        reference_gt=observation.reference_gt,
        absent=tuple(positions[column].pos for column in absent),
        rows=observation.other_rows,
        discarded_by_depth=observation.discarded_by_depth,
    )
