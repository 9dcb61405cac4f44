"""Statements and contexts from a few words."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.clinical_context import ClinicalContext, Medication, MedicationStatus, content_sha256
from services.recommender.context.current import Context, Statement

_DAY = datetime(2026, 11, 1, 9, tzinfo=UTC)


def on(day: int) -> datetime:
    """The morning of a day of November 2026."""
    return _DAY + timedelta(days=day - 1)


def medication(name: str, status: str = "started") -> Medication:
    return Medication(name=name, status=MedicationStatus(status))


def statement(document: str = "S-1", *, day: int = 1, version: int = 1, source: str = "ward", **said: Any) -> Statement:
    """A statement recorded on that day. ``started`` and ``stopped``: names of drugs; the rest as in the model."""
    medications = [medication(name) for name in said.pop("started", ())]
    medications += [medication(name, "stopped") for name in said.pop("stopped", ())]
    content = ClinicalContext(
        tenant="mercy", patient="p-1", source=source, statement=document, version=version, recorded=on(day),
        medications=tuple(said.pop("medications", medications)), **said,
    )  # fmt: skip
    return Statement(content, content_sha256(content), f"/mercy/{source}", f"{document}-{version}-{day}")


def context(*taking: str, **facts: Any) -> Context:
    """A patient's context: drugs by name, facts as in the model."""
    return Context(as_of=on(24), medications=tuple(map(medication, taking)), **facts)
