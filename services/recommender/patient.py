"""A patient's current state as a pure function of the set of accepted deliveries, and what one more of them changes.

No clock, no randomness, no I/O: any order and repetition of the same deliveries ends in the same state.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from knowledge.release import Release
from schemas.errors import Code, Rejected
from schemas.genotype import GeneCall, KnowledgeRef
from schemas.lab_result import ResultRef
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import Cause, Recommendation, RecommendationsChanged
from services.recommender.changes import compare
from services.recommender.guidance import recommend
from services.recommender.merging import Accession, Delivery, Identity, merge

Releases = Callable[[str], Release]
"""A knowledge release by its id; raises KeyError where it is not installed."""

LAB_RESULT = "lab-result"


@dataclass(frozen=True, slots=True)
class State:
    """What is known and advised: the two published lists and what is behind them."""

    knowledge: KnowledgeRef | None = None
    genotypes: tuple[GeneCall, ...] = ()
    phenotypes: tuple[Phenotype, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    results: tuple[ResultNote, ...] = ()
    """The current delivery of each accession, withdrawn ones included."""

    def publishes_as(self, other: "State") -> bool:
        """Whether the two published lists are equal, provenance included."""
        return self.phenotypes == other.phenotypes and self.recommendations == other.recommendations


@dataclass(frozen=True, slots=True)
class Numbered:
    """An accepted delivery with its place in the patient's order of acceptance, from 1."""

    ordinal: int
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What one delivery did. ``superseded``: an ordinal and its successor's. ``event``: None where nothing changed."""

    patient: "Patient"
    ordinal: int
    new: bool
    superseded: tuple[int, int] | None = None
    before: State = field(default_factory=State)
    after: State = field(default_factory=State)
    event: RecommendationsChanged | None = None


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
    state: State | None = None
    """Of ``current``, where it has been computed already."""

    def accept(self, delivery: Delivery, releases: Releases) -> Acceptance:
        """Take in a delivery. Raises Rejected(UNKNOWN_RELEASE)."""
        if (ordinal := self.known.get(delivery.identity)) is not None:
            return Acceptance(self, ordinal, new=False)
        release_of(delivery.knowledge, releases)
        before = state_of(self.deliveries, releases) if self.state is None else self.state
        added = Numbered(self.inputs + 1, delivery)
        rival = self.current.get(delivery.accession)
        wins = rival is None or precedence(rival.delivery, releases) < precedence(delivery, releases)
        current = {**self.current, delivery.accession: added} if wins else self.current
        after = state_of((one.delivery for one in current.values()), releases) if wins else before
        changed = not after.publishes_as(before)
        patient = replace(
            self,
            sequence=self.sequence + changed,
            inputs=added.ordinal,
            current=current,
            known={**self.known, delivery.identity: added.ordinal},
            state=after,
        )
        pair = None if rival is None else (rival.ordinal, added.ordinal) if wins else (added.ordinal, rival.ordinal)
        event = patient.event(cause_of(delivery.result), before, after, why(delivery.result)) if changed else None
        return Acceptance(patient, added.ordinal, True, pair, before, after, event)

    def without_state(self) -> "Patient":
        """The same patient, whose state is computed again when it is needed."""
        return self if self.state is None else replace(self, state=None)

    @property
    def deliveries(self) -> Iterable[Delivery]:
        """The delivery of each accession that counts."""
        return (one.delivery for one in self.current.values())

    def event(self, cause: Cause, before: State, after: State, reason: str) -> RecommendationsChanged:
        """The event that takes subscribers from one state to the other, under the patient's present sequence number."""
        if after.knowledge is None:
            raise ValueError("a state without results is never published")
        if before.knowledge is not None and before.knowledge != after.knowledge:
            reason += f"; knowledge release was {before.knowledge.release}, is {after.knowledge.release}"
        return RecommendationsChanged(
            tenant=self.tenant,
            patient=self.pseudonym,
            sequence=self.sequence,
            cause=cause,
            knowledge=after.knowledge,
            changes=compare(before.recommendations, after.recommendations, reason),
            phenotypes=after.phenotypes,
            recommendations=after.recommendations,
            results=after.results,
        )


def state_of(deliveries: Iterable[Delivery], releases: Releases) -> State:
    """The state that follows from a set of deliveries. The latest release among those that count governs the advice."""
    counting = sorted(current(deliveries, releases).values(), key=lambda one: one.accession)
    if not counting:
        return State()
    knowledge = max((one.knowledge for one in counting), key=lambda known: _rank(known, releases))
    genotypes, phenotypes = merge(counting)
    return State(
        knowledge=knowledge,
        genotypes=genotypes,
        phenotypes=phenotypes,
        recommendations=recommend(release_of(knowledge, releases), genotypes, phenotypes),
        results=tuple(ResultNote.of(one.result) for one in counting),
    )


def current(deliveries: Iterable[Delivery], releases: Releases) -> dict[Accession, Delivery]:
    """Of each accession the delivery that counts, whatever order they came in."""
    counting: dict[Accession, Delivery] = {}
    for one in deliveries:
        rival = counting.get(one.accession)
        if rival is None or precedence(rival, releases) < precedence(one, releases):
            counting[one.accession] = one
    return counting


def precedence(delivery: Delivery, releases: Releases) -> tuple[object, ...]:
    """Of several deliveries of one accession the highest counts; of one called twice, the later release's calls."""
    return (*delivery.result.order, *_rank(delivery.knowledge, releases))


def release_of(knowledge: KnowledgeRef, releases: Releases) -> Release:
    """The release something was decided under. Raises Rejected(UNKNOWN_RELEASE)."""
    try:
        release = releases(knowledge.release)
    except KeyError:
        release = None
    if release is None or release.sha256 != knowledge.sha256:
        wanted = f"{knowledge.release} ({knowledge.sha256[:12]})"
        raise Rejected(Code.UNKNOWN_RELEASE, f"knowledge release {wanted} is not installed here", "genotype.knowledge")
    return release


def _rank(knowledge: KnowledgeRef, releases: Releases) -> tuple[str, str]:
    release = release_of(knowledge, releases)
    return (release.manifest.in_force, release.id)


def cause_of(result: ResultRef) -> Cause:
    """A laboratory result as the cause of an event."""
    return Cause(type=LAB_RESULT, id=result.event_id, accession=result.accession, version=result.version)


def why(result: ResultRef) -> str:
    """A laboratory result as the reason for a change."""
    return f"result {result.accession} of {result.laboratory}, version {result.version}, is {result.status}"
