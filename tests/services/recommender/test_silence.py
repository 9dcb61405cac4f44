"""Where a source has rows about a drug but none for the patient's result, that is told, and never as advice."""

from itertools import product

import pytest

from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from schemas.recommendation import Silence
from services.phenotyper.assignment import assign
from services.recommender.guidance import guide
from tests.services.recommender.guidance_cases import IDS, patient_with, release
from tests.support.calls import matched, no_call, reported

Told = tuple[str, str, str, tuple[tuple[str, str], ...]]


def told(silent: tuple[Silence, ...]) -> set[Told]:
    return {(one.source, one.drug, one.population, tuple(one.genes.items())) for one in silent}


def about(*calls: GeneCall, release_id: str = "2026.11") -> set[Told]:
    known = release(release_id)
    return told(guide(known, calls, assign(known, calls)).silent)


def test_a_source_without_a_row_for_the_result_is_named_with_the_key() -> None:
    rapid = (("CYP2C19", "Rapid Metabolizer"),)
    silent = about(matched("CYP2C19", "*1/*17"))
    assert ("DPWG", "clopidogrel", "general", rapid) in silent
    assert not [one for one in silent if one[0] == "CPIC"]


@pytest.mark.parametrize("release_id", IDS)
def test_every_silence_of_a_release_is_told_to_the_patient_who_meets_it(release_id: str) -> None:
    known = release(release_id)
    answers: dict[tuple[str, str], tuple[list[GeneCall], list[Phenotype]]] = {}
    for silence in known.unanswered:
        for keys in silence.combinations:
            genes = dict(zip(silence.genes, keys, strict=True))
            patient = answers.setdefault((silence.source, str(genes)), patient_with(known, silence.source, genes))
            expected = (silence.source, silence.drug, silence.population, tuple(genes.items()))
            assert expected in told(guide(known, *patient).silent)


def test_who_answers_is_not_silent() -> None:
    known = release("2026.11")
    calls = (matched("CYP2C19", "*1/*2", "*2/*2"), reported("CYP2D6", "*1/*4"), matched("UGT1A1", "*1/*28"))
    guided = guide(known, calls, assign(known, calls))
    answered = {(r.source, r.drug, r.population, tuple(r.genes.items())) for r in guided.recommendations}
    assert guided.silent
    assert not answered & told(guided.silent)


def test_a_row_for_the_genotype_is_an_answer_although_its_phenotype_has_none() -> None:
    assert not [one for one in about(matched("MT-RNR1", "m.1555A>G")) if one[:2] == ("FDA", "amikacin")]
    assert [one for one in about(matched("MT-RNR1", "m.1494C>T")) if one[:2] == ("FDA", "amikacin")]


def test_a_row_that_one_of_its_genes_meets_answers_for_the_other() -> None:
    silent = about(matched("TPMT", "*3A/*3A"), matched("NUDT15", "*1/*1"))
    assert not [one for one in silent if one[:2] == ("FDA", "azathioprine")]
    usual = about(matched("TPMT", "*1/*1"), matched("NUDT15", "*1/*1"))
    assert len([one for one in usual if one[:2] == ("FDA", "azathioprine")]) == 2


def test_a_gene_without_a_result_meets_no_silence() -> None:
    assert about(no_call("CYP2C19")) == set()


def test_each_possibility_of_an_ambiguous_gene_is_told_apart() -> None:
    rapid_or_normal = about(matched("CYP2C19", "*1/*1", "*1/*17"))
    assert rapid_or_normal == about(matched("CYP2C19", "*1/*1")) | about(matched("CYP2C19", "*1/*17"))


def test_silences_come_in_one_order() -> None:
    known = release("2026.11")
    calls = (matched("CYP2C19", "*1/*17"), reported("CYP2D6", "*1/*1"), matched("UGT1A1", "*1/*1"))
    for one, other in product((calls, calls[::-1]), repeat=2):
        assert guide(known, one, assign(known, one)).silent == guide(known, other, assign(known, other)).silent
    silent = guide(known, calls, assign(known, calls)).silent
    assert [(s.drug, s.source, s.population) for s in silent] == sorted(
        (s.drug, s.source, s.population) for s in silent
    )
