"""Phenotypes, lookup keys and guideline annotations of whole samples, as the reference engine matched them."""

from collections import defaultdict

import pytest

from schemas.recommendation import Recommendation
from services.recommender.priority import Priority
from tests.conformance import drugs
from tests.conformance.cases import Case

NOT_IN_ENGINE = "*15:11"
"""A risk allele of the DPWG guideline that the engine has no key for."""


@pytest.fixture(scope="module", params=drugs.samples(), ids=lambda sample: sample["id"])
def sample(request: pytest.FixtureRequest) -> Case:
    """Scoped to the module, so that all tests of one sample follow each other and share our answer."""
    found: Case = request.param
    return found


def test_phenotypes_scores_and_keys_of_a_sample(sample: Case) -> None:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for phenotype in drugs.answer(sample).phenotypes:
        if phenotype.phenotype is not None and not phenotype.phenotype.startswith(NOT_IN_ENGINE):
            keys = phenotype.lookup_key if isinstance(phenotype.lookup_key, tuple) else (phenotype.lookup_key,)
            found[phenotype.gene]["phenotypes"].add(phenotype.phenotype)
            found[phenotype.gene]["activity_scores"].add(phenotype.activity_score or "")
            found[phenotype.gene]["lookup_keys"] |= {key or "" for key in keys}
            found[phenotype.gene]["diplotypes"].add("/".join(sorted(phenotype.alleles)))
    expected_genes = sample["expect_phenotypes"].keys() - drugs.without_diplotype(sample)
    # Genes known by one variant alone have a phenotype and no call; the samples list called genes.
    inferred = {p.gene for p in drugs.answer(sample).phenotypes if p.inference == "single-variant"}
    assert found.keys() - inferred - drugs.without_diplotype(sample) == {g for g in expected_genes if _known(g)}
    for gene in expected_genes:
        if not _known(gene):
            continue
        expected = sample["expect_phenotypes"][gene]
        assert found[gene]["phenotypes"] == set(expected["phenotypes"]) or not expected["phenotypes"], gene
        assert (
            found[gene]["lookup_keys"] == set(expected.get("lookup_keys", expected["phenotypes"]))
            or not (expected["phenotypes"])
        ), gene
        if expected["recommendation_diplotypes"]:
            diplotypes = {"/".join(sorted(alleles)) for alleles in expected["recommendation_diplotypes"]}
            assert found[gene]["diplotypes"] == diplotypes, gene
        if "activity_scores" in expected:
            assert found[gene]["activity_scores"] == set(expected["activity_scores"]), gene


def _known(gene: str) -> bool:
    return gene in drugs.cases.release().genes


def test_every_annotation_that_the_engine_matched_is_found_with_its_strength(sample: Case) -> None:
    found = {drugs.ours(r): r for r in drugs.answer(sample).recommendations}
    for row in drugs.matched(sample):
        advice = drugs.advice(row)
        if not row["lookup"] or _genes(advice) & drugs.without_diplotype(sample) or _by_genotype(sample, advice):
            continue
        if row["classification"] == "No recommendation":
            assert advice not in found or found[advice].priority == Priority.NOTHING_TO_CHANGE, advice
            continue
        assert advice in found
        if row["source"] == "CPIC" and found[advice].strength != "none":
            assert found[advice].strength == row["classification"].lower(), advice


def test_nothing_is_advised_that_the_engine_did_not_match(sample: Case) -> None:
    matched = {drugs.advice(row) for row in drugs.matched(sample)}
    for recommendation in drugs.answer(sample).recommendations:
        advice = drugs.ours(recommendation)
        if recommendation.source == "FDA" or not _has_advice(recommendation) or advice in matched:
            continue
        beyond = _genes(advice) & drugs.without_diplotype(sample) or _by_genotype(sample, advice)
        algorithm = recommendation.actions == ("see-algorithm",)
        assert beyond or algorithm or any(NOT_IN_ENGINE in key for _, key in advice[3]), advice


def test_one_element_for_each_drug_source_population_and_keys(sample: Case) -> None:
    everything = [drugs.ours(r) for r in drugs.answer(sample).recommendations]
    assert len(everything) == len(set(everything))


def test_warfarin_algorithm_needs_both_genes() -> None:
    for sample in drugs.samples():
        answer = drugs.answer(sample)
        keyed = {phenotype.gene for phenotype in answer.phenotypes}
        by_algorithm = [r for r in answer.recommendations if r.drug == "warfarin" and r.source == "CPIC"]
        assert bool(by_algorithm) == ({"CYP2C9", "VKORC1"} <= keyed), sample["id"]


def _genes(advice: drugs.Advice) -> set[str]:
    return {gene for gene, _ in advice[3]}


def _has_advice(recommendation: Recommendation) -> bool:
    return recommendation.actions != ("no-recommendation",)


def _by_genotype(sample: Case, advice: drugs.Advice) -> bool:
    """Whether we answer by a genotype row: the engine has these for its own calls alone, not for reported ones."""
    reported = {call["gene"] for call in sample["outside_calls"]}
    drug, source, population, keys = advice
    if len(keys) != 1 or keys[0][0] not in reported:
        return False
    gene = keys[0][0]
    mine = [
        r
        for r in drugs.answer(sample).recommendations
        if (r.drug, r.source, r.population) == (drug, source, population)
    ]
    return any(set(r.genes) == {gene} and "/" in r.genes[gene] for r in mine)
