"""What inhibitors and inducers make of genetic phenotypes, by the release's rules."""

import pytest

from schemas.genotype import GeneCall
from schemas.phenotype import Conversion, EffectivePhenotype, Phenotype
from services.phenotyper.assignment import assign
from services.recommender.context.medications import drug_names
from services.recommender.context.phenoconversion import phenoconversion
from tests.services.recommender.context.statements import medication
from tests.services.recommender.guidance_cases import release
from tests.support.calls import matched, reported


def phenotype(call: GeneCall, *taking: str) -> Phenotype:
    known = release()
    taken = drug_names(known).recognise(map(medication, taking))
    [found] = phenoconversion(known).effective(assign(known, [call]), taken)
    return found


def effective(call: GeneCall, *taking: str) -> EffectivePhenotype:
    found = phenotype(call, *taking).effective
    assert found is not None
    return found


def cyp2d6(diplotype: str) -> GeneCall:
    return reported("CYP2D6", diplotype=diplotype)


def test_a_strong_inhibitor_makes_a_normal_metaboliser_poor_and_the_genes_stay_visible() -> None:
    found = phenotype(cyp2d6("*1/*1"), "paroxetine")
    assert (found.phenotype, found.activity_score, found.lookup_key) == ("Normal Metabolizer", "2.0", "2.0")
    assert found.effective is not None
    assert found.effective.outcome is Conversion.CONVERTED
    assert (found.effective.phenotype, found.effective.activity_score) == ("Poor Metabolizer", "0.0")
    assert found.effective.lookup_key == "0.0"
    [cause] = found.effective.cause
    assert (cause.drug, cause.effect, cause.strength, cause.class_by) == ("paroxetine", "inhibitor", "strong", "FDA")
    assert "cicali-2021" in found.effective.sources
    assert found.effective.reasons == ()


@pytest.mark.parametrize(
    ("diplotype", "drug", "phenotype", "score", "key"),
    [
        ("*1/*1", "duloxetine", "Intermediate Metabolizer", "1.0", "1.0"),
        ("*1/*4", "duloxetine", "Intermediate Metabolizer", "0.5", "0.5"),
        ("*4/*41", "duloxetine", "Intermediate Metabolizer", "0.125", "0.25"),
        ("*1/*41", "duloxetine", "Intermediate Metabolizer", "0.625", "0.5"),
        ("*4/*4", "duloxetine", "Poor Metabolizer", "0.0", "0.0"),
        ("*1/*1", "citalopram", "Normal Metabolizer", "2.0", "2.0"),
        ("*1x2/*1", "bupropion", "Poor Metabolizer", "0.0", "0.0"),
        ("*1/*22", "quinidine", "Poor Metabolizer", "0.0", "0.0"),
    ],
)
def test_the_cyp2d6_score_is_multiplied(diplotype: str, drug: str, phenotype: str, score: str, key: str) -> None:
    found = effective(cyp2d6(diplotype), drug)
    assert (found.phenotype, found.activity_score, found.lookup_key) == (phenotype, score, key)


def test_a_score_without_a_row_is_looked_up_as_its_neighbour_and_says_so() -> None:
    [reason] = effective(cyp2d6("*4/*41"), "duloxetine").reasons
    assert "0.125" in reason


def test_a_score_known_only_from_below_is_not_halved() -> None:
    found = effective(cyp2d6("*1x3/*1"), "duloxetine")
    assert found.outcome is Conversion.NOT_COMPUTED
    assert found.phenotype == "Ultrarapid Metabolizer"
    assert "≥" in found.reasons[0]


def test_a_weak_inhibitor_is_shown_and_changes_nothing() -> None:
    found = effective(cyp2d6("*1/*4"), "citalopram")
    assert found.outcome is Conversion.UNCHANGED
    assert [one.drug for one in found.cause] == ["citalopram"]


def test_of_several_inhibitors_the_strongest_decides_and_all_are_named() -> None:
    found = effective(cyp2d6("*1/*1"), "duloxetine", "paroxetine", "citalopram")
    assert found.activity_score == "0.0"
    assert [one.drug for one in found.cause] == ["paroxetine", "duloxetine", "citalopram"]


@pytest.mark.parametrize(
    ("diplotype", "drug", "phenotype"),
    [
        ("*1/*1", "fluconazole", "Poor Metabolizer"),
        ("*1/*1", "omeprazole", "Normal Metabolizer"),
        ("*17/*17", "felbamate", "Rapid Metabolizer"),
        ("*1/*1", "rifampin", "Rapid Metabolizer"),
        ("*1/*2", "rifampin", "Normal Metabolizer"),
        ("*2/*2", "rifampin", "Poor Metabolizer"),
        ("*17/*17", "rifampin", "Ultrarapid Metabolizer"),
    ],
)
def test_cyp2c19_moves_as_the_steps_of_the_table_say(diplotype: str, drug: str, phenotype: str) -> None:
    assert effective(matched("CYP2C19", diplotype), drug).phenotype == phenotype


def test_a_moved_phenotype_of_a_scored_gene_stands_for_all_its_scores() -> None:
    found = effective(matched("CYP2C9", "*1/*1"), "fluconazole")
    assert (found.phenotype, found.activity_score) == ("Intermediate Metabolizer", None)
    assert found.lookup_key == ("1.0", "1.5")


def test_rules_without_a_guideline_behind_them_are_less_sure() -> None:
    assert any("practice" in reason for reason in effective(matched("CYP2C19", "*1/*1"), "fluconazole").reasons)


def test_an_inhibitor_with_an_inducer_is_reported_and_not_computed() -> None:
    found = effective(matched("CYP2C19", "*1/*1"), "fluconazole", "rifampin")
    assert (found.outcome, found.phenotype) == (Conversion.NOT_COMPUTED, "Normal Metabolizer")
    assert "both an inhibitor and an inducer" in found.reasons[0]
    assert {one.drug for one in found.cause} == {"fluconazole", "rifampin"}


def test_cyp3a_interactions_are_flagged_only() -> None:
    found = effective(matched("CYP3A5", "*1/*3"), "ketoconazole")
    assert (found.outcome, found.phenotype) == (Conversion.NOT_COMPUTED, "Intermediate Metabolizer")


def test_a_phenotype_between_the_steps_is_not_moved() -> None:
    found = effective(matched("CYP2C19", "*1/*9"), "felbamate")
    assert found.outcome is Conversion.NOT_COMPUTED
    assert "Likely Intermediate Metabolizer" in found.reasons[0]


def test_what_only_expert_memory_classes_is_less_sure() -> None:
    assert any("expert memory" in reason for reason in effective(cyp2d6("*1/*1"), "levomepromazine").reasons)
    assert any("uncertain" in reason for reason in effective(cyp2d6("*1/*1"), "perphenazine").reasons)


def test_genes_without_interactions_stay_as_they_are() -> None:
    assert phenotype(matched("TPMT", "*1/*3A"), "paroxetine").effective is None
    assert phenotype(cyp2d6("*1/*1"), "metoprolol").effective is None
