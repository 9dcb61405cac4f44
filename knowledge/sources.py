"""Reads the source tables (``knowledge/tables``) as they were compiled from public sources.

This is the forgiving side's one strict gate: what has not the form of :mod:`knowledge.table_rows` is a ``TableError``
that names table, row and field.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from knowledge.model import Doubt
from knowledge.table_rows import (
    Composition,
    DpwgPairRow,
    DrugRow,
    FindingTable,
    GeneTable,
    GuidelineRow,
    PhenotypeRow,
    RecordRow,
    ResearchTable,
    Row,
    Special,
)

TABLES = Path(__file__).parent / "tables"


class TableError(Exception):
    """A source table does not have the form that the compiler reads."""


T = TypeVar("T", bound=Row)


@dataclass(frozen=True)
class Tables:
    """All source tables, read and of the right form."""

    composition: Composition
    genes: dict[str, GeneTable]
    phenotypes: dict[str, PhenotypeRow]
    special: dict[str, Special]
    research: dict[str, ResearchTable]
    records: tuple[RecordRow, ...]
    drugs: tuple[DrugRow, ...]
    guidelines: tuple[GuidelineRow, ...]
    dpwg_pairs: tuple[DpwgPairRow, ...]
    doubts: tuple[Doubt, ...]
    findings: FindingTable
    unanswered: dict[str, dict[str, tuple[str, ...]]]
    phenoconversion: dict[str, Any]
    warfarin: dict[str, Any]
    loinc: dict[str, Any]


def read(folder: Path = TABLES) -> Tables:
    """Reads every table of the folder. Raises TableError at the first one of the wrong form."""
    return Tables(
        composition=_row(Composition, _json(folder / "releases.json"), "releases.json"),
        genes=_by_gene(GeneTable, folder / "alleles"),
        phenotypes=_by_gene(PhenotypeRow, folder / "phenotypes"),
        special={
            gene: _row(Special, row, f"matching.json {gene}") for gene, row in _json(folder / "matching.json").items()
        },
        research=_by_gene(ResearchTable, folder / "alleles_extra"),
        records=_rows(RecordRow, folder / "recommendations_structured.json"),
        drugs=_rows(DrugRow, folder / "drugs.json"),
        guidelines=_rows(GuidelineRow, folder / "guidelines.json"),
        dpwg_pairs=_rows(DpwgPairRow, folder / "dpwg_pairs.json"),
        doubts=tuple(_parse(Doubt, row, f"doubts.json {n}") for n, row in enumerate(_json(folder / "doubts.json"))),
        findings=_row(FindingTable, _json(folder / "findings.json"), "findings.json"),
        unanswered=_json(folder / "unanswered.json"),
        phenoconversion=_json(folder / "phenoconversion.json"),
        warfarin=_json(folder / "warfarin.json"),
        loinc=_json(folder / "loinc.json"),
    )


def exceptions(folder: Path = TABLES) -> dict[str, dict[str, str]]:
    """Why some lookup keys that their gene's own tables cannot give are right (``releases.json``)."""
    return _row(Composition, _json(folder / "releases.json"), "releases.json").exceptions


def cpic_populations(folder: Path = TABLES) -> dict[str, str]:
    """CPIC's words for populations, and the tables' own."""
    return dict(_json(folder / "cpic_populations.json")["populations"])


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TableError(f"{path.name}: cannot be read: {error}") from error


M = TypeVar("M", bound=BaseModel)


def _parse(model: type[M], data: Any, where: str) -> M:
    try:
        return model.model_validate_json(orjson.dumps(data), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise TableError(f"{where}: {field}: {first['msg']}") from error


def _row(model: type[T], data: Any, where: str) -> T:
    return _parse(model, data, where)


def _rows(model: type[T], path: Path) -> tuple[T, ...]:
    def parsed() -> Iterator[T]:
        for number, row in enumerate(_json(path)):
            name = (row.get("id") or row.get("name")) if isinstance(row, dict) else None
            yield _row(model, row, f"{path.name} {name or number}")

    return tuple(parsed())


def _by_gene(model: type[T], folder: Path) -> dict[str, T]:
    return {path.stem: _row(model, _json(path), path.name) for path in sorted(folder.glob("*.json"))}
