"""Phenoconversion, warfarin and LOINC tables in their typed form."""

import json

import pytest

from knowledge.clinical import ConversionMethod, ConversionRule, Precipitant
from knowledge.release import Release
from knowledge.sources import TABLES


def rule(release: Release, enzyme: str) -> ConversionRule:
    return next(r for r in release.phenoconversion.rules if r.enzyme == enzyme)


def precipitant(release: Release, drug: str, enzyme: str) -> Precipitant:
    return next(p for p in release.phenoconversion.precipitants if (p.drug, p.enzyme) == (drug, enzyme))


def test_cyp2d6_inhibitors_multiply_the_score(after: Release) -> None:
    cyp2d6 = rule(after, "CYP2D6")
    assert cyp2d6.method is ConversionMethod.ACTIVITY_SCORE_MULTIPLIER
    assert {strength: c.factor for strength, c in cyp2d6.inhibitors.items()} == {
        "strong": 0.0,
        "moderate": 0.5,
        "weak": 1.0,
    }
    assert cyp2d6.inducers == {}


def test_other_enzymes_move_one_step(after: Release) -> None:
    cyp2c19 = rule(after, "CYP2C19")
    assert cyp2c19.inhibitors["strong"].becomes == "Poor Metabolizer"
    assert cyp2c19.inhibitors["moderate"].steps["Rapid Metabolizer"] == "Normal Metabolizer"
    assert cyp2c19.inhibitors["weak"].steps == {}
    assert cyp2c19.inducers["strong"].steps["Poor Metabolizer"] == "Poor Metabolizer"


def test_an_inducer_of_cyp2c9_counts_whatever_its_strength(after: Release) -> None:
    steps = {strength: c.steps for strength, c in rule(after, "CYP2C9").inducers.items()}
    assert steps.keys() == {"strong", "moderate", "weak"}
    assert len({str(step) for step in steps.values()}) == 1


def test_cyp1a2_and_cyp3a_are_only_flagged(after: Release) -> None:
    for enzyme in ("CYP3A4/5", "CYP1A2"):
        assert rule(after, enzyme).method is ConversionMethod.FLAG_ONLY
        assert rule(after, enzyme).inhibitors == {}


def test_precipitants_have_class_source_and_code(after: Release) -> None:
    paroxetine = precipitant(after, "paroxetine", "CYP2D6")
    assert (paroxetine.effect, paroxetine.strength, paroxetine.rxnorm) == ("inhibitor", "strong", "32937")
    assert "fda-hcp-2026" in paroxetine.sources
    assert len(after.phenoconversion.precipitants) == 251


def test_a_class_that_depends_on_the_dose_says_so(after: Release) -> None:
    qualified = [p for p in after.phenoconversion.precipitants if p.note and p.note.startswith("strength: ")]
    assert len(qualified) == 3
    assert all(p.strength in ("strong", "moderate", "weak") for p in qualified)


def test_precipitants_of_expert_memory_are_marked(after: Release) -> None:
    assert sum(p.curator for p in after.phenoconversion.precipitants) == 6


@pytest.mark.parametrize(
    ("algorithm", "terms", "unit"),
    [
        ("iwpc-pharmacogenetic", 17, "mg per week"),
        ("iwpc-clinical", 8, "mg per week"),
        ("gage-2008", 10, "mg per day"),
        ("gage-2008-clinical", 7, "mg per day"),
    ],
)
def test_warfarin_equations(after: Release, algorithm: str, terms: int, unit: str) -> None:
    equation = next(a for a in after.warfarin.algorithms if a.id == algorithm)
    assert (len(equation.terms), equation.output) == (terms, unit)
    assert equation.pmid


