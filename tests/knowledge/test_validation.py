"""Deliberate errors in a release are found, each by its check; the releases themselves have none."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from knowledge import sources
from knowledge.clinical import Silence
from knowledge.model import Allele, Fact, FunctionRule, Gene, Ploidy, Rule
from knowledge.release import Release
from knowledge.validation import validate

Mutation = Callable[[Release], Release]


def findings(release: Release) -> list[str]:
    return [str(finding) for finding in validate(release, sources.exceptions())]


@pytest.mark.parametrize("release", ["2025.11", "2026.11"])
def test_the_releases_hold_together(releases: Any, release: str) -> None:
    assert findings(releases.load(release)) == []


def changed(fact: Fact, **fields: Any) -> Any:
    """The fact with other fields, as if its table said so."""
    return fact.model_copy(update=fields)


def rule(record: str, **fields: Any) -> Mutation:
    def mutate(release: Release) -> Release:
        return replace(release, rules=tuple(changed(r, **fields) if r.record == record else r for r in release.rules))

    return mutate


def gene(symbol: str, **fields: Any) -> Mutation:
    def mutate(release: Release) -> Release:
        return replace(release, genes={**release.genes, symbol: changed(release.genes[symbol], **fields)})

    return mutate


def definition(symbol: str, **fields: Any) -> Mutation:
    def mutate(release: Release) -> Release:
        return gene(symbol, definition=changed(release.genes[symbol].definition, **fields))(release)

    return mutate


def phenotype(symbol: str, change: Callable[[Gene], dict[str, Any]]) -> Mutation:
    def mutate(release: Release) -> Release:
        old = release.genes[symbol]
        return gene(symbol, phenotype=changed(old.phenotype, **change(old)))(release)

    return mutate


def alleles(symbol: str, change: Callable[[tuple[Allele, ...]], tuple[Allele, ...]]) -> Mutation:
    def mutate(release: Release) -> Release:
        return definition(symbol, alleles=change(release.genes[symbol].definition.alleles))(release)

    return mutate


def again(of: str, /, **fields: Any) -> Mutation:
    """The rule a second time, with other fields."""

    def mutate(release: Release) -> Release:
        old = next(r for r in release.rules if r.record == of)
        return replace(release, rules=(*release.rules, changed(old, **fields)))

    return mutate


def without(record: str) -> Mutation:
    def mutate(release: Release) -> Release:
        return replace(release, rules=tuple(r for r in release.rules if r.record != record))

    return mutate


def silent(source: str) -> Mutation:
    def mutate(release: Release) -> Release:
        return replace(release, unanswered=tuple(s for s in release.unanswered if s.source != source))

    return mutate


def too_silent(release: Release) -> Release:
    more = Silence(source="CPIC", drug="abacavir", population="general", genes=("HLA-B",), combinations=(("?",),))
    return replace(release, unanswered=(*release.unanswered, more))


def precipitant(drug: str, **fields: Any) -> Mutation:
    def mutate(release: Release) -> Release:
        table = release.phenoconversion
        rows = tuple(changed(p, **fields) if p.drug == drug else p for p in table.precipitants)
        return replace(release, phenoconversion=changed(table, precipitants=rows))

    return mutate


def research(release: Release) -> Release:
    old = release.research["CYP1A2"]
    return replace(release, research={**release.research, "CYP1A2": changed(old, reference="*99")})


def unnamed(drug: str) -> Mutation:
    return lambda release: replace(release, drugs={n: d for n, d in release.drugs.items() if n != drug})


def first_last(rows: tuple[Allele, ...]) -> tuple[Allele, ...]:
    return (*rows[1:], rows[0])


def named(name: str, **fields: Any) -> Callable[[tuple[Allele, ...]], tuple[Allele, ...]]:
    return lambda rows: tuple(changed(a, **fields) if a.name == name else a for a in rows)


def fewer_rules(old: Gene) -> dict[str, Any]:
    return {"rules": old.phenotype.rules[1:]}


def doubled_rule(old: Gene) -> dict[str, Any]:
    first = old.phenotype.rules[0]
    return {"rules": (*old.phenotype.rules, FunctionRule(phenotype="Another", functions=first.functions[:1]))}


def narrower_bin(old: Gene) -> dict[str, Any]:
    return {"bins": tuple(changed(b, minimum_included=False) for b in old.phenotype.bins)}


def wider_bin(old: Gene) -> dict[str, Any]:
    return {"bins": tuple(changed(b, maximum_included=True) for b in old.phenotype.bins)}


ERRORS: dict[str, tuple[Mutation, str]] = {
    "an unknown drug": (rule("r0001", drug="abacavier"), "unknown drug abacavier"),
    "a drug without its row": (unnamed("codeine"), "unknown drug codeine"),
    "an unknown guideline": (rule("r0001", guideline="PA1"), "unknown guideline 'PA1'"),
    "a guideline of another source": (rule("r0001", guideline="PA166104991"), "CPIC row of a DPWG guideline"),
    "an id twice": (again("r0001"), "stands 2 times"),
    "an allele twice": (alleles("TPMT", lambda rows: (*rows, rows[1])), "TPMT allele: *2 stands 2 times"),
    "two alleles defined alike": (
        alleles("TPMT", lambda rows: (*rows, changed(rows[1], name="*2B"))),
        "*2B is defined as *2",
    ),
    "a reference that is not first": (alleles("TPMT", first_last), "the reference allele does not stand first"),
    "a call without a position": (alleles("TPMT", named("*2", calls={99: ("A",)})), "*2 has a call without a position"),
    "a base that a position does not have": (
        alleles("VKORC1", named("rs9923231 variant (T)", calls={0: ("G",)})),
        "bases at",
    ),
    "a position out of order": (
        lambda r: definition("TPMT", positions=r.genes["TPMT"].definition.positions[::-1])(r),
        "ascending order",
    ),
    "a name that no allele has": (alleles("SLCO1B1", named("*45.001", public_name="*450")), "unknown allele *450"),
    "a required position that is none": (definition("NAT2", required_positions=(1,)), "unknown position 1"),
    "an exclusion of no allele": (definition("UGT1A1", not_in_combinations=("*81",)), "unknown allele *81"),
    "a worst function that no allele has": (gene("RYR1", worst_function="malignant"), "worst function"),
    "no way to rank": (gene("DPYD", ranking=None), "needs a ranking"),
    "ploidy that the chromosome does not have": (gene("G6PD", ploidy=Ploidy.AUTOSOMAL), "autosomal on chrX"),
    "a research reference that is none": (research, "unknown allele *99"),
    "a function pair without a phenotype": (phenotype("CYP2C19", fewer_rules), "has 0 phenotypes"),
    "a function pair with two phenotypes": (phenotype("CYP2C19", doubled_rule), "has 2 phenotypes"),
    "a misspelt function": (alleles("RYR1", named("c.38T>G", function="Uncertain Function")), "has 0 phenotypes"),
    "a score without a bin": (phenotype("CYP2D6", narrower_bin), "is in 0 bins"),
    "a score in two bins": (phenotype("DPYD", wider_bin), "is in 2 bins"),
    "no phenotype for a missing score": (phenotype("CYP2D6", lambda _: {"no_score": None}), "missing score"),
    "a key that no patient can have": (
        rule("r0001", genes={"HLA-B": ("*57:02 negative",)}),
        "no patient can have '*57:02 negative'",
    ),
    "a score spelt otherwise": (rule("r0028", genes={"CYP2D6": ("1",)}), "no patient can have '1'"),
    "a gene that the release does not know": (rule("r0001", genes={"HLAB": ("x",)}), "unknown gene HLAB"),
    "a key twice": (rule("r0001", genes={"HLA-B": ("*57:01 negative",) * 2}), "no key, or one twice"),
    "two answers": (again("r0001", id="other", record="x"), "has 2 rules"),
    "an answer that went missing": (without("r0001"), "the unanswered combinations are not the recorded ones"),
    "a silence that is not recorded": (silent("DPWG"), "the unanswered combinations are not the recorded ones"),
    "a recorded silence that is none": (too_silent, "the unanswered combinations are not the recorded ones"),
    "opposite actions": (rule("r0001", actions=("avoid", "standard-dosing"), notes=()), "opposite actions"),
    "no action": (rule("r0001", actions=()), "no action"),
    "an unknown strength": (rule("r0001", strength="Strong"), "unknown strength 'Strong'"),
    "a fact without a source": (rule("r0001", source_ref=()), "no source; a fact from expert memory must be marked"),
    "a precipitant of no class": (precipitant("fluoxetine", strength="very strong"), "unknown class"),
    "a precipitant without a source": (precipitant("fluoxetine", sources=()), "no source"),
}


@pytest.mark.parametrize("error", ERRORS)
def test_a_deliberate_error_is_found(after: Release, error: str) -> None:
    mutate, message = ERRORS[error]
    assert any(message in finding for finding in findings(mutate(after))), findings(mutate(after))[:5]


def test_a_fact_of_the_curator_may_lack_a_source_but_carries_the_mark(after: Release) -> None:
    marked = rule("r0001", source_ref=(), curator=True)(after)
    assert findings(marked) == []
    assert next(r for r in marked.rules if r.record == "r0001").curator


def test_opposite_actions_may_stand_with_a_note(after: Release) -> None:
    explained = rule("r0001", actions=("avoid", "standard-dosing"), notes=("standard dose in the one case",))(after)
    assert findings(explained) == []


def test_dose_figures_must_make_sense(after: Release) -> None:
    dosed: Rule = next(r for r in after.rules if r.dose_change and r.dose_change[0].factor_high is not None)
    upside_down = changed(dosed.dose_change[0], factor_low=0.8, factor_high=0.2)
    assert any(
        "a dose factor that cannot be" in f for f in findings(rule(dosed.record, dose_change=(upside_down,))(after))
    )
    fixed: Rule = next(r for r in after.rules if r.dose_fixed)
    no_figure = changed(fixed.dose_fixed[0], dose=None, dose_low=None, dose_high=None)
    assert any("one figure or a range" in f for f in findings(rule(fixed.record, dose_fixed=(no_figure,))(after)))
