"""A curator's way to a new release: one gene and one guideline by data alone, as docs/knowledge.md describes it.

Gene, drug and guideline are invented, so that nobody takes them for facts.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from knowledge.compiler import main
from knowledge.diff import compare
from knowledge.loader import FOLDER, Releases
from knowledge.phenotypes import phenotype
from knowledge.sources import TABLES

GENE = {
    "gene": "NEWG1",
    "chromosome": "chr3",
    "build": "GRCh38",
    "reference_allele": "*1",
    "source": "an invented paper",
    "version": "2027-01",
    "positions": [{"pos": 1000, "rsid": "rs1", "ref": "A", "alts": ["G"]}],
    "alleles": [
        {"name": "*1", "function": "Normal function", "structural": False, "reference": True, "calls": {"0": "A"}},
        {"name": "*2", "function": "No function", "structural": False, "calls": {"0": "G"}},
    ],
}
PHENOTYPES = {
    "gene": "NEWG1",
    "method": "function-pair",
    "lookup": {"type": "phenotype", "key": "phenotype text"},
    "source": "an invented guideline",
    "rules": [
        {"phenotype": "Normal Metabolizer", "pairs": [["Normal function", "Normal function"]]},
        {"phenotype": "Intermediate Metabolizer", "pairs": [["No function", "Normal function"]]},
        {"phenotype": "Poor Metabolizer", "pairs": [["No function", "No function"]]},
    ],
}
DRUG = {"name": "newdrugine", "rxnorm": None, "atc": [], "pairs": [], "top_level": None, "in_scope": True}
GUIDELINE = {
    "id": "NEW-1",
    "source": "CPIC",
    "name": "Invented guideline for newdrugine and NEWG1",
    "drugs": ["newdrugine"],
    "genes": ["NEWG1"],
    "url": "https://example.org/newdrugine",
    "pmids": [],
}
RELEASE = {"release": "2027.02", "in_force": "2027-02", "follows": "2026.11", "description": "An exercise"}


def record(id_: str, phenotypes: list[str], **fields: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "drug": "newdrugine",
        "guideline": "NEW-1",
        "source": "CPIC",
        "edition": "2027",
        "status": "current",
        "releases": ["2027.02"],
        "genes": {"NEWG1": phenotypes},
        "population": "general",
        "strength": "strong",
        "evidence_implication": "an invented implication",
        "source_ref": ["table 1"],
        "template": "hand",
        **fields,
    }


HALF = [{"basis": "starting dose", "factor_low": 0.5, "factor_high": 0.5}]
RECORDS = [
    record("n1", ["Normal Metabolizer"], action=["standard-dosing"]),
    record("n2", ["Intermediate Metabolizer"], action=["decrease-dose"], dose_change=HALF),
]


class Curator:
    """Edits tables and compiles."""

    def __init__(self, folder: Path) -> None:
        self.tables, self.releases = folder / "tables", folder / "releases"
        shutil.copytree(TABLES, self.tables)
        shutil.copytree(FOLDER, self.releases)

    def append(self, file: str, *rows: dict[str, Any]) -> None:
        path = self.tables / file
        path.write_text(json.dumps([*json.loads(path.read_text(encoding="utf-8")), *rows]), encoding="utf-8")

    def add_gene(self) -> None:
        (self.tables / "alleles" / "NEWG1.json").write_text(json.dumps(GENE))
        (self.tables / "phenotypes" / "NEWG1.json").write_text(json.dumps(PHENOTYPES))

    def add_release(self, **fields: Any) -> None:
        path = self.tables / "releases.json"
        composition = json.loads(path.read_text(encoding="utf-8"))
        composition["releases"].append(RELEASE | fields)
        composition["genes_since"]["NEWG1"] = "2027.02"
        path.write_text(json.dumps(composition), encoding="utf-8")

    def supersede(self, record: str) -> None:
        path = self.tables / "recommendations_structured.json"
        rows = json.loads(path.read_text(encoding="utf-8"))
        changed = [row | {"status": "superseded"} if row["id"] == record else row for row in rows]
        path.write_text(json.dumps(changed), encoding="utf-8")

    def compile(self, *arguments: str) -> int:
        return main(["--tables", str(self.tables), "--into", str(self.releases), *arguments])


@pytest.fixture
def curator(tmp_path: Path) -> Curator:
    return Curator(tmp_path)


def test_one_gene_and_one_guideline_by_data_alone(curator: Curator) -> None:
    curator.add_gene()
    curator.add_release()
    curator.append("drugs.json", DRUG)
    curator.append("guidelines.json", GUIDELINE)
    curator.append("recommendations_structured.json", *RECORDS)

    assert curator.compile("2027.02", "--record-unanswered") == 0

    releases = Releases(curator.releases)
    assert releases.newest() == "2027.02"
    release = releases.load("2027.02")
    assert phenotype(release.genes["NEWG1"], ["*1", "*2"])[0] == "Intermediate Metabolizer"
    rules = {rule.genes["NEWG1"]: rule for rule in release.rules if rule.drug == "newdrugine"}
    assert rules["Intermediate Metabolizer",].dose_change[0].factor_low == 0.5
    assert len(release.rules) == 1292 + 2


def test_earlier_releases_stay_as_they_were(curator: Curator) -> None:
    curator.add_gene()
    curator.add_release()
    assert curator.compile("--record-unanswered") == 0
    originals, releases = Releases(), Releases(curator.releases)
    for name in originals.ids():
        assert releases.load(name).sha256 == originals.load(name).sha256


def test_the_curator_is_told_where_the_guideline_is_silent(curator: Curator) -> None:
    curator.add_gene()
    curator.add_release()
    curator.append("drugs.json", DRUG)
    curator.append("guidelines.json", GUIDELINE)
    curator.append("recommendations_structured.json", *RECORDS)
    curator.compile("2027.02", "--record-unanswered")
    table = json.loads((curator.tables / "unanswered.json").read_text(encoding="utf-8"))
    assert table["2027.02"]["CPIC|newdrugine|general|NEWG1"] == ["Poor Metabolizer"]


def test_the_difference_is_what_was_added(curator: Curator) -> None:
    curator.add_gene()
    curator.add_release()
    curator.append("drugs.json", DRUG)
    curator.append("guidelines.json", GUIDELINE)
    curator.append("recommendations_structured.json", *RECORDS)
    curator.compile("2027.02", "--record-unanswered")
    releases = Releases(curator.releases)
    texts = [d.text for d in compare(releases.load("2026.11"), releases.load("2027.02")).differences]
    assert texts == [
        "NEWG1 added (2 alleles at 1 position)",
        "newdrugine, CPIC, NEWG1 Intermediate Metabolizer: new: decrease-dose; 50 % (starting dose) (strong)",
        "newdrugine, CPIC, NEWG1 Normal Metabolizer: new: standard-dosing (strong)",
        "newdrugine (RxNorm unknown) added",
        "NEW-1 Invented guideline for newdrugine and NEWG1 added",
    ]


def test_a_record_is_superseded_by_one_with_the_same_id_of_rule(curator: Curator) -> None:
    old = next(
        r for r in json.loads((TABLES / "recommendations_structured.json").read_text("utf-8")) if r["id"] == "r0001"
    )
    curator.add_gene()
    curator.add_release(withdrawn=["r0001"])
    curator.supersede("r0001")
    curator.append(
        "recommendations_structured.json",
        old | {"id": "n1", "releases": ["2027.02"], "action": ["standard-dosing", "extra-monitoring"]},
    )
    assert curator.compile("2027.02", "--record-unanswered") == 0
    releases = Releases(curator.releases)
    (change,) = [
        d
        for d in compare(releases.load("2026.11"), releases.load("2027.02")).differences
        if d.area.value == "recommendations"
    ]
    assert change.kind.value == "changed"
    assert change.before["id"] == change.after["id"]


def test_a_fact_from_memory_needs_the_mark(curator: Curator, capsys: pytest.CaptureFixture[str]) -> None:
    curator.add_gene()
    curator.add_release()
    curator.append("drugs.json", DRUG)
    curator.append("guidelines.json", GUIDELINE)
    unsourced = [row | {"source_ref": []} for row in RECORDS]
    curator.append("recommendations_structured.json", *unsourced)
    assert curator.compile("2027.02", "--record-unanswered") == 1
    assert "n1: no source; a fact from expert memory must be marked as the curator's" in capsys.readouterr().err
    assert not (curator.releases / "2027.02").exists()


def test_a_fact_with_the_mark_carries_it(curator: Curator) -> None:
    curator.add_gene()
    curator.add_release()
    curator.append("drugs.json", DRUG)
    curator.append("guidelines.json", GUIDELINE)
    marked = [row | {"source_ref": [], "fact_source": "curator"} for row in RECORDS]
    curator.append("recommendations_structured.json", *marked)
    assert curator.compile("2027.02", "--record-unanswered") == 0
    release = Releases(curator.releases).load("2027.02")
    assert all(rule.curator for rule in release.rules if rule.drug == "newdrugine")


def test_a_shared_table_must_not_change_a_release_that_exists(
    curator: Curator, capsys: pytest.CaptureFixture[str]
) -> None:
    path = curator.tables / "doubts.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8"))[1:]), encoding="utf-8")
    assert curator.compile() == 1
    assert "a release is never changed" in capsys.readouterr().err


def test_a_frozen_release_stands_as_it_is(curator: Curator) -> None:
    path = curator.tables / "releases.json"
    composition = json.loads(path.read_text(encoding="utf-8"))
    for row in composition["releases"]:
        row["frozen"] = True
    path.write_text(json.dumps(composition), encoding="utf-8")
    doubts = curator.tables / "doubts.json"
    doubts.write_text(json.dumps(json.loads(doubts.read_text(encoding="utf-8"))[1:]), encoding="utf-8")
    curator.add_gene()
    curator.add_release()
    assert curator.compile("--record-unanswered") == 0
    assert Releases(curator.releases).load("2026.11").sha256 == Releases().load("2026.11").sha256
