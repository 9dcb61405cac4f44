"""One accession under several patients: a result that was filed under the wrong one. Pure.

Laboratory and accession name one sample, and a sample has one patient. Where a tenant has the same accession under two
patients, both hear of it: until one of the two results is withdrawn, what it says about either is doubtful; afterwards
each knows what happened. A laboratory that uses an accession number for more than a few patients does not name samples
with it: then nothing follows from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from schemas.finding import Finding, FindingKind, Significance
from schemas.genotype import GeneCall
from schemas.lab_result import ResultRef, Status
from schemas.phenotype import ResultNote
from schemas.recommendation import Cause
from schemas.warning import Warning
from services.recommender import confidence
from services.recommender.discordance import Policy, Voice, blocked
from services.recommender.merging import Accession, Delivery

MOST_OTHERS = 8
"""Other patients of one accession; with more of them the number does not name a sample."""

_ANOTHER = "{accession} of {laboratory} is filed under another patient as well"
_SETTLE = "Ask the laboratory whose sample it is, and let it withdraw the result for the other patient."
_UNTIL_THEN = {
    Policy.NEWEST: "Until then the result counts, and what it says is marked as less sure.",
    Policy.BLOCK: "Until then the result does not count.",
}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the other patients of a tenant have of an accession. Numbers of patients."""

    laboratory: str
    accession: str
    counting: int = 0
    """Under whom its result counts now."""
    withdrawn: int = 0
    """Under whom its result is withdrawn."""
    reused: bool = False
    """There are more others than a sample can have by mistake; the numbers are 0 then."""

    @classmethod
    def among(cls, accession: Accession, others: Iterable[bool]) -> "Elsewhere":
        """``others``: of each other patient, whether the result is withdrawn there."""
        found = list(others)
        if len(found) > MOST_OTHERS:
            return cls(*accession, reused=True)
        return cls(*accession, counting=found.count(False), withdrawn=found.count(True))

    @property
    def of(self) -> Accession:
        return (self.laboratory, self.accession)

    @property
    def reason(self) -> str:
        """Why the patient's state may have changed."""
        named = f"result {self.accession} of {self.laboratory}"
        if self.reused:
            return f"{named} has a number that is used for many patients"
        if self.counting:
            return f"{named} counts under another patient as well"
        return f"{named} is withdrawn under another patient" if self.withdrawn else f"{named} is under no other patient"

    @property
    def nowhere(self) -> bool:
        """No other patient has it."""
        return not (self.counting or self.withdrawn or self.reused)


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of an accession under other patients, and what brought that about. An input of the patient."""

    elsewhere: Elsewhere
    cause: Cause


def marked(
    deliveries: Iterable[Delivery], elsewhere: Mapping[Accession, Elsewhere], policy: Policy
) -> tuple[tuple[Delivery, ...], tuple[Finding, ...]]:
    """The deliveries as they may speak, and what is found about those that other patients have as well."""
    speaking: list[Delivery] = []
    findings: list[Finding] = []
    for delivery in deliveries:
        others = elsewhere.get(delivery.accession)
        finding = None if others is None else _finding(delivery.result, others, policy)
        doubtful = others is not None and others.counting > 0 and not delivery.result.status.withdrawn
        speaking.append(_doubted(delivery, policy) if doubtful else delivery)
        findings += [finding] if finding is not None else []
    return tuple(speaking), tuple(findings)


def _doubted(delivery: Delivery, policy: Policy) -> Delivery:
    result = delivery.result
    said = _ANOTHER.format(accession=result.accession, laboratory=result.laboratory)
    remark = Warning(code=confidence.FILED_TWICE, message=said)
    if policy is Policy.NEWEST:
        calls = tuple(call.model_copy(update={"warnings": (*call.warnings, remark)}) for call in delivery.genotypes)
        return replace(delivery, genotypes=calls)
    return replace(
        delivery, genotypes=tuple(_silenced(delivery, call, remark) for call in delivery.genotypes), phenotypes=()
    )


def _silenced(delivery: Delivery, call: GeneCall, remark: Warning) -> GeneCall:
    of_gene = tuple(found for found in delivery.phenotypes if found.gene == call.gene)
    voice = Voice(ResultNote.of(delivery.result), delivery.result.status is Status.PRELIMINARY, call, of_gene)
    return blocked(call.gene, remark) if voice.usable else call


def _finding(result: ResultRef, others: Elsewhere, policy: Policy) -> Finding | None:
    named, withdrawn = f"{result.accession} of {result.laboratory}", result.status.withdrawn
    significance, care = Significance.FOUND, list[str]()
    if others.counting and not withdrawn:
        significance = Significance.POSSIBLE
        meaning = f"{named} is filed under another patient as well, and counts there too: one of the two has the "
        meaning += "results of somebody else."
        care = [_SETTLE, _UNTIL_THEN[policy]]
    elif others.counting:
        meaning = f"{named} is withdrawn here ({result.status}) and counts under another patient: it was filed wrongly."
        care = ["Check what was decided on this result while it was filed here."]
    elif others.withdrawn and not withdrawn:
        meaning = f"{named} was filed under another patient as well and is withdrawn there."
        care = ["Let the laboratory confirm that the sample is this patient's."]
    else:
        return None
    doubts = (confidence.DOUBTED_RESULTS[confidence.FILED_TWICE],) if significance is Significance.POSSIBLE else ()
    return Finding(
        finding=f"{FindingKind.IDENTITY}-{result.laboratory}-{result.accession}",
        condition="result filed under several patients",
        significance=significance,
        gene="",
        phenotype="",
        diplotype=None,
        meaning=meaning,
        care=tuple(care),
        limits=("It does not show whose sample it is.",),
        references=(),
        confidence=confidence.of(doubts),
        confidence_reasons=doubts,
        results=(ResultNote.of(result),),
        preliminary=result.status is Status.PRELIMINARY,
        kind=FindingKind.IDENTITY,
    )
