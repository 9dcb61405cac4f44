"""Runs ``pgx`` as scripts do."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

PGX = [sys.executable, "-m", "cli.main"]


def surroundings(**settings: str) -> dict[str, str]:
    """The environment of a command: ours without settings, and these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PGX_")}
    return clean | {f"PGX_{name.upper()}": value for name, value in settings.items()}


def pgx(
    *arguments: str, standard_input: bytes = b"", settings: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run a command to its end."""
    return subprocess.run(
        [*PGX, *arguments], input=standard_input, capture_output=True, timeout=100, env=surroundings(**(settings or {}))
    )


def lab_result(**fields: Any) -> dict[str, Any]:
    """A small valid lab result; ``fields`` replace what they name."""
    return {
        "tenant": "mercy", "patient": "p-1", "accession": "A-1", "laboratory": "lab", "status": "final", "version": 1,
        "issued": "2026-11-23T10:00:00Z", "assembly": "GRCh38",
        "reported": [{"gene": "CYP2C19", "diplotype": "*2/*2"}],
        **fields,
    }  # fmt: skip
