"""Starting doses by the published equations, with the guideline's flow around them."""

from typing import Any

import pytest

from schemas.clinical_context import Ancestry, Indication, Smoking
from schemas.genotype import GeneCall
from schemas.recommendation import DoseBasis, DoseEstimate
from services.phenotyper.assignment import assign
from services.recommender.context.medications import drug_names
from services.recommender.dosing.flow import dose_flow
from tests.services.recommender.context.statements import context
from tests.services.recommender.guidance_cases import release
from tests.support.calls import matched, reported

GG = "rs9923231 reference (C)/rs9923231 reference (C)"
AG = "rs9923231 reference (C)/rs9923231 variant (T)"
AA = "rs9923231 variant (T)/rs9923231 variant (T)"
ADULT: dict[str, Any] = {"birth_year": 1961, "height_cm": 170.0, "weight_kg": 80.0, "ancestry": Ancestry.WHITE}


def estimate(*calls: GeneCall, taking: tuple[str, ...] = (), **facts: Any) -> DoseEstimate:
    known = release()
    about = context(*taking, **{name: value for name, value in (ADULT | facts).items() if value is not None})
    return dose_flow(known).estimate(about, drug_names(known).recognise(about.medications), calls, assign(known, calls))


def genes(cyp2c9: str = "*1/*1", vkorc1: str = GG) -> tuple[GeneCall, ...]:
    return (matched("CYP2C9", cyp2c9), matched("VKORC1", vkorc1))


def weekly(found: DoseEstimate, equation: str) -> float:
    return next(one.weekly_mg for one in found.equations if one.equation == equation)


def test_the_tables_worked_example_of_the_iwpc_equation() -> None:
    """60-69 years, 170 cm, 80 kg, VKORC1 A/G, CYP2C9 *1/*3, White: 22.43 mg per week."""
    found = estimate(*genes("*1/*3", AG))
    assert (found.basis, found.weekly_mg, found.daily_mg) == (DoseBasis.PHARMACOGENETIC, 22.4, 3.2)
    assert weekly(found, "iwpc-pharmacogenetic") == 22.4


def test_the_tables_worked_examples_of_the_gage_equations() -> None:
    """65 years, BSA 1.94, one A allele, one *3, INR 2.5, White: 3.04 mg per day; clinically 4.44."""
    found = estimate(*genes("*1/*3", AG), height_cm=174.0, weight_kg=79.5)
    daily = {one.equation: one.daily_mg for one in found.equations}
    assert daily["gage-2008"] == pytest.approx(3.04, abs=0.051)
    assert daily["gage-2008-clinical"] == pytest.approx(4.44, abs=0.051)


def test_the_independent_programs_cases() -> None:
    """65 years, 170 cm, 70 kg, G/G, *1/*1: 41.1 (IWPC); 60 years, 175 cm, 70 kg, INR 2.5: 43.8 mg per week (Gage)."""
    assert weekly(estimate(*genes(), weight_kg=70.0), "iwpc-pharmacogenetic") == 41.1
    assert weekly(estimate(*genes(), birth_year=1966, height_cm=175.0, weight_kg=70.0), "gage-2008") == 43.8


def test_without_a_genotype_the_dose_is_clinical_and_says_what_would_make_it_better() -> None:
    found = estimate()
    assert found.basis is DoseBasis.CLINICAL
    assert {one.basis for one in found.equations} == {DoseBasis.CLINICAL}
    assert found.missing == ("CYP2C9", "VKORC1")
    assert [step.step for step in found.steps] == [1]


def test_one_gene_is_not_enough() -> None:
    found = estimate(matched("CYP2C9", "*1/*3"))
    assert (found.basis, found.missing) == (DoseBasis.CLINICAL, ("VKORC1",))


def test_the_plausible_range_is_the_equations_typical_error_both_ways() -> None:
    found = estimate(*genes("*1/*3", AG))
    assert (found.weekly_low_mg, found.weekly_high_mg) == (13.9, 30.9)


@pytest.mark.parametrize("missing", ["height_cm", "weight_kg"])
def test_without_height_or_weight_no_equation_gives_a_dose(missing: str) -> None:
    facts: dict[str, Any] = {missing: None}
    found = estimate(*genes(), **facts)
    assert (found.basis, found.weekly_mg, found.missing) == (DoseBasis.NONE, None, (missing,))
    assert missing in (found.refused or "")


def test_without_a_year_of_birth_there_is_no_dose() -> None:
    assert "year of birth" in (estimate(*genes(), birth_year=None).refused or "")


@pytest.mark.parametrize("born", [2026, 2016, 2009, 2008])
def test_children_and_those_who_may_still_be_are_refused(born: int) -> None:
    found = estimate(*genes(), birth_year=born)
    assert found.weekly_mg is None
    assert "adults" in (found.refused or "")
    assert estimate(*genes(), birth_year=2007).weekly_mg is not None


def test_interacting_drugs_change_the_dose_by_the_equations_own_terms() -> None:
    usual = weekly(estimate(*genes()), "iwpc-pharmacogenetic")
    assert weekly(estimate(*genes(), taking=("amiodarone",)), "iwpc-pharmacogenetic") < usual
    for inducer in ("carbamazepine", "phenytoin", "rifampicin"):
        assert weekly(estimate(*genes(), taking=(inducer,)), "iwpc-pharmacogenetic") > usual


