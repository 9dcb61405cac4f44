"""Every row of every release is found by its own keys, and nothing else is."""

from collections import defaultdict
from functools import cache
from itertools import product

import pytest

from knowledge.identity import rule_id
from knowledge.model import PhenotypeMethod, Rule
from knowledge.release import Release
from schemas.genotype import GeneCall
from schemas.recommendation import Recommendation
from services.phenotyper import scores
from services.phenotyper.assignment import assign
from services.recommender import priority
from services.recommender.guidance import recommend
from tests.services.recommender.guidance_cases import IDS, combinations, patient_with, release
from tests.support.calls import reported, reported_lines

WITHOUT_KEYS = {
    rule.id for i in IDS for rule in release(i).rules
    if any(gene in release(i).genes and release(i).genes[gene].phenotype.method is PhenotypeMethod.NONE
           for gene in rule.genes)
}  # fmt: skip
"""Rows about a gene without phenotype table (CYP4F2): kept for the record, met by nothing (docs/knowledge-gaps.md)."""

RULES = [
    pytest.param(i, rule, id=f"{i}-{rule.id}") for i in IDS for rule in release(i).rules if rule.id not in WITHOUT_KEYS
]


@pytest.mark.parametrize(("release_id", "rule"), RULES)
def test_a_row_is_found_by_its_own_keys_with_all_its_facts(release_id: str, rule: Rule) -> None:
    known = release(release_id)
    for keys in combinations(rule):
        calls, phenotypes = patient_with(known, rule.source, keys)
        found = [r for r in recommend(known, calls, phenotypes) if r.row == rule.id]
        assert found, keys
        for r in found:
            _has_the_facts(r, rule, known)
            assert r.rule == rule_id(r.source, r.drug, r.population, {gene: [key] for gene, key in r.genes.items()})
        if not rule.any_gene and not any(key.startswith("any") for key in keys.values()):
            assert [r.genes for r in found] == [dict(sorted(keys.items()))]


def test_one_combination_of_keys_has_one_rule_in_every_release() -> None:
    about: dict[str, dict[object, str]] = {}
    asked = {
        (rule.source, tuple(keys.items()))
        for i in IDS for rule in release(i).rules if rule.id not in WITHOUT_KEYS for keys in combinations(rule)
    }  # fmt: skip
    for i in IDS:
        about[i] = {}
        for source, keys in sorted(asked):
            for r in recommend(release(i), *patient_with(release(i), source, dict(keys))):
                place = (r.source, r.drug, r.population, tuple(r.genes.items()))
                assert about[i].setdefault(place, r.rule) == r.rule
        assert len(set(about[i].values())) == len(about[i])
    before, after = (about[i] for i in IDS)
    both = before.keys() & after.keys()
    assert len(both) > 1000
    assert all(before[place] == after[place] for place in both)
    regrouped = ("DPWG", "gefitinib", "general", (("CYP2D6", "0.0"),))
    assert regrouped in both


def _has_the_facts(r: Recommendation, rule: Rule, known: Release) -> None:
    assert (r.drug, r.source, r.population, r.actions) == (rule.drug, rule.source, rule.population, rule.actions)
    assert (r.alternatives, r.strength, r.implication, r.notes) == (
        rule.alternatives, rule.strength, rule.implication, rule.notes,
    )  # fmt: skip
    assert [d["basis"] for d in r.dose_change] == [d.basis for d in rule.dose_change]
    assert [(d["factor_low"], d["factor_high"]) for d in r.dose_change] == [
        (d.factor_low, d.factor_high) for d in rule.dose_change
    ]
    assert [d["basis"] for d in r.dose_fixed] == [d.basis for d in rule.dose_fixed]
    assert [(d["max"], d["unit"]) for d in r.dose_limit] == [(d.max, d.unit) for d in rule.dose_limit]
    guideline = known.guidelines[rule.guideline]
    assert (r.citation.guideline, r.citation.url, r.citation.pmid) == (guideline.name, guideline.url, guideline.pmid)
    assert (r.rxnorm, r.atc) == (known.drugs[rule.drug].rxnorm, known.drugs[rule.drug].atc)
    assert r.priority == priority.of(rule.actions)
    assert r.text.endswith(".")
    assert set(r.genes) == set(rule.genes)


