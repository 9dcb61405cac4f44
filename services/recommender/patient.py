"""A patient as the set of accepted inputs, and what one more of them, or another release, changes.

No clock, no randomness, no I/O: any order and repetition of the same inputs ends in the same state. Results and
statements are numbered together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from schemas.recommendation import Cause, RecommendationsChanged
from services.recommender.changes import compare
from services.recommender.context.current import Document, Statement, StatementIdentity
from services.recommender.discordance import Policy
from services.recommender.interpretation import Governing
from services.recommender.merging import Accession, Delivery, Identity
from services.recommender.notice import Notice
from services.recommender.state import Input, Releases, State, precedence, release_of, state_of

LAB_RESULT = "lab-result"
CLINICAL_CONTEXT = "clinical-context"
KNOWLEDGE_RELEASE = "knowledge-release"
"""Types of causes."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """An accepted delivery with its place in the patient's order of acceptance, from 1."""

    ordinal: int
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Said:
    """An accepted statement with its place in the same order."""

    ordinal: int
    statement: Statement


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What one input did. ``superseded``: an ordinal and its successor's. ``notice``: None where nothing changed."""

    patient: "Patient"
    ordinal: int
    new: bool
    superseded: tuple[int, int] | None = None
    before: State = field(default_factory=State)
    after: State = field(default_factory=State)
    notice: Notice | None = None

    @property
    def event(self) -> RecommendationsChanged | None:
        """What is published of it."""
        return None if self.notice is None else self.notice.event


@dataclass(frozen=True, slots=True)
class Reinterpretation:
    """What another release did. ``notice``: None where no advice changed."""

    patient: "Patient"
    before: State
    after: State
    notice: Notice | None

    @property
    def event(self) -> RecommendationsChanged | None:
        """What is published of it."""
        return None if self.notice is None else self.notice.event


