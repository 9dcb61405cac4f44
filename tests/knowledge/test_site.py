"""A site's own facts over a release that comes with the software."""

from dataclasses import replace

import pytest

from knowledge import site
from knowledge.identity import rule_id
from knowledge.model import Manifest, Rule
from knowledge.release import Release, from_files, manifest_bytes, to_files
from knowledge.validation import InvalidRelease


@pytest.fixture
def manifest(after: Release) -> Manifest:
    return site.manifest(
        after, "mercy-1", "2026-12-01", "Release of the Mercy hospitals", "pharmacy board, minutes of 2026-11-20"
    )


@pytest.fixture
def own(after: Release) -> Rule:
    """The site's own advice where CPIC's table has another."""
    old = next(r for r in after.rules if r.record == "r0002")
    return old.model_copy(update={"actions": ("contraindicated", "use-alternative"), "source_ref": ("minutes",)})


def test_a_sites_rule_takes_the_place_of_the_one_of_its_id(after: Release, manifest: Manifest, own: Rule) -> None:
    release = site.overlay(after, manifest, rules=[own])
    assert [r for r in release.rules if r.id == own.id] == [own]
    assert len(release.rules) == len(after.rules)


def test_it_has_its_own_id_and_hash_and_names_its_base(after: Release, manifest: Manifest, own: Rule) -> None:
    release = site.overlay(after, manifest, rules=[own])
    assert release.id == "mercy-1"
    assert release.sha256 != after.sha256
    assert release.manifest.base_sha256 == after.sha256
    assert "pharmacy board, minutes of 2026-11-20" in release.manifest.sources


def test_it_is_a_release_like_any_other(after: Release, manifest: Manifest, own: Rule) -> None:
    release = site.overlay(after, manifest, rules=[own])
    again = from_files(manifest_bytes(release.manifest), to_files(release))
    assert again == replace(release, genes=again.genes, drugs=again.drugs, guidelines=again.guidelines)
    assert again.sha256 == release.sha256


def test_a_withdrawn_rule_leaves_the_source_silent(after: Release, manifest: Manifest, own: Rule) -> None:
    release = site.overlay(after, manifest, withdrawn=[own.id])
    (silence,) = [s for s in release.unanswered if (s.source, s.drug) == ("CPIC", "abacavir")]
    assert silence.combinations == (("*57:01 positive",),)


def test_a_second_answer_to_the_same_keys_is_refused(after: Release, manifest: Manifest, own: Rule) -> None:
    genes = {"HLA-B": ("*57:01 negative", "*57:01 positive")}
    wider = own.model_copy(
        update={"genes": genes, "id": rule_id(own.source, own.drug, own.population, genes), "record": "x"}
    )
    with pytest.raises(InvalidRelease, match=r"abacavir\|general\|HLA-B: \*57:01 (negative|positive) has 2 rules"):
        site.overlay(after, manifest, rules=[wider])
