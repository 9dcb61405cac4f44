"""What a release holds, for people and programs."""

import json

import pytest

from knowledge.describe import overview, show
from knowledge.identity import rule_id
from knowledge.loader import Releases
from knowledge.release import Release


def test_the_releases_are_listed_with_what_they_are(releases: Releases) -> None:
    rows = overview(releases)
    assert [row.name for row in rows] == ["2025.11", "2026.11"]
    assert "(newest)" in rows[1].lines[0]
    assert rows[0].data["in_force"] == "2025-11"


def test_a_release_says_its_hash_sources_and_licences(after: Release) -> None:
    shown = show(after)
    assert shown is not None
    assert shown.data["sha256"] == after.sha256
    assert shown.data["counts"]["rules"] == {"CPIC": 838, "DPWG": 307, "FDA": 147}
    text = "\n".join(shown.lines)
    assert after.sha256 in text
    assert "CC BY-SA 4.0" in text
    assert "25 genes: ABCG2, CACNA1S" in text


@pytest.mark.parametrize(
    ("what", "kind", "expected"),
    [
        ("CYP2C19", "gene", "*17: Increased function"),
        ("CYP2D6", "gene", "*1x≥3: Increased function, activity value ≥3.0 [reported only]"),
        ("CYP2D6", "gene", "*57: no function assigned [curator]"),
        ("CYP1A2", "research gene", "research only, never in clinical results"),
        ("Clopidogrel", "drug", "RxNorm 32968"),
        ("gefitinib", "drug", "DPWG (general) is silent on 1 combination of CYP2D6"),
        ("PA166104997", "guideline", "PMID 24561393"),
        ("r0002", "rule", "note: hypersensitivity risk: do not start"),
        ("CPIC:abacavir:HLA-B:1429d83fc6", "rule", "HLA-B *57:01 positive: avoid, use-alternative (strong)"),
    ],
)  # fmt: skip
def test_parts_are_found_by_name_or_id(after: Release, what: str, kind: str, expected: str) -> None:
    shown = show(after, what)
    assert shown is not None
    assert shown.kind == kind
    assert any(expected in line for line in shown.lines), shown.lines
    json.dumps(shown.data)


def test_what_is_not_there_is_not_shown(after: Release) -> None:
    assert show(after, "CYP9Z9") is None


def test_a_gene_shows_its_doubts(after: Release) -> None:
    shown = show(after, "RYR1")
    assert shown is not None
    assert any(line.startswith("  doubt: RYR1 functions were inferred") for line in shown.lines)


@pytest.mark.parametrize(
    ("source", "drug", "keys"),
    [
        ("CPIC", "codeine", {"CYP2D6": "3.0"}),
        ("DPWG", "gefitinib", {"CYP2D6": "1.0"}),
        ("FDA", "azathioprine", {"NUDT15": "Normal Metabolizer", "TPMT": "Poor Metabolizer"}),
        ("FDA", "sevoflurane", {"CACNA1S": "No Result", "RYR1": "Malignant Hyperthermia Susceptibility"}),
    ],
)
def test_the_rule_of_a_recommendation_shows_the_row_behind_it(
    after: Release, source: str, drug: str, keys: dict[str, str]
) -> None:
    found = show(after, rule_id(source, drug, "general", {gene: (key,) for gene, key in keys.items()}))
    assert found is not None
    assert (found.kind, found.data["drug"], found.data["source"]) == ("rule", drug, source)
