"""Rows of the store to values and back. Facts are compact JSON without defaults; texts are never stored."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson
from pydantic import TypeAdapter

from schemas.clinical_context import ClinicalContext, canonical
from schemas.genotype import GeneCall, KnowledgeRef, ObservedGene
from schemas.lab_result import ResultRef, Sex, Status
from schemas.phenotype import Phenotype
from schemas.warning import Warning
from services.recommender.advised import Advised
from services.recommender.context.current import Statement
from services.recommender.merging import Delivery, Identity

_GENOTYPES = TypeAdapter(tuple[GeneCall, ...])
_PHENOTYPES = TypeAdapter(tuple[Phenotype, ...])
_OBSERVED = TypeAdapter(dict[str, ObservedGene])
_WARNINGS = TypeAdapter(tuple[Warning, ...])

DELIVERY = """
    laboratory, accession, version, status, issued, sex, event_source, event_id,
    encode(content_sha256, 'hex') AS content_sha256, release, encode(release_sha256, 'hex') AS release_sha256,
    genotypes::text AS genotypes, phenotypes::text AS phenotypes, observed::text AS observed
"""
"""What ``delivery`` reads of a row of results. Without ``observed`` it cannot be read under another release."""


class ResultRow(NamedTuple):
    """A row of results, in the order of ``COLUMNS``."""

    patient_id: int
    ordinal: int
    laboratory: str
    accession: str
    version: int
    status: str
    issued: datetime
    sex: str
    event_source: str
    event_id: str
    content_sha256: bytes
    release: str
    release_sha256: bytes
    software: str
    superseded_by: int | None
    genotypes: str
    phenotypes: str
    observed: str
    warnings: str | None

    @classmethod
    def of(
        cls,
        patient_id: int,
        ordinal: int,
        delivery: Delivery,
        software: str,
        observed_rows: Mapping[str, ObservedGene],
        warnings: tuple[Warning, ...],
    ) -> "ResultRow":
        result = delivery.result
        return cls(
            patient_id,
            ordinal,
            result.laboratory,
            result.accession,
            result.version,
            result.status.value,
            result.issued,
            result.sex.value,
            result.event_source,
            result.event_id,
            bytes.fromhex(result.sha256),
            delivery.knowledge.release,
            bytes.fromhex(delivery.knowledge.sha256),
            software,
            None,
            genotypes(delivery.genotypes),
            phenotypes(delivery.phenotypes),
            observed(observed_rows),
            _compact(_WARNINGS, warnings) if warnings else None,
        )


STATEMENT = "event_source, event_id, encode(content_sha256, 'hex') AS content_sha256, content::text AS content"
"""What ``statement`` reads of a row of statements."""


class StatementRow(NamedTuple):
    """A row of statements, in the order of its columns."""

    patient_id: int
    ordinal: int
    source: str
    statement: str
    version: int
    event_source: str
    event_id: str
    content_sha256: bytes
    superseded_by: int | None
    content: str

    @classmethod
    def of(cls, patient_id: int, ordinal: int, statement: Statement) -> "StatementRow":
        return cls(
            patient_id,
            ordinal,
            statement.said.source,
            statement.said.statement,
            statement.said.version,
            statement.event_source,
            statement.event_id,
            bytes.fromhex(statement.sha256),
            None,
            canonical(statement.said).decode(),
        )


class InboxRow(NamedTuple):
    """A handled event: what it brought, and the recommendation event it made."""

    event: UUID
    cause_source: str
    cause_id: str
    patient_id: int
    ordinal: int
    sequence: int | None


class HistoryRow(NamedTuple):
    """A published event, as facts."""

    patient_id: int
    sequence: int
    inputs: int
    cause_type: str
    cause_id: str
    ordinal: int | None
    release: str
    keys: str
    issued: tuple[str, ...]
    withdrawn: tuple[str, ...]
    """Rule ids."""
    body_sha256: bytes
    activation: int | None
    """That governed, if any did."""
    activation_before: int | None
    """The same, just before the event."""
    policy: str | None
    """Where results contradict each other; None: the newest."""


class OutboxRow(NamedTuple):
    """An event to be published."""

    lane: int
    key: str
    headers: str
    body: bytes | None
    """None: a tombstone."""
    background: bool = False
    """It may wait for those that are not."""


def genotypes(calls: tuple[GeneCall, ...]) -> str:
    """Calls as the store keeps them."""
    return _compact(_GENOTYPES, calls)


def phenotypes(assigned: tuple[Phenotype, ...]) -> str:
    """Phenotypes as the store keeps them."""
    return _compact(_PHENOTYPES, assigned)


def observed(genes: Mapping[str, ObservedGene]) -> str:
    """Observed rows as the store keeps them."""
    return _compact(_OBSERVED, genes)


def delivery(row: asyncpg.Record) -> Delivery:
    """A stored delivery with its facts."""
    return Delivery(
        result_ref(row),
        KnowledgeRef(release=row["release"], sha256=row["release_sha256"]),
        _GENOTYPES.validate_json(row["genotypes"]),
        _PHENOTYPES.validate_json(row["phenotypes"]),
        row["observed"] or "{}",
    )


def statement(row: asyncpg.Record) -> Statement:
    """A stored statement."""
    said = ClinicalContext.model_validate_json(row["content"])
    return Statement(said, row["content_sha256"], row["event_source"], row["event_id"])


def result_ref(row: asyncpg.Record) -> ResultRef:
    """Which laboratory result a row is about."""
    return ResultRef(
        laboratory=row["laboratory"],
        accession=row["accession"],
        status=Status(row["status"]),
        version=row["version"],
        issued=row["issued"],
        sex=Sex(row["sex"]),
        event_source=row["event_source"],
        event_id=row["event_id"],
        sha256=row["content_sha256"],
    )


def identity(row: asyncpg.Record) -> Identity:
    """What makes another delivery the same as this one."""
    return (row["laboratory"], row["accession"], row["content_sha256"], row["release"])


def keys(advised: Iterable[Advised]) -> str:
    """What the patient was looked up with, by gene."""
    used: dict[str, list[str]] = {}
    for gene, key in sorted({item for one in advised for item in one.row.keys.items()}):
        used.setdefault(gene, []).append(key)
    return orjson.dumps(used).decode()


def difference(before: Iterable[Advised], after: Iterable[Advised]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of the rules that came and of those that went."""
    had, has = ({one.row.id for one in side} for side in (before, after))
    return tuple(sorted(has - had)), tuple(sorted(had - has))


def _compact(adapter: TypeAdapter[Any], value: Any) -> str:
    return adapter.dump_json(value, exclude_defaults=True).decode()
