"""Lab results as small as they can be."""

import json

from runtime.message import Headers, Outgoing
from runtime.settings import Settings
from schemas.topics import LAB_RESULT

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def lab_result(accession: str, patient: str = "p-1", **more: object) -> bytes:
    """The value of a lab-result message."""
    result = {
        "tenant": "mercy",
        "patient": patient,
        "accession": accession,
        "laboratory": "acme-genomics",
        "status": "final",
        "version": 1,
        "issued": "2026-11-23T10:00:00Z",
        "assembly": "GRCh38",
    }
    return json.dumps(result | more).encode()


def message(
    settings: Settings, accession: str, patient: str = "p-1", headers: Headers = (), partition: int | None = None
) -> Outgoing:
    """A lab result as a message of a laboratory."""
    return Outgoing(
        settings.topic(LAB_RESULT),
        f"mercy/{patient}".encode(),
        lab_result(accession, patient),
        headers,
        partition=partition,
    )
