"""docs/knowledge-gaps.md lists everything doubtful, and is up to date."""

from pathlib import Path

from knowledge.gaps import TOPICS, document
from knowledge.release import Release

DOCUMENT = Path(__file__).parents[2] / "docs" / "knowledge-gaps.md"


def test_the_document_is_up_to_date(after: Release) -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(after), (
        "run: python -m knowledge.gaps > docs/knowledge-gaps.md"
    )


def test_every_doubt_is_listed(after: Release) -> None:
    text = document(after)
    assert {doubt.topic for doubt in after.doubts} == TOPICS.keys()
    for doubt in after.doubts:
        assert (f"**confidence** {doubt.text}" if doubt.lowers_confidence else doubt.text) in text


def test_every_fact_of_the_curator_is_listed(after: Release) -> None:
    text = document(after)
    for gene in after.genes.values():
        assert all(f"allele {gene.symbol} {a.name}\n" in text for a in gene.definition.alleles if a.curator)
    for rule in after.rules:
        assert not rule.curator or f"- {rule.drug}, {rule.source}, " in text
    for drug in after.drugs.values():
        assert not drug.curator or drug.name in text
    for precipitant in after.phenoconversion.precipitants:
        assert all(name in text for name in precipitant.names)


def test_a_doubt_that_lowers_confidence_says_where(after: Release) -> None:
    """Else every recommendation would be in doubt, and none."""
    for doubt in after.doubts:
        assert not doubt.lowers_confidence or doubt.genes or doubt.drugs
