"""What a patient is advised, as a pharmacist would check it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.phenotype import ResultNote
from services.phenotyper.assignment import assign
from services.recommender.guidance import Guidance, recommend
from services.recommender.priority import ACTIONS
from tests.services.recommender.guidance_cases import IDS, advise, only, release
from tests.support.calls import matched, no_call, reported, reported_lines, unphased


def test_a_poor_metabolizer_is_advised_against_clopidogrel_by_each_source() -> None:
    advice = advise(matched("CYP2C19", "*2/*2"))
    cpic = only(advice, "clopidogrel", "CPIC", "cardiovascular, ACS or PCI")
    assert (cpic.genes, cpic.strength, cpic.priority) == ({"CYP2C19": "Poor Metabolizer"}, "strong", 1)
    assert (cpic.rxnorm, cpic.atc) == ("32968", ("B01AC04",))
    assert {"prasugrel", "ticagrelor"} <= set(cpic.alternatives)
    assert cpic.citation.pmid
    assert {r.population for r in advice if (r.drug, r.source) == ("clopidogrel", "CPIC")} == {
        "cardiovascular, ACS or PCI", "cardiovascular, no ACS or PCI", "neurovascular",
    }  # fmt: skip
    assert only(advice, "clopidogrel", "DPWG").priority == 1
    assert only(advice, "clopidogrel", "FDA").genes == {"CYP2C19": "Poor Metabolizer"}


def test_score_genes_are_keyed_by_score_in_two_sources_and_by_phenotype_in_the_third() -> None:
    advice = advise(reported("CYP2D6", "*4/*4"))
    assert only(advice, "atomoxetine", "CPIC", "adults").genes == {"CYP2D6": "0.0"}
    assert only(advice, "atomoxetine", "DPWG").genes == {"CYP2D6": "0.0"}
    assert only(advice, "atomoxetine", "FDA").genes == {"CYP2D6": "Poor Metabolizer"}


def test_the_third_source_follows_the_score_where_the_reported_phenotype_says_otherwise() -> None:
    advice = advise(reported("CYP2D6", phenotype="Normal Metabolizer", score="0.0"))
    assert only(advice, "atomoxetine", "FDA").genes == {"CYP2D6": "Poor Metabolizer"}


def test_no_score_means_that_tables_by_phenotype_say_nothing() -> None:
    advice = advise(reported("CYP2D6", "*1/*XXX"))
    assert only(advice, "codeine", "CPIC").genes == {"CYP2D6": "n/a"}
    assert not [r for r in advice if r.source == "FDA"]


@pytest.mark.parametrize("call", [matched, reported])
@pytest.mark.parametrize("diplotype", ["*1/*2", "*2/*1"])
def test_a_row_for_the_genotype_goes_before_the_row_by_score(call: object, diplotype: str) -> None:
    advice = advise(call("CYP2C9", diplotype))  # type: ignore[operator]
    siponimod = only(advice, "siponimod", "DPWG")
    assert (siponimod.genes, siponimod.actions) == ({"CYP2C9": "*1/*2"}, ("no-action-needed",))


def test_without_a_row_of_its_own_a_genotype_has_the_row_by_score() -> None:
    advice = advise(matched("CYP2C9", "*1/*5"))
    assert only(advice, "siponimod", "DPWG").genes == {"CYP2C9": "1.5"}


def test_a_partner_gene_without_a_result_has_the_row_for_that() -> None:
    advice = advise(matched("CYP2C19", "*2/*2"), no_call("CYP2D6", source="reported"))
    amitriptyline = only(advice, "amitriptyline", "CPIC")
    assert amitriptyline.genes == {"CYP2C19": "Poor Metabolizer", "CYP2D6": "No Result"}


def test_a_partner_gene_with_an_unassigned_phenotype_has_no_row() -> None:
    advice = advise(matched("CYP2C19", "*1/*41"), reported("CYP2D6", "*1/*4"))
    assert not [r for r in advice if r.drug == "amitriptyline" and r.source == "CPIC"]


def test_a_risk_allele_known_by_name_alone_says_nothing_about_others() -> None:
    advice = advise(reported("HLA-B", phenotype="*57:01 positive"), matched("CYP2C9", "*1/*2"))
    assert only(advice, "abacavir", "CPIC").priority == 1
    assert not [r for r in advice if r.drug in ("allopurinol", "phenytoin") and r.source == "CPIC"]


def test_two_risk_alleles_meet_the_row_of_each_and_of_both() -> None:
    advice = advise(reported("HLA-B", "*15:02/*15:11"))
    rows = {r.genes["HLA-B"] for r in advice if (r.drug, r.source) == ("carbamazepine", "DPWG")}
    assert rows == {"*15:02 positive", "*15:11 positive", "1511 and 1502"}


def test_one_gene_is_enough_where_the_source_says_so() -> None:
    advice = advise(matched("TPMT", "*3A/*3A"), matched("NUDT15", "*1/*1"))
    assert only(advice, "azathioprine", "FDA").genes == {"NUDT15": "Normal Metabolizer", "TPMT": "Poor Metabolizer"}
    malignant = advise(unphased("RYR1", "Reference", "c.7300G>A"), release_id="2026.11")
    assert only(malignant, "sevoflurane", "FDA").genes == {
        "CACNA1S": "No Result", "RYR1": "Malignant Hyperthermia Susceptibility",
    }  # fmt: skip


def test_an_ambiguous_gene_has_one_element_for_each_key() -> None:
    advice = advise(matched("CYP2C19", "*4/*4", "*4/*17", "*17/*17"))
    citalopram = [r for r in advice if (r.drug, r.source) == ("citalopram", "CPIC")]
    assert {r.genes["CYP2C19"] for r in citalopram} == {
        "Poor Metabolizer", "Intermediate Metabolizer", "Ultrarapid Metabolizer",
    }  # fmt: skip
    assert all(r.confidence == "reduced" for r in citalopram)


def test_diplotypes_with_one_key_share_an_element_that_names_them() -> None:
    advice = advise(reported_lines("CYP2D6", ("*1/*1", None, None), ("*1/*2", None, None)))
    codeine = only(advice, "codeine", "CPIC")
    assert codeine.diplotypes == {"CYP2D6": "*1/*1 or *1/*2"}


def test_a_phenotype_that_stands_for_several_scores_is_looked_up_by_each() -> None:
    advice = advise(reported("CYP2C9", phenotype="Intermediate Metabolizer"))
    assert [r.genes["CYP2C9"] for r in advice if (r.drug, r.source) == ("meloxicam", "CPIC")] == ["1.0", "1.5"]


def test_the_warfarin_algorithm_is_named_when_both_genes_are_known() -> None:
    both = advise(matched("CYP2C9", "*1/*1"), matched("VKORC1", "rs9923231 reference (C)/rs9923231 reference (C)"))
    assert only(both, "warfarin", "CPIC", "adults").genes == {"CYP2C9": "2.0", "VKORC1": "-1639 GG"}
    assert not [r for r in advise(matched("CYP2C9", "*1/*1")) if (r.drug, r.source) == ("warfarin", "CPIC")]


def test_a_new_release_changes_advice_and_keeps_the_rule() -> None:
    calls = (matched("TPMT", "*3A/*3A"), matched("NUDT15", "*1/*1"))
    old, new = (only(advise(*calls, release_id=i), "mercaptopurine", "CPIC") for i in IDS)
    assert old.rule == new.rule
    assert (old.actions, old.dose_change, old.citation) != (new.actions, new.dose_change, new.citation)


WHOLE = (
    matched("CYP2C19", "*2/*17", "*1/*2"), reported("CYP2D6", "*4/*4"), matched("CYP2C9", "*1/*3"),
    matched("TPMT", "*1/*3A"), matched("NUDT15", "*1/*3"), unphased("DPYD", "Reference", "c.2846A>T"),
    reported("HLA-B", "*15:02/*57:01"), reported("HLA-A", "*31:01/*02:01"), matched("SLCO1B1", "*1/*5"),
    matched("UGT1A1", "*28/*28"), matched("VKORC1", "rs9923231 reference (C)/rs9923231 variant (T)"),
)  # fmt: skip


def test_what_matters_first_comes_first_and_the_order_is_one() -> None:
    advice = advise(*WHOLE)
    keys = [(r.priority, r.drug, r.source, r.population, tuple(r.genes.items())) for r in advice]
    assert keys == sorted(keys)
    assert {r.priority for r in advice} == {1, 2, 3, 4}


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_genes_decides_nothing(shuffle: random.Random) -> None:
    calls = list(WHOLE)
    shuffle.shuffle(calls)
    assert [r.model_dump_json() for r in advise(*calls)] == [r.model_dump_json() for r in advise(*WHOLE)]


def test_a_process_that_has_seen_other_patients_answers_the_same() -> None:
    known = release("2026.11")
    fresh = Guidance(known).guide(WHOLE, assign(known, WHOLE)).recommendations
    for _ in range(2):
        recommend(known, WHOLE[:4], assign(known, WHOLE[:4]))
    assert [r.model_dump_json() for r in recommend(known, WHOLE, assign(known, WHOLE))] == [
        r.model_dump_json() for r in fresh
    ]


def test_each_recommendation_names_the_results_behind_its_genes() -> None:
    known = release()
    notes = {
        gene: ResultNote(laboratory="acme", accession=gene, issued="2026-01-01T00:00:00Z", status=status, version=1)
        for gene, status in (("CYP2C19", "final"), ("CYP2D6", "preliminary"))
    }
    calls = (matched("CYP2C19", "*2/*2"), reported("CYP2D6", "*4/*4"))
    phenotypes = [p.model_copy(update={"result": notes[p.gene]}) for p in assign(known, calls)]
    advice = recommend(known, calls, phenotypes)
    both = only(advice, "amitriptyline", "CPIC")
    assert both.results == (notes["CYP2C19"], notes["CYP2D6"])
    assert (both.preliminary, both.confidence) == (True, "reduced")
    one = only(advice, "citalopram", "CPIC")
    assert (one.results, one.preliminary, one.confidence) == ((notes["CYP2C19"],), False, "high")


def test_no_result_no_advice() -> None:
    assert advise() == ()
    assert advise(no_call("CYP2C19")) == ()


def test_every_action_of_a_release_has_a_priority() -> None:
    assert {action for i in IDS for rule in release(i).rules for action in rule.actions} <= ACTIONS
