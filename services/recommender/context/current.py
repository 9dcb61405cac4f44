"""Statements about a patient to one current context: a pure function of their set, whatever order they came in.

1. Of each document (source and statement) the highest version counts; of one version delivered twice with different
   content an entry in error before an active one, then the later recorded, then the content's hash. What was entered in
   error says nothing.
2. Of each drug the statement recorded last says whether it is taken.
3. Of each lasting fact (sex, year of birth, ancestry) the one recorded last counts: it corrects the others. Of each
   measurement (height, weight, smoking, organs, indications, target INR) the one that was true last.

Nothing reads a clock. The context stands as of the moment recorded last: the patient's age is counted up to there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.clinical_context import (
    Ancestry,
    ClinicalContext,
    Indication,
    Medication,
    MedicationStatus,
    Organs,
    Smoking,
    StatementStatus,
    content_sha256,
)
from schemas.cloudevents import Event
from schemas.lab_result import Sex

Document = tuple[str, str]
"""Source and statement: what the versions of one statement have in common."""
StatementIdentity = tuple[str, str, str]
"""Source, statement and content: what makes a delivery the same as another."""

_LASTING = ("sex", "birth_year", "ancestry")
_MEASURED = ("height_cm", "weight_kg", "smoking", "indications", "target_inr")
_ORGANS = ("liver", "kidney", "transplants")


@dataclass(frozen=True, slots=True)
class Statement:
    """A delivered statement and the event that brought it."""

    said: ClinicalContext
    sha256: str
    """Of the canonical content."""
    event_source: str
    event_id: str

    @classmethod
    def of(cls, event: Event[ClinicalContext]) -> "Statement":
        return cls(event.data, content_sha256(event.data), event.source, event.id)

    @property
    def document(self) -> Document:
        return (self.said.source, self.said.statement)

    @property
    def identity(self) -> StatementIdentity:
        """Content delivered again under another event id is the same statement."""
        return (*self.document, self.sha256)

    @property
    def order(self) -> tuple[int, int, datetime, str]:
        """Of several deliveries of one document the one with the highest order counts."""
        return (self.said.version, self.said.status.rank, self.said.recorded, self.sha256)


@dataclass(frozen=True, slots=True)
class Context:
    """What is known now. None: nobody said."""

    as_of: datetime
    """When the last of it was said."""
    medications: tuple[Medication, ...] = ()
    """What the patient takes, ordered by identity."""
    sex: Sex | None = None
    birth_year: int | None = None
    ancestry: Ancestry | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    smoking: Smoking | None = None
    organs: Organs = field(default_factory=Organs)
    indications: tuple[Indication, ...] | None = None
    target_inr: float | None = None

    @property
    def age(self) -> int | None:
        """Completed years at most, as only the year of birth is known: the true age may be one less."""
        return None if self.birth_year is None else self.as_of.year - self.birth_year


def counting(statements: Iterable[Statement]) -> dict[Document, Statement]:
    """Of each document the statement that counts, entries in error included."""
    found: dict[Document, Statement] = {}
    for one in statements:
        rival = found.get(one.document)
        if rival is None or rival.order < one.order:
            found[one.document] = one
    return found


def current(statements: Iterable[Statement]) -> Context | None:
    """The context that follows from a set of statements; None where none of them says anything."""
    active = [one for one in counting(statements).values() if one.said.status is StatementStatus.ACTIVE]
    if not active:
        return None
    by_saying = [one.said for one in sorted(active, key=_said_at)]
    by_truth = [
        one.said for one in sorted(active, key=lambda one: (one.said.effective or one.said.recorded, *_said_at(one)))
    ]
    facts: dict[str, Any] = {}
    for names, order in ((_LASTING, by_saying), (_MEASURED, by_truth)):
        facts |= {name: value for said in order for name in names if (value := getattr(said, name)) is not None}
    organs = {
        name: value
        for said in by_truth
        if said.organs is not None
        for name in _ORGANS
        if (value := getattr(said.organs, name)) is not None
    }
    drugs = {one.identity: one for said in by_saying for one in said.medications}
    taken = (one for _, one in sorted(drugs.items()) if one.status is MedicationStatus.STARTED)
    return Context(as_of=by_saying[-1].recorded, medications=tuple(taken), organs=Organs(**organs), **facts)


def _said_at(one: Statement) -> tuple[datetime, str, str, str]:
    return (one.said.recorded, *one.identity)
