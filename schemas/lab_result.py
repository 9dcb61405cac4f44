"""The laboratory's result: what arrives on ``pgx.lab-result.v1`` and what ``pgx evaluate`` reads."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from typing_extensions import NotRequired, TypedDict

from schemas.base import Model


class Status(StrEnum):
    """Life of a result. The order of the members is the rank that breaks ties between deliveries of one version."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"

    @property
    def rank(self) -> int:
        return list(Status).index(self)

    @property
    def withdrawn(self) -> bool:
        """Whether the result no longer says anything about the patient."""
        return self in (Status.CANCELLED, Status.ENTERED_IN_ERROR)


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class Genotype(TypedDict):
    """One VCF row of one sample (1-based GRCh38 ``pos``, left-normalised ``ref``/``alt``).

    A plain dictionary, not a model: an event carries some 1,200 of them and they are read once.
    """

    chrom: str
    pos: int
    ref: str
    alt: list[str]
    gt: str
    id: NotRequired[str | None]
    ps: NotRequired[int | None]
    ad: NotRequired[list[int] | None]
    filter: NotRequired[str | None]


class Reported(Model):
    """A call made elsewhere: a CYP2D6 copy-number caller, an HLA typer, the laboratory itself."""

    gene: str
    diplotype: str | None = None
    phenotype: str | None = None
    activity_score: str | None = None


class ResultRef(Model):
    """Which laboratory result something came from. Travels through every later event and into the store."""

    laboratory: str
    accession: str
    status: Status
    version: int
    issued: datetime
    sex: Sex
    event_source: str
    event_id: str
    sha256: str
    """SHA-256 of the lab result's canonical content: breaks ties between deliveries and proves what was seen."""

    @property
    def order(self) -> tuple[int, int, datetime, str]:
        """Of several deliveries of one (laboratory, accession) the one with the highest order is current."""
        return (self.version, self.status.rank, self.issued, self.sha256)


class LabResult(Model):
    """A sample's results with all its genes, as published by a laboratory. See ``docs/lab-result.md``."""

    tenant: str
    patient: str
    accession: str
    laboratory: str
    status: Status
    version: int
    issued: datetime
    assembly: Literal["GRCh38"]
    sex: Sex = Sex.UNKNOWN
    genotypes: tuple[Genotype, ...] = ()
    reported: tuple[Reported, ...] = ()
