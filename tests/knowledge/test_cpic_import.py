"""CPIC's published tables in a site's release: small hand-made files of the API's shape."""

import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.cpic_import import Report, main, site_release
from knowledge.cpic_tables import BadTable, read
from knowledge.loader import Releases
from knowledge.model import Rule
from knowledge.release import Release
from knowledge.validation import InvalidRelease

NOT_IN_FILE = "CPIC rules of the base without a row in the file, kept without a text"
TEXT = "An invented text that stands for the words of the guideline."


def recommendation(**fields: Any) -> dict[str, Any]:
    """A row of the API's ``recommendation`` table."""
    return {
        "id": 1,
        "guidelineid": 100010,
        "drugid": "RxNorm:190521",
        "implications": {"HLA-B": "An invented implication"},
        "drugrecommendation": TEXT,
        "classification": "Strong",
        "phenotypes": {},
        "activityscore": {},
        "allelestatus": {"HLA-B": "*57:01 positive"},
        "lookupkey": {"HLA-B": "*57:01 positive"},
        "population": "general",
        "comments": "n/a",
        "version": 7,
        "dosinginformation": False,
        "alternatedrugavailable": True,
        "otherprescribingguidance": False,
        **fields,
    }


def allele(gene: str, name: str, function: str | None, value: str | None = None) -> dict[str, Any]:
    """A row of the API's ``allele`` table."""
    return {
        "id": 1,
        "version": 1,
        "genesymbol": gene,
        "name": name,
        "functionalstatus": None,
        "clinicalfunctionalstatus": function,
        "clinicalfunctionalsubstrate": None,
        "activityvalue": value,
        "definitionid": 1,
        "citations": [],
        "strength": None,
    }


def diplotype(gene: str, name: str, result: str, score: str = "n/a") -> dict[str, Any]:
    """A row of the API's ``diplotype`` view."""
    return {
        "genesymbol": gene,
        "diplotype": name,
        "generesult": result,
        "ehrpriority": "none",
        "totalactivityscore": score,
        "lookupkey": {gene: result},
        "consultationtext": None,
    }


def imported(
    base: Release, *recommendations: dict[str, Any], alleles: Any = (), diplotypes: Any = ()
) -> tuple[Release, Report]:
    tables = read(*(json.dumps(list(rows)).encode() for rows in (recommendations, alleles, diplotypes)))
    return site_release(base, "mercy-2026.12", "2026-12-01", *tables)


def rule(release: Release, drug: str, **keys: str) -> Rule:
    wanted = {gene.replace("_", "-"): key for gene, key in keys.items()}
    return next(
        r
        for r in release.rules
        if (r.drug, r.source) == (drug, "CPIC") and all(key in r.genes.get(gene, ()) for gene, key in wanted.items())
    )


def test_the_text_comes_to_the_rule_that_answers_its_keys(after: Release) -> None:
    release, _ = imported(after, recommendation())
    answered = rule(release, "abacavir", HLA_B="*57:01 positive")
    assert answered.verbatim == TEXT
    assert "cpic-api:recommendation/1" in answered.source_ref
    assert rule(release, "abacavir", HLA_B="*57:01 negative").verbatim is None


def test_the_advice_stays_as_it_was(after: Release) -> None:
    release, _ = imported(after, recommendation())
    old, new = rule(after, "abacavir", HLA_B="*57:01 positive"), rule(release, "abacavir", HLA_B="*57:01 positive")
    assert new.model_copy(update={"verbatim": None, "source_ref": old.source_ref}) == old


def test_comments_belong_to_the_text(after: Release) -> None:
    release, _ = imported(after, recommendation(comments="An invented comment."))
    assert rule(release, "abacavir", HLA_B="*57:01 positive").verbatim == f"{TEXT}\nAn invented comment."


def test_texts_of_one_rule_that_differ_say_for_which_keys(after: Release) -> None:
    rows = [
        recommendation(
            id=n,
            drugid="RxNorm:32968",
            population="NVI",
            lookupkey={"CYP2C19": key},
            drugrecommendation=text,
            classification="Moderate",
        )
        for n, key, text in ((1, "Poor Metabolizer", "One text."), (2, "Likely Poor Metabolizer", "Other text."))
    ]
    release, _ = imported(after, *rows)
    answered = next(r for r in release.rules if r.drug == "clopidogrel" and r.verbatim)
    assert answered.population == "neurovascular"
    assert answered.verbatim == "CYP2C19 Poor Metabolizer: One text.\n\nCYP2C19 Likely Poor Metabolizer: Other text."