def test_warfarin_checks_reproduce_from_the_coefficients(after: Release) -> None:
    """60-69 years, 170 cm, 80 kg, VKORC1 A/G, CYP2C9 *1/*3, White, no amiodarone or inducer."""
    equation = next(a for a in after.warfarin.algorithms if a.id == "iwpc-pharmacogenetic")
    values = {"age_decades": 6, "height_cm": 170, "weight_kg": 80, "VKORC1 A/G": 1, "CYP2C9 *1/*3": 1}
    dose = (equation.intercept + sum(equation.terms[name] * value for name, value in values.items())) ** 2
    check = next(c for c in after.warfarin.checks if c.input.startswith("60-69 years"))
    assert check.algorithm == equation.id
    assert dose == pytest.approx(check.expected, abs=0.01)
    assert len(after.warfarin.checks) == 5


def test_the_warfarin_flow_is_in_order(after: Release) -> None:
    assert [step.step for step in after.warfarin.adult_flow] == list(range(1, 9))
    assert after.warfarin.strengths["non-African ancestry, algorithm"] == "strong"


def test_loinc_terms_by_gene(after: Release) -> None:
    terms = after.loinc.gene_interpretation
    assert (terms["CYP2C19"].code, terms["CYP2C9"].code, terms["*"].code) == ("79714-2", "79716-7", "51971-0")
    assert after.loinc.gene_allele["HLA-B*57:01"].code == "50956-2"
    assert after.loinc.metabolizer_answers["Poor metabolizer"].code == "LA9657-3"
    assert [missing.code for missing in after.loinc.missing] == [None]


def test_every_term_of_an_equation_knows_where_its_value_comes_from(after: Release) -> None:
    for equation in after.warfarin.algorithms:
        assert equation.inputs.keys() == equation.terms.keys()
    genes = {i.gene for equation in after.warfarin.algorithms for i in equation.inputs.values()} - {None}
    assert genes == {"CYP2C9", "VKORC1"}
    for symbol in genes:
        names = {allele.name for allele in after.genes[symbol].definition.alleles}
        used = [i for e in after.warfarin.algorithms for i in e.inputs.values() if i.gene == symbol]
        assert {name for one in used for name in one.values} <= names


def test_the_flows_adjustments_name_alleles_that_exist(after: Release) -> None:
    for adjustment in after.warfarin.adjustments:
        names = {allele.name for allele in after.genes[adjustment.gene].definition.alleles}
        assert set(adjustment.alleles) <= names
    assert [(a.step, a.one, a.two) for a in after.warfarin.adjustments] == [
        (4, (0.7, 0.85), (0.6, 0.8)),
        (5, (0.75, 0.9), (0.75, 0.9)),
        (6, (1.05, 1.1), (1.05, 1.1)),
    ]


def test_alleles_of_cyp4f2_3_are_those_with_its_variant(after: Release) -> None:
    """CYP4F2*3 was rs2108622 T; alleles that carry it beside other variants have names of their own now."""
    definition = after.genes["CYP4F2"].definition
    index = next(i for i, position in enumerate(definition.positions) if position.rsid == "rs2108622")
    carriers = {allele.name for allele in definition.alleles if allele.calls.get(index) == ("T",)}
    adjustment = next(a for a in after.warfarin.adjustments if a.gene == "CYP4F2")
    assert set(adjustment.alleles) == carriers


def test_precipitants_are_known_by_their_international_names_too(after: Release) -> None:
    assert precipitant(after, "rifampin", "CYP2C19").names == ("rifampicin",)
    assert precipitant(after, "amiodarone", "CYP2C9").rxnorm == "703"


def test_precipitants_are_known_by_their_rxnorm_ingredient(after: Release) -> None:
    codes = {p.drug: p.rxnorm for p in after.phenoconversion.precipitants if p.rxnorm}
    assert (codes["rifampin"], codes["ketoconazole"], codes["enzalutamide"]) == ("9384", "6135", "1307298")
    assert len(codes) == len(set(codes.values()))
    others = {drug.rxnorm: name for name, drug in after.drugs.items() if drug.rxnorm}
    assert all(others.get(code, drug) == drug for drug, code in codes.items())


def test_codes_of_precipitants_agree_in_two_sources() -> None:
    table = json.loads((TABLES / "phenoconversion.json").read_text(encoding="utf-8"))
    for row in table["rxnorm"].values():
        assert len(set(row["source"])) >= 2
        assert set(row["source"]) <= table["code_sources"].keys()
