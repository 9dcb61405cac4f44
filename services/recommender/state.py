"""What is known and advised about a patient: a pure function of the set of inputs that count, and of the release that
governs.

Inputs are deliveries of laboratory results and statements of clinical context. Beside them stands the release that
operators activated: every result is read under it, whatever it was called under.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from knowledge.release import Release
from schemas.errors import Code, Rejected
from schemas.finding import Finding
from schemas.genotype import GeneCall, KnowledgeRef
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import CurrentMedication, DoseEstimate, Recommendation, Silence
from services.recommender.advice import advise
from services.recommender.advised import Advised
from services.recommender.context.current import Statement
from services.recommender.context.current import current as current_context
from services.recommender.discordance import Policy
from services.recommender.interpretation import Governing
from services.recommender.merging import Accession, Delivery, merge

Releases = Callable[[str], Release]
"""A knowledge release by its id; raises KeyError where it is not installed."""

Input = Delivery | Statement


@dataclass(frozen=True, slots=True)
class State:
    """What is known and advised: the published lists and what is behind them."""

    knowledge: KnowledgeRef | None = None
    genotypes: tuple[GeneCall, ...] = ()
    phenotypes: tuple[Phenotype, ...] = ()
    advised: tuple[Advised, ...] = ()
    silent: tuple[Silence, ...] = ()
    findings: tuple[Finding, ...] = ()
    results: tuple[ResultNote, ...] = ()
    """The current delivery of each accession, withdrawn ones included."""
    medications: tuple[CurrentMedication, ...] = ()
    dose_estimates: tuple[DoseEstimate, ...] = ()

    @property
    def recommendations(self) -> tuple[Recommendation, ...]:
        """What is advised, as it is published."""
        return tuple([one.recommendation for one in self.advised])

    def publishes_as(self, other: "State") -> bool:
        """Whether the published lists of advice are equal, provenance included."""
        return (self.phenotypes, self.advised, self.silent, self.findings, self.dose_estimates) == (
            other.phenotypes, other.advised, other.silent, other.findings, other.dose_estimates,
        )  # fmt: skip


def state_after(
    inputs: Iterable[Input], releases: Releases, governing: Governing | None = None, policy: Policy = Policy.NEWEST
) -> State:
    """The state that follows from a set of inputs of both kinds."""
    inputs = list(inputs)
    deliveries = (one for one in inputs if isinstance(one, Delivery))
    statements = (one for one in inputs if isinstance(one, Statement))
    return state_of(deliveries, releases, statements, governing, policy)


def state_of(
    deliveries: Iterable[Delivery],
    releases: Releases,
    statements: Iterable[Statement] = (),
    governing: Governing | None = None,
    policy: Policy = Policy.NEWEST,
) -> State:
    """The state that follows from sets of deliveries and statements under the release that governs.

    Where none was activated, the latest release among the deliveries that count governs the advice, and each result
    stays as it was called. Without a delivery there is no advice.
    """
    counting = sorted(current(deliveries, releases).values(), key=lambda one: one.accession)
    if not counting:
        return State()
    if governing is None:
        knowledge = max((one.knowledge for one in counting), key=lambda known: _rank(known, releases))
        read = counting
    else:
        knowledge = governing.knowledge
        read = [governing.read(one) for one in counting]
    merged = merge(read, policy)
    context = current_context(statements)
    advice = advise(release_of(knowledge, releases), merged.genotypes, merged.phenotypes, context)
    return State(
        knowledge=knowledge,
        genotypes=merged.genotypes,
        phenotypes=advice.phenotypes,
        advised=advice.advised,
        silent=advice.silent,
        findings=(*merged.findings, *advice.findings),
        medications=advice.medications,
        dose_estimates=advice.dose_estimates,
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