def test_two_genes_are_looked_up_together(after: Release) -> None:
    row = recommendation(
        drugid="RxNorm:704", lookupkey={"CYP2D6": "1.0", "CYP2C19": "Poor Metabolizer"}, classification="Moderate"
    )
    release, report = imported(after, row)
    assert rule(release, "amitriptyline", CYP2D6="1.0", CYP2C19="Poor Metabolizer").verbatim == TEXT
    assert "rules added, for review" not in report.topics


def test_a_strength_that_changed_is_taken_and_reported(after: Release) -> None:
    release, report = imported(after, recommendation(classification="Moderate"))
    assert rule(release, "abacavir", HLA_B="*57:01 positive").strength == "moderate"
    assert report.topics["strengths that differ"] == ["abacavir, HLA-B *57:01 positive: strong -> moderate"]


NEW_DRUG = {
    "drugid": "RxNorm:999999",
    "drug": {"name": "Newdrugine"},
    "guideline": {"name": "CPIC Guideline for newdrugine", "url": "https://example.org/newdrugine"},
    "lookupkey": {"CYP2C19": "Poor Metabolizer"},
}


def test_a_row_that_the_base_does_not_have_waits_for_review(after: Release) -> None:
    release, report = imported(after, recommendation(**NEW_DRUG))
    added = rule(release, "newdrugine", CYP2C19="Poor Metabolizer")
    assert added.actions == ("clinical-judgement",)
    assert added.curator
    assert (added.verbatim, added.strength) == (TEXT, "strong")
    assert release.drugs["newdrugine"].rxnorm == "999999"
    assert release.guidelines[added.guideline].name == "CPIC Guideline for newdrugine"
    assert report.topics["rules added, for review"] == ["newdrugine, CYP2C19 Poor Metabolizer"]


def test_where_cpic_is_then_silent_is_worked_out(after: Release) -> None:
    release, _ = imported(after, recommendation(**NEW_DRUG))
    (silence,) = [s for s in release.unanswered if s.drug == "newdrugine"]
    assert ("Normal Metabolizer",) in silence.combinations


@pytest.mark.parametrize(
    ("fields", "topic"),
    [
        ({"lookupkey": None}, "rows without keys or text, left out"),
        ({"lookupkey": {"HLA-B": None}}, "rows without keys or text, left out"),
        ({"drugrecommendation": None}, "rows without keys or text, left out"),
        ({"drugid": "RxNorm:999999"}, "rows of drugs that the base does not have and the file does not name, left out"),
        ({"lookupkey": {"HLA-B": "*99:99 positive"}}, "rows whose keys no patient can have, left out"),
        ({"lookupkey": {"NEWG1": "Poor Metabolizer"}}, "rows whose keys no patient can have, left out"),
        (
            NEW_DRUG | {"guideline": None},
            "rows of guidelines that the base does not have and the file does not name, left out",
        ),
    ],
)
def test_what_cannot_be_used_is_named(after: Release, fields: dict[str, Any], topic: str) -> None:
    release, report = imported(after, recommendation(**fields))
    assert len(report.topics[topic]) == 1
    assert len(release.rules) == len(after.rules)


def test_our_wording_is_compared_with_cpics(after: Release) -> None:
    noted = next(r for r in after.rules if r.source == "CPIC" and any(len(n.split()) >= 7 for n in r.notes))
    note = next(n for n in noted.notes if len(n.split()) >= 7)
    row = recommendation(
        drugid=f"RxNorm:{after.drugs[noted.drug].rxnorm}",
        lookupkey={gene: keys[0] for gene, keys in noted.genes.items()},
        drugrecommendation=f"CPIC says: {note}",
        population={"general": "general", "children": "pediatrics"}.get(noted.population, noted.population),
    )
    _, report = imported(after, row)
    assert report.topics["words of the base that are CPIC's own"]


def test_functions_and_values_of_cpic_take_their_place(after: Release) -> None:
    release, report = imported(after, alleles=[allele("CYP2D6", "*9", "Decreased function", "0.5")])
    changed = next(a for a in release.genes["CYP2D6"].definition.alleles if a.name == "*9")
    assert changed.activity_value == "0.5"
    assert changed.calls
    assert report.topics["functions changed"] == ["CYP2D6 *9: Decreased function 0.25 -> Decreased function 0.5"]


def test_the_same_function_is_no_change(after: Release) -> None:
    rows = [
        allele("CYP2D6", "*9", "Decreased function", "0.25"),
        allele("CYP2C19", "*2", "No function", "n/a"),
        allele("CYP2C19", "*3", None),
        allele("RYR1", "c.487C>T", "Malignant Hyperthermia associated"),
    ]
    release, report = imported(after, alleles=rows)
    assert release.genes == after.genes
    assert report.topics.keys() == {NOT_IN_FILE}