Axis = dict[str, GeneCall]
"""By key in a source's tables: a call that has this key."""


@cache
def axis(release_id: str, symbol: str, source: str) -> Axis:
    """Every key that a gene can have in the tables of a source."""
    gene = release(release_id).genes[symbol]
    table = gene.phenotype
    if table.method is PhenotypeMethod.ACTIVITY_SCORE:
        every = scores.reachable(a.activity_value for a in gene.definition.alleles)
        if any(a.activity_value is None for a in gene.definition.alleles):
            every = (*every, "n/a")
        by_score = {score: reported(symbol, score=score) for score in every}
        if source != "FDA":
            return by_score
        return {found: call for score, call in by_score.items() if (found := table.phenotype_of_score(score))}
    named = {f for rule in table.rules for functions in rule.functions for f in functions}
    in_use = {a.function for a in gene.definition.alleles}
    return {
        rule.phenotype: reported(symbol, phenotype=rule.phenotype)
        for rule in table.rules
        if named and any(set(functions) <= in_use for functions in rule.functions)
    }


def risk_axis(symbol: str, risks: set[str]) -> Axis:
    return {
        f"{risk} {sign}": reported_lines(symbol, (None, f"{risk} {sign}", None))
        for risk in sorted(risks)
        for sign in ("positive", "negative")
    }


Group = tuple[str, str, str, tuple[str, ...]]
"""Source, drug, population and genes."""


def groups(release_id: str) -> dict[Group, list[Rule]]:
    """Rows that answer the same question; rows for which one gene is enough answer one for each gene."""
    found: dict[Group, list[Rule]] = defaultdict(list)
    for rule in release(release_id).rules:
        for genes in [(gene,) for gene in rule.genes] if rule.any_gene else [tuple(sorted(rule.genes))]:
            if all(gene in release(release_id).genes for gene in genes) and rule.id not in WITHOUT_KEYS:
                found[rule.source, rule.drug, rule.population, genes].append(rule)
    return found


@pytest.mark.parametrize("release_id", IDS)
def test_every_combination_of_keys_has_one_answer_or_none_where_the_source_is_silent(release_id: str) -> None:
    known = release(release_id)
    silent = {(s.source, s.drug, s.population, s.genes): {tuple(c) for c in s.combinations} for s in known.unanswered}
    known_answers: dict[object, list[str]] = {}

    def met(asked: object, calls: tuple[GeneCall, ...]) -> list[str]:
        """The rows that these calls meet, one id for each recommendation."""
        if asked not in known_answers:
            known_answers[asked] = [r.row for r in recommend(known, calls, assign(known, calls))]
        return known_answers[asked]

    for place, rules in groups(release_id).items():
        source, _, _, genes = place
        axes = [_axis_of_group(release_id, source, gene, rules) for gene in genes]
        unanswered = set()
        for keys in product(*axes):
            calls = tuple(call for of_gene, key in zip(axes, keys, strict=True) if (call := of_gene[key]) is not None)
            if not calls:
                continue
            ids = {rule.id for rule in rules}
            asked = tuple((gene, key, source == "FDA") for gene, key in zip(genes, keys, strict=True))
            answers = [rule_id for rule_id in met(asked, calls) if rule_id in ids]
            assert len(answers) <= 1, (place, keys)
            if not answers:
                unanswered.add(keys)
        assert unanswered == silent.get(place, set()), place


def _axis_of_group(release_id: str, source: str, gene: str, rules: list[Rule]) -> dict[str, GeneCall | None]:
    keys = {key for rule in rules for key in rule.genes[gene]}
    table = release(release_id).genes[gene].phenotype
    every: dict[str, GeneCall | None] = {"No Result": None} if "No Result" in keys else {}
    if table.method is PhenotypeMethod.ALLELE_PRESENCE:
        risks = {key.split()[0] for key in keys if key.split()[-1] in ("positive", "negative")}
        return every | risk_axis(gene, risks)
    return every | axis(release_id, gene, source)