def test_an_interaction_that_no_equation_knows_is_named() -> None:
    assert estimate(*genes(), taking=("fluconazole",)).not_considered == ("fluconazole: moderate CYP2C9 inhibitor",)
    assert estimate(*genes(), taking=("amiodarone",)).not_considered == ()


def test_smoking_and_the_reason_for_treatment_count_where_the_equation_asks() -> None:
    usual = weekly(estimate(*genes()), "gage-2008")
    assert weekly(estimate(*genes(), smoking=Smoking.CURRENT), "gage-2008") > usual
    assert weekly(estimate(*genes(), indications=(Indication.DVT_OR_PE,)), "gage-2008") > usual


def test_what_is_assumed_is_said() -> None:
    said = estimate(*genes()).assumptions
    assert "target INR 2.5" in said
    assert "not a smoker" in said
    assert "target INR 2.5" not in estimate(*genes(), target_inr=2.5).assumptions


def test_a_treatment_target_that_an_equation_was_not_made_for_leaves_the_other() -> None:
    found = estimate(*genes(), target_inr=3.5)
    assert {one.equation for one in found.equations} == {"gage-2008", "gage-2008-clinical"}


@pytest.mark.parametrize(("cyp2c9", "factors"), [("*1/*8", (0.7, 0.85)), ("*5/*8", (0.6, 0.8)), ("*8/*8", (0.6, 0.8))])
def test_alleles_that_no_equation_knows_lower_the_calculated_dose(cyp2c9: str, factors: tuple[float, float]) -> None:
    found, usual = estimate(*genes(cyp2c9)), estimate(*genes())
    [step] = [step for step in found.steps if step.step == 4]
    assert (step.factor_low, step.factor_high, step.strength) == (*factors, "optional")
    assert found.weekly_mg == pytest.approx((usual.weekly_mg or 0) * sum(factors) / 2, abs=0.1)


def test_an_allele_without_a_known_effect_keeps_the_equation_from_being_used() -> None:
    found = estimate(*genes("*1/*7"))
    assert found.basis is DoseBasis.CLINICAL
    assert weekly(estimate(*genes("*1/*9")), "iwpc-pharmacogenetic") == weekly(
        estimate(*genes()), "iwpc-pharmacogenetic"
    )


def test_african_ancestry_without_the_alleles_that_matter_there_is_dosed_clinically() -> None:
    untested = (matched("CYP2C9", "*1/*1").model_copy(update={"uncallable_haplotypes": ("*5", "*8")}), genes()[1])
    for ancestry in (Ancestry.AFRICAN, Ancestry.AFRICAN_AMERICAN):
        found = estimate(*untested, ancestry=ancestry)
        assert (found.basis, [step.step for step in found.steps]) == (DoseBasis.CLINICAL, [2])
        assert "CYP2C9 *5, *6, *8, *11" in found.missing
        assert estimate(*genes(), ancestry=ancestry).basis is DoseBasis.PHARMACOGENETIC
    assert estimate(*untested).basis is DoseBasis.PHARMACOGENETIC


def test_a_laboratorys_own_call_does_not_say_which_alleles_it_looked_for() -> None:
    call = reported("CYP2C9", diplotype="*1/*1")
    assert estimate(call, genes()[1], ancestry=Ancestry.AFRICAN).basis is DoseBasis.CLINICAL


def test_rs12777823_counts_for_african_americans_only() -> None:
    call = matched("CYP2C9", "*1/*1").model_copy(update={"observed_variants": {"rs12777823": "G/A"}})
    steps = {
        ancestry: [step.step for step in estimate(call, genes()[1], ancestry=ancestry).steps]
        for ancestry in (Ancestry.AFRICAN_AMERICAN, Ancestry.AFRICAN, Ancestry.WHITE)
    }
    assert steps == {Ancestry.AFRICAN_AMERICAN: [3, 5], Ancestry.AFRICAN: [3], Ancestry.WHITE: [3]}


def test_cyp4f2_raises_the_dose_but_not_in_african_ancestry() -> None:
    calls = (*genes(), matched("CYP4F2", "*1/*3"))
    [step] = [step for step in estimate(*calls).steps if step.step == 6]
    assert (step.factor_low, step.factor_high, step.strength) == (1.05, 1.1, "optional")
    assert 6 not in [step.step for step in estimate(*calls, ancestry=Ancestry.AFRICAN).steps]


def test_a_poor_metaboliser_is_told_of_other_drugs() -> None:
    assert 7 in [step.step for step in estimate(*genes("*3/*3", AA)).steps]
    assert 7 not in [step.step for step in estimate(*genes("*1/*3", AA)).steps]


def test_unknown_ancestry_is_missing_and_less_sure() -> None:
    found = estimate(*genes(), ancestry=None)
    assert "ancestry" in found.missing
    assert any("ancestry is not known" in reason for reason in found.confidence_reasons)


def test_an_ambiguous_call_is_no_genotype() -> None:
    both = (*matched("CYP2C9", "*1/*2").diplotypes, *matched("CYP2C9", "*1/*3").diplotypes)
    call = matched("CYP2C9", "*1/*2").model_copy(update={"diplotypes": both})
    assert estimate(call, genes()[1]).basis is DoseBasis.CLINICAL