def test_an_allele_without_a_definition_can_be_reported(after: Release) -> None:
    release, report = imported(after, alleles=[allele("CYP2C19", "*42", "No function")])
    added = next(a for a in release.genes["CYP2C19"].definition.alleles if a.name == "*42")
    assert (added.function, added.calls) == ("No function", {})
    assert report.topics["alleles added, to be reported only"] == ["CYP2C19 *42: No function"]


def test_a_function_that_the_rules_do_not_know_stops_the_import(after: Release) -> None:
    with pytest.raises(InvalidRelease, match="has 0 phenotypes"):
        imported(after, alleles=[allele("CYP2C19", "*2", "Rather little function")])


def test_diplotypes_that_follow_from_the_rules_are_accepted(after: Release) -> None:
    rows = [
        diplotype("CYP2C19", "*1/*2", "Intermediate Metabolizer"),
        diplotype("CYP2D6", "*4/*1x≥3", "Ultrarapid Metabolizer", "≥3.0"),
        diplotype("G6PD", "B (reference)", "Normal"),
    ]
    _, report = imported(after, diplotypes=rows)
    assert report.topics.keys() == {NOT_IN_FILE}


def test_a_diplotype_that_contradicts_the_rules_stops_the_import(after: Release) -> None:
    rows = [
        diplotype("CYP2C19", "*1/*2", "Normal Metabolizer"),
        diplotype("CYP2D6", "*1/*1", "Normal Metabolizer", "1.0"),
    ]
    with pytest.raises(InvalidRelease) as raised:
        imported(after, diplotypes=rows)
    assert [str(finding) for finding in raised.value.findings] == [
        "diplotype: CYP2C19 *1/*2: CPIC has Normal Metabolizer, the rules give Intermediate Metabolizer",
        "diplotype: CYP2D6 *1/*1: CPIC has Normal Metabolizer 1.0, the rules give Normal Metabolizer 2.0",
    ]


def test_diplotypes_of_unknown_alleles_are_counted(after: Release) -> None:
    _, report = imported(after, diplotypes=[diplotype("CYP2C19", "*1/*42", "Intermediate Metabolizer")])
    assert report.topics["diplotypes with unknown alleles, not checked"] == ["CYP2C19 *1/*42"]


def test_a_file_of_another_shape_is_refused() -> None:
    with pytest.raises(BadTable, match=r"recommendation: 0\.drugid: Field required"):
        read(b'[{"id":1}]')
    with pytest.raises(BadTable, match="recommendation: file: "):
        read(b"<html>")


def write(folder: Path, **tables: list[dict[str, Any]]) -> list[str]:
    """The tables as files, as options of the command."""
    options = []
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
        options += [f"--{name}", str(folder / f"{name}.json")]
    return options


def command(folder: Path, options: list[str], release: str = "mercy-2026.12") -> int:
    into = ["--into", str(folder / "releases")]
    return main(["--base", "2026.11", "--release", release, "--in-force", "2026-12-01", *options, *into])


def test_the_command_makes_a_release_that_services_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = write(
        tmp_path,
        recommendation=[recommendation()],
        allele=[allele("CYP2C19", "*42", "No function")],
        diplotype=[diplotype("CYP2C19", "*1/*42", "Intermediate Metabolizer")],
    )
    assert command(tmp_path, options) == 0
    assert "CYP2C19 *42: No function" in capsys.readouterr().out
    releases = Releases(None, tmp_path / "releases")
    assert releases.newest() == "mercy-2026.12"
    site = releases.load("mercy-2026.12")
    base = releases.load("2026.11")
    assert (site.manifest.base, site.manifest.base_sha256) == ("2026.11", base.sha256)
    assert site.sha256 != base.sha256
    assert rule(site, "abacavir", HLA_B="*57:01 positive").verbatim == TEXT


def test_the_same_files_give_the_same_release(tmp_path: Path) -> None:
    hashes = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        assert command(folder, write(folder, recommendation=[recommendation()])) == 0
        hashes.add(Releases(folder / "releases").load("mercy-2026.12").sha256)
    assert len(hashes) == 1


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = write(tmp_path, recommendation=[{"id": 1}])
    assert command(tmp_path, options) == 1
    assert "drugid: Field required" in capsys.readouterr().err
    assert not (tmp_path / "releases").exists()


def test_a_release_cannot_take_its_bases_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = write(tmp_path, recommendation=[recommendation()])
    assert command(tmp_path, options, release="2026.11") == 1
    assert command(tmp_path, options, release="../2026.11") == 1
    assert "cannot be the id of a release made from 2026.11" in capsys.readouterr().err


def test_shipped_releases_hold_no_text_of_a_guideline(before: Release, after: Release) -> None:
    assert not [r.id for release in (before, after) for r in release.rules if r.verbatim]
