"""The map of the bus: every topic, its key, who writes it, who reads it and how long it stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from schemas.base import Model
from schemas.clinical_context import ClinicalContext
from schemas.genotype import GenotypeCalled
from schemas.knowledge import ReleaseActivated
from schemas.lab_result import LabResult
from schemas.phenotype import PhenotypeAssigned
from schemas.recommendation import RecommendationsChanged

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""What topics and producers carry, so that every dead letter and derived event fits."""
DEAD_LETTER_BYTES = MAX_MESSAGE_BYTES + 256 * 1024
"""What the dead-letter topic carries: a message of full size with its headers and the reason beside them."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``name`` is also the CloudEvents type of its events; brokers see it after ``PGX_TOPIC_PREFIX``."""

    name: str
    value: type[Model] | None
    """Model of the value; None where the original bytes are kept (dead letters)."""
    key: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    description: str
    keep: timedelta | None = None
    """Retention; None for a compacted topic."""
    compact_after: timedelta | None = None
    """For compacted topics: how long every event stays before only the last of a key is sure to."""
    partitions: int | None = None
    """None: the deployment's ``PGX_PARTITIONS``, the same for all topics keyed by patient."""

    @property
    def config(self) -> Mapping[str, str]:
        """Topic settings as Kafka names them."""
        settings = {"max.message.bytes": str(DEAD_LETTER_BYTES if self.value is None else MAX_MESSAGE_BYTES)}
        if self.keep is not None:
            return settings | {"cleanup.policy": "delete", "retention.ms": _milliseconds(self.keep)}
        lag = {} if self.compact_after is None else {"min.compaction.lag.ms": _milliseconds(self.compact_after)}
        return settings | {"cleanup.policy": "compact"} | lag


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))


PATIENT_KEY = "tenant/patient pseudonym"

LAB_RESULT = Topic(
    "pgx.lab-result.v1", LabResult, PATIENT_KEY, ("laboratories",), ("genotyper",),
    "A sample's genotypes and reported calls, as the laboratory issued, corrected or withdrew them.",
    keep=timedelta(days=30),
)  # fmt: skip
GENOTYPE = Topic(
    "pgx.genotype.v1", GenotypeCalled, PATIENT_KEY, ("genotyper",), ("phenotyper",),
    "Named-allele calls of one laboratory result. Internal, documented and versioned all the same.",
    keep=timedelta(days=7),
)  # fmt: skip
PHENOTYPE = Topic(
    "pgx.phenotype.v1", PhenotypeAssigned, PATIENT_KEY, ("phenotyper",), ("recommender",),
    "Phenotypes with the genotype event they came from. Internal, documented and versioned all the same.",
    keep=timedelta(days=7),
)  # fmt: skip
CLINICAL_CONTEXT = Topic(
    "pgx.clinical-context.v1", ClinicalContext, PATIENT_KEY, ("hospitals",), ("recommender",),
    "What a patient takes, and facts of the body that advice depends on, as a hospital states or corrects them.",
    keep=timedelta(days=30),
)  # fmt: skip
RECOMMENDATION = Topic(
    "pgx.recommendation.v1", RecommendationsChanged, PATIENT_KEY, ("recommender",), ("hospitals",),
    "What changed in a patient's advice and the full current list.",
    compact_after=timedelta(days=30),
)  # fmt: skip
KNOWLEDGE = Topic(
    "pgx.knowledge.v1", ReleaseActivated, "tenant, or * for all", ("operators",), ("genotyper",),
    "Which knowledge release is active, for everyone or for one tenant.",
    partitions=1,
)  # fmt: skip
DEAD_LETTER = Topic(
    "pgx.dead-letter.v1", None, "as in the original", ("genotyper", "phenotyper", "recommender"), ("operators",),
    "What could not be processed: the original bytes, with the reason in dlq_* headers.",
    keep=timedelta(days=90),
)  # fmt: skip

FROM_OUTSIDE = (LAB_RESULT, CLINICAL_CONTEXT)
"""What others publish and we read strictly; all else is our own."""
TOPICS = (LAB_RESULT, GENOTYPE, PHENOTYPE, CLINICAL_CONTEXT, RECOMMENDATION, KNOWLEDGE, DEAD_LETTER)
