"""Lab results as tests need them: the documented example, with what a test is about changed."""

import json
from typing import Any

KEY = b"mercy/p-7f3a91"

ROW: dict[str, Any] = {"chrom": "chr10", "pos": 94781859, "id": "rs4244285", "ref": "G", "alt": ["A"], "gt": "0/1"}


def lab_result(**changes: Any) -> dict[str, Any]:
    """The documented example with fields changed; the value ``...`` takes a field out."""
    content: dict[str, Any] = {
        "tenant": "mercy",
        "patient": "p-7f3a91",
        "accession": "ACC-0001",
        "laboratory": "acme-genomics",
        "status": "final",
        "version": 1,
        "issued": "2026-11-23T10:00:00Z",
        "assembly": "GRCh38",
        "sex": "female",
        "genotypes": [
            ROW,
            {"chrom": "chr10", "pos": 94761900, "ref": "C", "alt": ["T"], "gt": "0|1", "ps": 94761900, "ad": [14, 12]},
            {"chrom": "chr10", "pos": 94780653, "ref": "G", "alt": ["A"], "gt": "./."},
        ],
        "reported": [
            {"gene": "CYP2D6", "diplotype": "*1/*4"},
            {"gene": "HLA-B", "diplotype": "*15:02/*57:01"},
            {"gene": "DPYD", "phenotype": "Intermediate Metabolizer", "activity_score": "1.5"},
        ],
    }
    content |= changes
    return {name: value for name, value in content.items() if value is not ...}


def row(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (ROW | changes).items() if value is not ...}


def with_row(**changes: Any) -> dict[str, Any]:
    """A lab result whose fourth row is the example's with fields changed."""
    return lab_result(genotypes=[ROW, ROW, ROW, row(**changes)])


def as_bytes(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def headers(**changes: str | None) -> list[tuple[str, bytes]]:
    """Headers of a lab result in binary mode, with attributes changed (``ce_id=None`` takes one out)."""
    attributes: dict[str, str | None] = {
        "ce_specversion": "1.0",
        "ce_id": "event-1",
        "ce_source": "/acme",
        "ce_type": "pgx.lab-result.v1",
        "ce_time": "2026-11-23T10:00:00Z",
        "content-type": "application/json",
    }
    attributes |= {name.replace("content_type", "content-type"): value for name, value in changes.items()}
    return [(name, value.encode()) for name, value in attributes.items() if value is not None]


def envelope(content: Any, /, **changes: Any) -> dict[str, Any]:
    """A structured-mode envelope, with attributes changed (``...`` takes one out)."""
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": "event-1",
        "source": "/acme",
        "type": "pgx.lab-result.v1",
        "time": "2026-11-23T10:00:00Z",
        "datacontenttype": "application/json",
        "data": content,
    }
    return {name: value for name, value in (attributes | changes).items() if value is not ...}


def clinical_context(**changes: Any) -> dict[str, Any]:
    """A statement of clinical context with fields changed; the value ``...`` takes a field out."""
    content: dict[str, Any] = {
        "tenant": "mercy",
        "patient": "p-7f3a91",
        "source": "ward-system",
        "statement": "MED-4711",
        "version": 1,
        "status": "active",
        "recorded": "2026-11-24T09:00:00Z",
        "effective": "2026-11-24T08:30:00+01:00",
        "medications": [
            {
                "rxnorm": "32937", "atc": "N06AB05", "name": "paroxetine", "status": "started",
                "since": "2026-11-20T08:00:00Z",
            },
            {
                "rxnorm": "6918", "name": "metoprolol", "status": "stopped",
                "since": "2026-01-20T08:00:00Z", "until": "2026-11-21T08:00:00Z",
            },
        ],
        "sex": "female",
        "birth_year": 1961,
        "ancestry": "white",
        "height_cm": 170,
        "weight_kg": 71.5,
        "smoking": "former",
        "organs": {"liver": "normal", "kidney": "impaired", "transplants": []},
        "indications": ["atrial-fibrillation"],
        "target_inr": 2.5,
    }  # fmt: skip
    content |= changes
    return {name: value for name, value in content.items() if value is not ...}
