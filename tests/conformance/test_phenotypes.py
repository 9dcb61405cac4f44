"""Phenotypes, keys and matched guidelines of the reference implementation's own test cases."""

from collections import defaultdict
from functools import lru_cache
from typing import Any

import pytest

from schemas.genotype import CallStatus, Diplotype, GeneCall
from schemas.phenotype import Phenotype
from schemas.recommendation import Recommendation
from services.genotyper.release_caller import ReleaseCaller
from services.phenotyper.assignment import assign
from services.recommender.guidance import recommend
from tests.conformance import cases
from tests.conformance.cases import Case

LEVELS = ("pipeline", "phenotyper", "reporter")

ANY_RESULT = "DPWG pairs without advice are kept here, the reference's data of 2025-11 no longer list them"
INDETERMINATE = "the reference counts a DPWG row that says no recommendation for an indeterminate result"
GENOTYPE_ROW = "*1/*2 meets its own DPWG row here, next to the rows by score of the other two diplotypes"

OTHER_COUNTS = {
    ("pipelinetest-testcyp2b6star1star34allmatch", "efavirenz", "DPWG"): INDETERMINATE,
    ("pipelinetest-testcyp2c19", "amitriptyline", "DPWG"): ANY_RESULT,
    ("pipelinetest-testcyp2c19", "citalopram", "DPWG"): ANY_RESULT,
    ("reportertest-multipleactivityscores", "warfarin", "DPWG"): GENOTYPE_ROW,
}
"""Numbers of annotations that differ, and why."""

MISMATCHES = {
    "outside_phenotype_mismatch": "reported-phenotype-differs",
    "outside_activity_score_mismatch": "reported-score-differs",
}


def _applies(case: Case) -> bool:
    return case["level"] in LEVELS and case["origin"] != "differential"


CASES = [pytest.param(case, id=case["id"]) for case in cases.cases() if _applies(case)]


@lru_cache(maxsize=16)
def _caller(options: Any) -> ReleaseCaller:
    return ReleaseCaller(cases.release(), options)


@lru_cache(maxsize=4)
def _calls(case_id: str) -> tuple[GeneCall, ...]:
    case = next(case for case in cases.cases() if case["id"] == case_id)
    called = _caller(cases.options(case)).call(cases.lab_result(case))
    calls = {call.gene: call for call in called.genotypes}
    calls |= {call.gene: call for call in called.research if calls[call.gene].status is not CallStatus.REPORTED}
    calls |= {gene: _given(gene, d) for gene, d in (case.get("input_diplotypes") or {}).items()}
    for gene, haplotypes in (case.get("input_haplotypes") or {}).items():
        calls[gene] = GeneCall(gene=gene, status=CallStatus.CALLED, source="matched", haplotypes=tuple(haplotypes))
    return tuple(calls[gene] for gene in sorted(calls))


def _given(gene: str, diplotypes: list[list[str]]) -> GeneCall:
    status = CallStatus.CALLED if len(diplotypes) == 1 else CallStatus.AMBIGUOUS
    listed = tuple(Diplotype(label="/".join(alleles), alleles=tuple(alleles)) for alleles in diplotypes)
    return GeneCall(gene=gene, status=status, source="matched", diplotypes=listed)


def _phenotypes(case: Case) -> dict[str, list[Phenotype]]:
    by_gene: dict[str, list[Phenotype]] = defaultdict(list)
    for phenotype in assign(cases.release(), _calls(case["id"])):
        by_gene[phenotype.gene].append(phenotype)
    return by_gene


def _keys(phenotypes: list[Phenotype]) -> set[str | None]:
    return {k for p in phenotypes for k in (p.lookup_key if isinstance(p.lookup_key, tuple) else (p.lookup_key,))}


@pytest.mark.parametrize("case", CASES)
def test_what_is_looked_up_is_what_the_reference_looks_up(case: Case) -> None:
    found = _phenotypes(case)
    for gene, expect in case["expect"].items():
        diplotypes = {tuple(sorted(p.alleles)) for p in found[gene]}
        wanted = {tuple(sorted(d)) for d in expect.get("recommendation_diplotypes", []) if set(d) != {"Unknown"}}
        assert wanted <= diplotypes, gene
        if "n_recommendation_diplotypes" in expect:
            assert len(diplotypes) == expect["n_recommendation_diplotypes"], gene
        if "reportable" in expect:
            assert bool(found[gene]) == expect["reportable"], gene


@pytest.mark.parametrize("case", CASES)
def test_phenotypes_scores_functions_and_keys(case: Case) -> None:
    found = _phenotypes(case)
    for gene, expect in case["expect"].items():
        phenotypes = {p.phenotype for p in found[gene]}
        assert phenotypes == set(expect.get("phenotypes", phenotypes)), gene
        assert set(expect.get("source_phenotypes", ())) <= phenotypes, gene
        scores = {p.activity_score for p in found[gene]}
        assert scores == set(expect.get("activity_scores", scores)), gene
        keys = _keys(found[gene])
        assert keys == set(expect.get("lookup_keys", keys)), gene
        assert len(keys) >= expect.get("min_lookup_keys", 0), gene
        for allele, function in expect.get("allele_functions", {}).items():
            named = {f for p in found[gene] for a, f in zip(p.alleles, p.functions, strict=True) if a == allele}
            assert named == {function}, gene
        for flag, code in MISMATCHES.items():
            if flag in expect:
                warned = any(warning.code == code for p in found[gene] for warning in p.warnings)
                assert warned == expect[flag], gene


@pytest.mark.parametrize("case", [case for case in CASES if case.values[0].get("expect_drugs")])
def test_guidelines_match_as_in_the_reference(case: Case) -> None:
    calls = _calls(case["id"])
    recommendations = recommend(cases.release(), calls, assign(cases.release(), calls))
    for drug, expectations in case["expect_drugs"].items():
        for expect in expectations:
            if expect["source"] in ("CPIC", "DPWG"):
                ours = [r for r in recommendations if (r.drug, r.source) == (drug, expect["source"])]
                assert bool(ours) == expect.get("matched", bool(ours)), (drug, expect["source"])
                if (case["id"], drug, expect["source"]) not in OTHER_COUNTS:
                    assert _rules(ours) == expect.get("n_annotations", _rules(ours)), (drug, expect["source"])


def _rules(recommendations: list[Recommendation]) -> int:
    return len({r.row for r in recommendations})
