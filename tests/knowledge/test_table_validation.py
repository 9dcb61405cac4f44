"""Deliberate errors in the source tables are found before a release is made of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from knowledge.compiler import compile_release
from knowledge.sources import TABLES, TableError, read
from knowledge.validation import InvalidRelease

Edit = Callable[[Any], Any]
GONE = object()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables")
    shutil.copytree(TABLES, path, dirs_exist_ok=True)
    return path


def errors(folder: Path, file: str, edit: Edit) -> str:
    """What the compiler says of the tables with one file edited."""
    path = folder / file
    original = path.read_bytes()
    path.write_text(json.dumps(edit(json.loads(original))), encoding="utf-8")
    try:
        compile_release(read(folder), "2026.11")
    except (TableError, InvalidRelease) as error:
        return str(error)
    finally:
        path.write_bytes(original)
    return ""


def row(number: int, **fields: Any) -> Edit:
    """The table with other fields in one row; GONE takes a field away."""

    def edit(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
        new = {k: v for k, v in (table[number] | fields).items() if v is not GONE}
        return [*table[:number], new, *table[number + 1 :]]

    return edit


def put(*path: str | int, value: Any) -> Edit:
    """The table with this value at the path."""

    def edit(table: Any) -> Any:
        inner = table
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        return table

    return edit


RECORDS, DRUGS, GUIDELINES = "recommendations_structured.json", "drugs.json", "guidelines.json"

ERRORS: dict[str, tuple[str, Edit, str]] = {
    "an unknown field": (RECORDS, row(0, actoin=["avoid"]), f"{RECORDS} r0001: actoin: Extra inputs are not permitted"),
    "a missing field": (RECORDS, row(0, action=GONE), f"{RECORDS} r0001: action: Field required"),
    "a wrong type": (RECORDS, row(0, population=1), f"{RECORDS} r0001: population: Input should be a valid string"),
    "an unknown source": (RECORDS, row(0, source="CPCI"), f"{RECORDS} r0001: source: Input should be"),
    "a record twice": (RECORDS, row(1, id="r0001"), "identity: record: r0001 stands 2 times"),
    "a release that does not exist": (RECORDS, row(0, releases=["2026.12"]), "names unknown releases: 2026.12"),
    "a superseded record in force": (RECORDS, row(0, status="superseded"), "a superseded record cannot be in"),
    "an audit record in force": (RECORDS, row(0, status="table-only"), "a table-only record cannot be in"),
    "a drug twice": (DRUGS, row(1, name="abacavir"), "drug: abacavir stands 2 times"),
    "a drug with an unknown guideline": (DRUGS, row(0, guidelines={"CPIC": ["PA0"]}), "unknown guideline PA0"),
    "a guideline twice": (GUIDELINES, row(1, id="PA166104997"), "guideline: PA166104997 stands 2 times"),
    "a DPWG pair of no drug": ("dpwg_pairs.json", row(0, drug="abacavier"), "unknown drug or guideline"),
    "a base that is none": (
        "alleles/VKORC1.json",
        put("positions", 0, "ref", value="X"),
        "VKORC1.json: positions.0.ref",
    ),
    "another build": ("alleles/VKORC1.json", put("build", value="GRCh37"), "VKORC1.json: build"),
    "a file of another gene": ("alleles/VKORC1.json", put("gene", value="VKORC2"), "VKORC1: file of gene VKORC2"),
    "an unknown method": ("phenotypes/VKORC1.json", put("method", value="guess"), "VKORC1.json: method"),
    "special rules of no gene": ("matching.json", put("VKORC2", value={"source": "x"}), "VKORC2: a special rule"),
    "a special rule without a source": ("matching.json", put("CFTR", value={}), "matching.json CFTR: source"),
    "an exception that nothing needs": (
        "releases.json",
        put("exceptions", "CYP2D6", value={"x": "y"}),
        "an exception for 'x' that no record needs",
    ),
    "a release that follows none": (
        "releases.json",
        put("releases", 1, "follows", value="y"),
        "follows unknown release y",
    ),
    "a doubt about no gene": ("doubts.json", row(0, genes=["CYP2D66"]), "about unknown CYP2D66"),
    "a doubt about no allele": ("doubts.json", row(0, alleles=["*999"]), "about unknown *999"),
    "a doubt about no drug": ("doubts.json", row(0, drugs=["abacavier"]), "about unknown abacavier"),
    "a doubt twice": ("doubts.json", row(1, id="cyp2d6-unassigned"), "doubt: cyp2d6-unassigned stands 2 times"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_a_deliberate_error_is_found(folder: Path, error: str) -> None:
    file, edit, message = ERRORS[error]
    assert message in errors(folder, file, edit)


def test_the_tables_as_they_are_have_none(folder: Path) -> None:
    assert errors(folder, RECORDS, lambda table: table) == ""


def test_a_record_by_score_must_name_the_phenotypes_of_its_scores(folder: Path) -> None:
    table = json.loads((folder / RECORDS).read_bytes())
    number = next(n for n, r in enumerate(table) if r.get("phenotypes", {}).get("DPYD") == ["Poor Metabolizer"])
    wrong = row(number, phenotypes={"DPYD": ["Normal Metabolizer"]})
    assert "DPYD: the scores mean ['Poor Metabolizer']" in errors(folder, RECORDS, wrong)


def test_a_gene_needs_both_its_tables(folder: Path) -> None:
    path = folder / "phenotypes" / "VKORC1.json"
    content = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(InvalidRelease, match="VKORC1: needs both a table of alleles and one of phenotypes"):
            compile_release(read(folder), "2026.11")
    finally:
        path.write_bytes(content)


def test_a_table_that_is_not_json_is_named(folder: Path) -> None:
    path = folder / "drugs.json"
    content = path.read_bytes()
    path.write_bytes(b"[")
    try:
        with pytest.raises(TableError, match=r"drugs\.json: cannot be read"):
            read(folder)
    finally:
        path.write_bytes(content)
