"""What subscribers are told of one step of a patient: the event, made only where somebody reads it as a value."""

from dataclasses import dataclass
from functools import cached_property

from schemas.genotype import KnowledgeRef
from schemas.recommendation import Cause, RecommendationsChanged
from services.recommender.changes import compare
from services.recommender.state import State


@dataclass(frozen=True)
class Notice:
    """Takes subscribers from one state to the next, under the sequence number that the patient has then."""

    tenant: str
    patient: str
    sequence: int
    cause: Cause
    knowledge: KnowledgeRef
    before: State
    after: State
    reason: str

    @property
    def key(self) -> str:
        """Of the message."""
        return f"{self.tenant}/{self.patient}"

    @cached_property
    def event(self) -> RecommendationsChanged:
        """The event as it is published."""
        changes = compare(self.before.recommendations, self.after.recommendations, self.reason)
        frame = {"changes": changes, "recommendations": self.after.recommendations}
        return self.frame.model_copy(update=frame)

    @property
    def frame(self) -> RecommendationsChanged:
        """The event without changes and recommendations."""
        after = self.after
        return RecommendationsChanged(
            tenant=self.tenant,
            patient=self.patient,
            sequence=self.sequence,
            cause=self.cause,
            knowledge=self.knowledge,
            phenotypes=after.phenotypes,
            silent=after.silent,
            findings=after.findings,
            results=after.results,
            medications=after.medications,
            dose_estimates=after.dose_estimates,
        )
