"""What laboratories report goes before what diplotypes mean: score before phenotype before diplotype."""

import pytest

from services.phenotyper import reported as texts
from tests.services.phenotyper.conftest import Assign
from tests.support.calls import reported, reported_lines


@pytest.mark.parametrize(
    ("gene", "text", "phenotype"),
    [
        ("CYP2C9", "nm", "Normal Metabolizer"),
        ("CYP2D6", "EM", "Normal Metabolizer"),
        ("CYP2D6", "Extensive metaboliser", "Normal Metabolizer"),
        ("CYP2C19", "likely  intermediate metabolisers", "Likely Intermediate Metabolizer"),
        ("TPMT", "Possible intermediate metaboliser", "Possible Intermediate Metabolizer"),
        ("CYP2C9", "CYP2C9 Normal Metabolizer", "Normal Metabolizer"),
        ("CYP2C19", "Rapid Metaboliser", "Rapid Metabolizer"),
        ("TPMT", "indeterminate (rare variant)", "Indeterminate"),
        ("SLCO1B1", "Decreased Function", "Decreased Function"),
        ("CYP2D6", "   ", None),
        ("CYP2D6", None, None),
    ],
)
def test_spellings_of_a_phenotype_are_one(gene: str, text: str | None, phenotype: str | None) -> None:
    assert texts.phenotype(gene, text) == phenotype


def test_capitals_do_not_matter(phenotypes: Assign) -> None:
    (found,) = phenotypes(reported("RYR1", phenotype="malignant hyperthermia susceptibility"))
    assert found.lookup_key == "Malignant Hyperthermia Susceptibility"


def test_a_phenotype_alone_stands_for_all_its_scores(phenotypes: Assign) -> None:
    (found,) = phenotypes(reported("CYP2D6", phenotype="Intermediate Metabolizer"))
    assert found.lookup_key == ("0.25", "0.5", "0.75", "1.0")
    assert (found.activity_score, found.diplotype, found.alleles) == ("n/a", None, ())


def test_a_phenotype_with_one_score_has_that_score_as_its_key(phenotypes: Assign) -> None:
    (found,) = phenotypes(reported("CYP2C9", phenotype="Normal Metabolizer"))
    assert found.lookup_key == "2.0"


def test_a_score_alone_has_its_phenotype(phenotypes: Assign) -> None:
    (found,) = phenotypes(reported("CYP2D6", score="1.25"))
    assert (found.phenotype, found.lookup_key) == ("Normal Metabolizer", "1.25")


@pytest.mark.parametrize(("written", "score"), [("2", "2.0"), (" 1.50 ", "1.5"), (">=3", "≥3.0"), ("n/a", "n/a")])
def test_scores_are_spelt_as_in_the_tables(phenotypes: Assign, written: str, score: str) -> None:
    (found,) = phenotypes(reported("CYP2D6", score=written))
    assert found.activity_score == score


def test_a_score_that_no_two_alleles_have_is_indeterminate(phenotypes: Assign) -> None:
    (found,) = phenotypes(reported("CYP2D6", score="1.1"))
    assert found.phenotype == "Indeterminate"


@pytest.mark.parametrize(
    ("diplotype", "phenotype", "score", "shown", "key", "codes"),
    [
        ("*2/*10", "im", "1.25", "Intermediate Metabolizer", "1.25", ["reported-phenotype-differs"]),
        ("*1/*1", "PM", "≥4.0", "Poor Metabolizer", "≥4.0", ["reported-phenotype-differs", "reported-score-differs"]),
        ("*1/*1", None, "4.0", "Ultrarapid Metabolizer", "4.0", ["reported-score-differs"]),
        ("*1/*4", "IM", "1.0", "Intermediate Metabolizer", "1.0", []),
    ],
)  # fmt: skip
def test_score_before_phenotype_before_diplotype(
    phenotypes: Assign, diplotype: str, phenotype: str | None, score: str, shown: str, key: str, codes: list[str]
) -> None:
    (found,) = phenotypes(reported("CYP2D6", diplotype, phenotype=phenotype, score=score))
    assert (found.phenotype, found.lookup_key, found.reported) == (shown, key, True)
    assert [warning.code for warning in found.warnings] == codes


def test_in_other_genes_the_score_does_not_matter(phenotypes: Assign) -> None:
    (found,) = phenotypes(reported("CYP2C19", "*1/*2", score="1.0"))
    assert found.lookup_key == "Intermediate Metabolizer"


@pytest.mark.parametrize("gene", ["DPYD", "RYR1"])
def test_lowest_function_genes_are_looked_up_by_what_was_reported(phenotypes: Assign, gene: str) -> None:
    text = {"DPYD": "Poor Metabolizer", "RYR1": "Uncertain Susceptibility"}[gene]
    (found,) = phenotypes(reported(gene, phenotype=text))
    assert found.phenotype == text
    assert found.lookup_key == {"DPYD": ("0.0", "0.5"), "RYR1": text}[gene]


def test_several_lines_are_several_phenotypes(phenotypes: Assign) -> None:
    lines = ["*1x2/*9", "*1x2/*10", "*1x2/*17", "*1x3/*1", "*1/*1", "*4/*10", "*4/*4"]
    found = phenotypes(reported_lines("CYP2D6", *((line, None, None) for line in lines)))
    assert [p.activity_score for p in found] == ["2.25", "2.25", "2.5", "≥4.0", "2.0", "0.25", "0.0"]


def test_a_risk_allele_reported_by_name_has_this_key_alone(phenotypes: Assign) -> None:
    (found,) = phenotypes(reported("HLA-B", phenotype="*57:01 positive"))
    assert (found.lookup_key, found.alleles) == ("*57:01 positive", ())


def test_a_reported_risk_allele_goes_before_the_typing_and_is_flagged(phenotypes: Assign) -> None:
    found = phenotypes(reported("HLA-B", "*07:02/*08:01", phenotype="HLA-B *57:01 positive"))
    assert [p.lookup_key for p in found] == ["*15:02 negative", "*15:11 negative", "*57:01 positive", "*58:01 negative"]
    assert [bool(p.warnings) for p in found] == [False, False, True, False]
