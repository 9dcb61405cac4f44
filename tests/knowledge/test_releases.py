"""Releases: what each is composed of, that they come out of the tables byte for byte, and that damage is noticed."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from knowledge.compiler import compile_release, main
from knowledge.loader import FOLDER, Releases, UnknownRelease
from knowledge.release import DamagedRelease, Release, manifest_bytes, sha256, to_files
from knowledge.sources import Tables
from knowledge.writer import same, write


@pytest.mark.parametrize("release", ["2025.11", "2026.11"])
def test_the_committed_release_comes_out_of_the_tables_byte_for_byte(tables: Tables, release: str) -> None:
    compiled = compile_release(tables, release)
    content = {"manifest.json": manifest_bytes(compiled.manifest), **to_files(compiled)}
    assert same(content, FOLDER / release)


@pytest.mark.parametrize(
    ("release", "rules"),
    [("2025.11", {"CPIC": 838, "DPWG": 298, "FDA": 124}), ("2026.11", {"CPIC": 838, "DPWG": 307, "FDA": 147})],
)
def test_a_release_serves_the_rows_of_its_time(releases: Releases, release: str, rules: dict[str, int]) -> None:
    assert Counter(rule.source for rule in releases.load(release).rules) == rules


def test_most_rows_are_in_both_releases(before: Release, after: Release) -> None:
    assert len({rule.record for rule in before.rules} & {rule.record for rule in after.rules}) == 1142


def test_audit_rows_are_never_served(tables: Tables, before: Release, after: Release) -> None:
    audit = {record.id for record in tables.records if not record.releases}
    assert len(audit) == 85
    assert not audit & {rule.record for release in (before, after) for rule in release.rules}


def test_thrombophilia_genes_came_in_2026(before: Release, after: Release) -> None:
    assert after.genes.keys() - before.genes.keys() == {"F2", "F5"}
    assert len(before.genes) == 23


def test_genes_are_in_the_order_of_their_symbols(after: Release) -> None:
    assert list(after.genes) == sorted(after.genes)


def test_a_release_names_only_the_drugs_and_guidelines_of_its_rows(before: Release, after: Release) -> None:
    for release in (before, after):
        assert release.drugs.keys() == {rule.drug for rule in release.rules}
        assert release.guidelines.keys() == {rule.guideline for rule in release.rules}


def test_research_genes_stay_apart_from_clinical_ones(after: Release) -> None:
    assert len(after.research) == 65
    assert not after.research.keys() & after.genes.keys()


def test_every_fact_names_its_source(before: Release, after: Release) -> None:
    for release in (before, after):
        assert release.manifest.sources
        assert all(gene.definition.source and gene.phenotype.source for gene in release.genes.values())
        assert all(rule.source_ref or rule.curator for rule in release.rules)
        assert all(rule.edition and rule.guideline for rule in release.rules)


def test_the_releases_hash_is_that_of_its_manifest(after: Release) -> None:
    assert after.sha256 == sha256((FOLDER / "2026.11" / "manifest.json").read_bytes())


def test_releases_are_listed_in_the_order_in_which_they_came_into_force(releases: Releases) -> None:
    assert releases.ids() == ("2025.11", "2026.11")
    assert releases.newest() == "2026.11"


def test_a_release_is_read_once(releases: Releases) -> None:
    assert releases.load("2025.11") is releases.load("2025.11")


def test_an_unknown_release_is_refused_with_those_there_are(releases: Releases) -> None:
    with pytest.raises(UnknownRelease, match=r"no knowledge release '2019.01'; there are: 2025.11, 2026.11"):
        releases.load("2019.01")


def test_an_empty_folder_has_no_newest_release(tmp_path: Path) -> None:
    assert Releases(tmp_path).ids() == ()
    with pytest.raises(UnknownRelease):
        Releases(tmp_path).newest()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER / "2026.11", tmp_path / "2026.11")
    return tmp_path / "2026.11"


def test_a_changed_fact_is_noticed(copy: Path) -> None:
    rules = copy / "rules.json"
    rules.write_bytes(rules.read_bytes().replace(b'"avoid"', b'"standard-dosing"', 1))
    with pytest.raises(DamagedRelease, match=r"rules\.json was changed after the release was made"):
        Releases(copy.parent).load("2026.11")


def test_a_missing_file_is_noticed(copy: Path) -> None:
    (copy / "genes" / "DPYD.json").unlink()
    with pytest.raises(DamagedRelease, match=r"genes/DPYD\.json is missing"):
        Releases(copy.parent).load("2026.11")


def test_a_release_of_another_format_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"format": 2}))
    with pytest.raises(DamagedRelease, match="format 2, this software reads format 1"):
        Releases(copy.parent).load("2026.11")


def test_a_folder_of_another_name_is_refused(copy: Path) -> None:
    copy.rename(copy.parent / "2027.02")
    with pytest.raises(DamagedRelease, match=r"is release 2026\.11, in a folder of another name"):
        Releases(copy.parent)


def test_a_release_is_never_overwritten(tables: Tables, copy: Path) -> None:
    compiled = compile_release(tables, "2026.11")
    write(compiled, copy.parent)
    (copy / "drugs.json").write_bytes(b"[]\n")
    with pytest.raises(FileExistsError, match="a release is never changed"):
        write(compiled, copy.parent)
    assert (copy / "drugs.json").read_bytes() == b"[]\n"


def test_the_compiler_command_makes_the_releases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--into", str(tmp_path)]) == 0
    assert Releases(tmp_path).ids() == ("2025.11", "2026.11")
    assert "2026.11: 25 genes, 1292 rules" in capsys.readouterr().out


def test_the_compiler_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["2019.01", "--into", str(tmp_path)]) == 1
    assert "no release 2019.01" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
