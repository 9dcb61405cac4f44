"""Who was erased, known by keyed hashes alone: a pseudonym can be checked against them, and none read from them."""

import hashlib
import hmac
import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

_KEY = "SELECT key FROM erasure_key"
_ERASED = "SELECT patient, erased FROM erasures WHERE patient = ANY ($1::bytea[])"
_ADD = """
INSERT INTO erasures (patient, erased) VALUES ($1, $2)
ON CONFLICT (patient) DO UPDATE SET erased = greatest(erasures.erased, excluded.erased)
"""

PatientKey = tuple[str, str]
"""Tenant and pseudonym."""


async def erased(connection: Any, patients: Collection[PatientKey]) -> dict[PatientKey, datetime]:
    """When each of these patients was erased last; those that never were are left out."""
    key = await connection.fetchval(_KEY)
    digests = {_digest(key, patient): patient for patient in patients}
    return {digests[row["patient"]]: row["erased"] for row in await connection.fetch(_ERASED, list(digests))}


async def add(connection: Any, patient: PatientKey, at: datetime) -> None:
    """Remember that the patient was erased; the latest time counts."""
    await connection.execute(_ADD, _digest(await connection.fetchval(_KEY), patient), at)


def _digest(key: bytes, patient: PatientKey) -> bytes:
    return hmac.digest(key, json.dumps(patient).encode(), hashlib.sha256)
