"""One patient's results of several accessions and laboratories, merged gene by gene. Pure.

For each gene one result speaks. Of all current results that are not withdrawn it is the one with, in this order:

1. a usable call, before a no-call, before a gene that was not assayed;
2. a final, amended or corrected status, before a preliminary one;
3. the newest date of issue;
4. the better coverage: fewer positions of the definition missing;
5. the higher version, then laboratory, accession and content: only so that the answer is always the same.

A result that could not have seen what another of the same standing found gives way to it, whatever their dates.
Genes of different results stand side by side, so that CYP2C19 of one laboratory and CYP2D6 of another meet in one rule.
Where results contradict each other, the policy says whether the gene speaks at all: ``discordance``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.finding import Finding
from schemas.genotype import CallStatus, GeneCall, KnowledgeRef, ObservedGene
from schemas.lab_result import ResultRef, Status
from schemas.phenotype import Phenotype, PhenotypeAssigned, ResultNote
from services.recommender import discordance
from services.recommender.discordance import Policy, Voice

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


class Merged(NamedTuple):
    """What a patient's results say together, ordered by gene."""

    genotypes: tuple[GeneCall, ...]
    phenotypes: tuple[Phenotype, ...]
    findings: tuple[Finding, ...] = ()
    """Where results contradict each other."""


def merge(deliveries: Iterable[Delivery], policy: Policy = Policy.NEWEST) -> Merged:
    """What the patient's results say. ``deliveries``: the current one of each accession."""
    speaking = [delivery for delivery in deliveries if not delivery.result.status.withdrawn]
    if len(speaking) == 1:
        return Merged(speaking[0].genotypes, speaking[0].phenotypes)
    said = voices(speaking)
    genes = [_settled(gene, said[gene], policy) for gene in sorted(said)]
    return Merged(
        tuple(call for call, _, _ in genes),
        tuple(found for _, phenotypes, _ in genes for found in phenotypes),
        tuple(finding for _, _, finding in genes if finding is not None),
    )


def voices(deliveries: Iterable[Delivery]) -> dict[str, tuple[Voice, ...]]:
    """What each result says about each gene, withdrawn ones excepted; of a gene first the one that speaks for it."""
    said: dict[str, list[tuple[_Preference, Voice]]] = {}
    for delivery in deliveries:
        if delivery.result.status.withdrawn:
            continue
        note = ResultNote.of(delivery.result)
        phenotypes: dict[str, list[Phenotype]] = {}
        for found in delivery.phenotypes:
            phenotypes.setdefault(found.gene, []).append(found)
        for call in delivery.genotypes:
            of_gene = tuple(phenotypes.get(call.gene, ()))
            voice = Voice(note, delivery.result.status is Status.PRELIMINARY, call, of_gene)
            said.setdefault(call.gene, []).append((_preference(delivery.result, voice), voice))
    return {gene: _ranked(of_gene) for gene, of_gene in said.items()}


_Preference = tuple[int, bool, datetime, int, int, str, str, str]


def _ranked(said: Sequence[tuple[_Preference, Voice]]) -> tuple[Voice, ...]:
    """In their order; but one that could not have seen what another of its standing found gives way to it."""
    ordered = [voice for _, voice in sorted(said, key=lambda one: one[0], reverse=True)]
    best = ordered[0]
    for other in ordered[1:]:
        equal = other.usable and best.usable and other.preliminary == best.preliminary
        if equal and best.blind_to(other) and not other.blind_to(best):
            best = other
    return (best, *(voice for voice in ordered if voice is not best))


def _settled(
    gene: str, said: Sequence[Voice], policy: Policy
) -> tuple[GeneCall, tuple[Phenotype, ...], Finding | None]:
    """One gene's call and phenotypes, and the contradiction in it."""
    best = said[0]
    at_odds = discordance.discordant(said) if len(said) > 1 else ()
    if not at_odds:
        return best.call, best.phenotypes, None
    finding, remark = discordance.finding(gene, at_odds, policy), discordance.warning(at_odds)
    if policy is Policy.BLOCK:
        return discordance.blocked(gene, remark), (), finding
    return best.call.model_copy(update={"warnings": (*best.call.warnings, remark)}), best.phenotypes, finding


def _preference(result: ResultRef, voice: Voice) -> _Preference:
    return (
        2 if voice.usable else 1 if voice.call.status is CallStatus.NO_CALL else 0,
        not voice.preliminary,
        result.issued,
        -len(voice.call.missing_positions),
        result.version,
        result.laboratory,
        result.accession,
        result.sha256,
    )