@dataclass(frozen=True, slots=True)
class Patient:
    """What has been accepted about one patient so far."""

    tenant: str
    pseudonym: str
    sequence: int = 0
    inputs: int = 0
    current: Mapping[Accession, Numbered] = field(default_factory=dict)
    """Of each accession the delivery that counts."""
    known: Mapping[Identity, int] = field(default_factory=dict)
    """Ordinals of all accepted deliveries."""
    statements: Mapping[Document, Said] = field(default_factory=dict)
    """Of each document the statement that counts."""
    known_statements: Mapping[StatementIdentity, int] = field(default_factory=dict)
    """Ordinals of all accepted statements."""
    governing: Governing | None = None
    """What results are read under; None: no activation has reached the patient yet."""
    policy: Policy = Policy.NEWEST
    """The tenant's, where results contradict each other."""
    state: State | None = None
    """Of what counts, where it has been computed already."""

    def accept(self, delivery: Delivery, releases: Releases, governing: Governing | None = None) -> Acceptance:
        """Take in a delivery; with it the patient comes under ``governing``, where that is given.

        Raises Rejected(UNKNOWN_RELEASE).
        """
        if (ordinal := self.known.get(delivery.identity)) is not None:
            return Acceptance(self, ordinal, new=False)
        release_of(delivery.knowledge, releases)
        added = Numbered(self.inputs + 1, delivery)
        rival = self.current.get(delivery.accession)
        wins = rival is None or precedence(rival.delivery, releases) < precedence(delivery, releases)
        taken_in = replace(
            self,
            inputs=added.ordinal,
            current={**self.current, delivery.accession: added} if wins else self.current,
            known={**self.known, delivery.identity: added.ordinal},
            governing=governing or self.governing,
        )
        pair = _pair(None if rival is None else rival.ordinal, added.ordinal, wins)
        return self._accepted(taken_in, wins, pair, cause_of(delivery), why(delivery), releases)

    def accept_statement(
        self, statement: Statement, releases: Releases, governing: Governing | None = None
    ) -> Acceptance:
        """Take in a statement of clinical context, in the same way. Raises Rejected(UNKNOWN_RELEASE)."""
        if (ordinal := self.known_statements.get(statement.identity)) is not None:
            return Acceptance(self, ordinal, new=False)
        added = Said(self.inputs + 1, statement)
        rival = self.statements.get(statement.document)
        wins = rival is None or rival.statement.order < statement.order
        taken_in = replace(
            self,
            inputs=added.ordinal,
            statements={**self.statements, statement.document: added} if wins else self.statements,
            known_statements={**self.known_statements, statement.identity: added.ordinal},
            governing=governing or self.governing,
        )
        pair = _pair(None if rival is None else rival.ordinal, added.ordinal, wins)
        return self._accepted(taken_in, wins, pair, cause_of(statement), why(statement), releases)

    def _accepted(
        self,
        taken_in: "Patient",
        wins: bool,
        superseded: tuple[int, int] | None,
        cause: Cause,
        reason: str,
        releases: Releases,
    ) -> Acceptance:
        before = self._state(releases)
        moved = taken_in.governing != self.governing
        after = replace(taken_in, state=None)._state(releases) if wins or moved else before
        changed = not after.publishes_as(before)
        patient = replace(taken_in, sequence=self.sequence + changed, state=after)
        notice = patient.notice(cause, before, after, reason) if changed else None
        return Acceptance(patient, patient.inputs, True, superseded, before, after, notice)

    def activate(self, governing: Governing, releases: Releases) -> Reinterpretation:
        """Come under another release. Raises Rejected(UNKNOWN_RELEASE)."""
        before = self._state(releases)
        under = replace(self, governing=governing, state=None)
        after = under._state(releases)
        under = replace(under, state=after)
        if not compare(before.recommendations, after.recommendations, ""):
            return Reinterpretation(under, before, after, None)
        published = replace(under, sequence=self.sequence + 1)
        return Reinterpretation(published, before, after, self.reinterpreted(before, after, governing))

    def reinterpreted(self, before: State, after: State, governing: Governing) -> Notice:
        """The notice after the patient's present one, that an activation makes."""
        cause = Cause(type=KNOWLEDGE_RELEASE, id=governing.id)
        reason = f"knowledge release {governing.knowledge.release} was activated"
        return replace(self, sequence=self.sequence + 1).notice(cause, before, after, reason)

    def _state(self, releases: Releases) -> State:
        if self.state is not None:
            return self.state
        said = (one.statement for one in self.statements.values())
        return state_of(self.deliveries, releases, said, self.governing, self.policy)

    def without_state(self) -> "Patient":
        """The same patient, whose state is computed again when it is needed."""
        return self if self.state is None else replace(self, state=None)

    @property
    def deliveries(self) -> Iterable[Delivery]:
        """The delivery of each accession that counts."""
        return (one.delivery for one in self.current.values())

    def notice(self, cause: Cause, before: State, after: State, reason: str) -> Notice:
        """What takes subscribers from one state to the other, under the patient's present sequence number."""
        if after.knowledge is None:
            raise ValueError("a state without results is never published")
        if before.knowledge is not None and before.knowledge != after.knowledge:
            reason += f"; knowledge release was {before.knowledge.release}, is {after.knowledge.release}"
        return Notice(self.tenant, self.pseudonym, self.sequence, cause, after.knowledge, before, after, reason)


def cause_of(input_: Input) -> Cause:
    """An input as the cause of an event."""
    if isinstance(input_, Statement):
        return Cause(type=CLINICAL_CONTEXT, id=input_.event_id, version=input_.said.version)
    result = input_.result
    return Cause(type=LAB_RESULT, id=result.event_id, accession=result.accession, version=result.version)


def why(input_: Input) -> str:
    """An input as the reason for a change."""
    if isinstance(input_, Statement):
        said = input_.said
        return f"statement {said.statement} of {said.source}, version {said.version}, is {said.status}"
    result = input_.result
    return f"result {result.accession} of {result.laboratory}, version {result.version}, is {result.status}"


def _pair(rival: int | None, added: int, wins: bool) -> tuple[int, int] | None:
    """Which ordinal another supersedes."""
    if rival is None:
        return None
    return (rival, added) if wins else (added, rival)
