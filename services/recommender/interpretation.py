"""Under which knowledge release a patient's results are read, and the port to the stages that read them again.

Calls and phenotypes are the genotyper's and the phenotyper's work, so that reading a stored result under another
release is done by what the composition root hands in.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import Code, Rejected
from schemas.genotype import KnowledgeRef
from services.recommender.merging import Delivery

Interpret = Callable[[Delivery, KnowledgeRef], Delivery]
"""A delivery as it reads under a release: pure, the delivery itself where that is the release it was called under.
Raises Rejected(UNKNOWN_RELEASE)."""


@dataclass(frozen=True, slots=True)
class Governing:
    """The activation that governs a patient's advice."""

    number: int
    """Of the activation; a later one has a higher number."""
    knowledge: KnowledgeRef
    interpret: Interpret

    @property
    def id(self) -> str:
        """Of the activation as the cause of events: the id of its event on the bus."""
        return activation_id(self.number, self.knowledge)

    def read(self, delivery: Delivery) -> Delivery:
        """The delivery as it reads under the governing release."""
        return delivery if delivery.knowledge == self.knowledge else self.interpret(delivery, self.knowledge)


def activation_id(number: int, knowledge: KnowledgeRef) -> str:
    """Id of the event that announces an activation: the same however often it is announced."""
    return str(uuid.uuid5(_IDS, f"{number}/{knowledge.release}/{knowledge.sha256}"))


_IDS = uuid.uuid5(uuid.NAMESPACE_URL, "pgx.knowledge.v1")


def as_delivered(delivery: Delivery, knowledge: KnowledgeRef) -> Delivery:
    """Where there is nothing to read results again with: one release is all that is known. Raises Rejected."""
    message = f"a result called under {delivery.knowledge.release} cannot be read under {knowledge.release} here"
    raise Rejected(Code.UNKNOWN_RELEASE, message, "genotype.knowledge")
