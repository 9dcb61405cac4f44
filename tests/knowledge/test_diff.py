"""What changed between two releases, in clinical words."""

import json
from dataclasses import replace

from knowledge.diff import Area, Comparison, Difference, Kind, compare
from knowledge.identity import rule_id
from knowledge.model import DoseChange, Rule
from knowledge.release import Release


def found(comparison: Comparison, area: Area, subject: str = "") -> list[Difference]:
    return [d for d in comparison.differences if d.area is area and subject in ("", d.subject)]


def test_a_release_does_not_differ_from_itself(after: Release) -> None:
    comparison = compare(after, after)
    assert comparison.differences == ()
    assert comparison.lines() == ("2026.11 -> 2026.11", "no differences")


def test_thrombophilia_genes_were_added(before: Release, after: Release) -> None:
    added = found(compare(before, after), Area.GENES)
    assert [(d.subject, d.kind) for d in added] == [("F2", Kind.ADDED), ("F5", Kind.ADDED)]
    assert added[0].text == "F2 added (2 alleles at 1 position)"


def test_the_thiopurine_functions_of_2026(before: Release, after: Release) -> None:
    changes = {(d.subject, d.detail): d for d in found(compare(before, after), Area.FUNCTIONS)}
    assert {symbol for symbol, _ in changes} == {"TPMT", "NUDT15", "RYR1"}
    assert changes["TPMT", "*8"].text == "TPMT *8: Uncertain function -> Decreased function"
    assert changes["TPMT", "*42"].before == {"function": None, "activity_value": None}


def test_advice_that_changed_is_shown_before_and_after(before: Release, after: Release) -> None:
    changes = found(compare(before, after), Area.RECOMMENDATIONS)
    thiopurines = [d for d in changes if d.subject == "mercaptopurine" and d.kind is Kind.CHANGED]
    assert thiopurines
    assert all(d.before["id"] == d.after["id"] == d.detail for d in thiopurines)
    assert all(" -> " in d.text for d in thiopurines)


def test_a_new_drug_comes_with_its_rows(before: Release, after: Release) -> None:
    comparison = compare(before, after)
    new = {d.subject for d in found(comparison, Area.DRUGS) if d.kind is Kind.ADDED}
    assert new == after.drugs.keys() - before.drugs.keys()
    for drug in new:
        rows = found(comparison, Area.RECOMMENDATIONS, drug)
        assert {d.kind for d in rows} == {Kind.ADDED}


def test_a_remark_alone_is_no_change_of_advice(before: Release, after: Release) -> None:
    (remark,) = found(compare(before, after), Area.RECOMMENDATIONS, "phenprocoumon")
    assert remark.kind is Kind.ANNOTATED
    assert "same advice" in remark.text


def test_a_row_that_was_divided_shows_as_changes_of_that_row(before: Release, after: Release) -> None:
    """DPWG on gefitinib: no advice for any result in 2025, four rows by score in 2026."""
    rows = found(compare(before, after), Area.RECOMMENDATIONS, "gefitinib")
    assert [d.kind for d in rows] == [Kind.CHANGED] * 4
    assert all("[was for CYP2D6 any]" in d.text for d in rows)


def test_the_way_back_undoes_the_way_there(before: Release, after: Release) -> None:
    there, back = compare(before, after), compare(after, before)
    assert {d.subject for d in found(there, Area.ALLELES)} == {d.subject for d in found(back, Area.ALLELES)}
    assert {d.kind for d in found(back, Area.GENES)} == {Kind.REMOVED}
    assert {d.kind for d in found(back, Area.DRUGS)} == {Kind.REMOVED}


def with_rule(release: Release, record: str, **fields: object) -> Release:
    rules = tuple(r.model_copy(update=fields) if r.record == record else r for r in release.rules)
    return replace(release, rules=rules)


def dosed(release: Release) -> Rule:
    return next(rule for rule in release.rules if rule.dose_change)


def test_a_change_of_dose_is_named_in_percent(after: Release) -> None:
    rule = dosed(after)
    dose = DoseChange(basis="starting dose", factor_low=0.1, factor_high=0.2)
    (change,) = compare(after, with_rule(after, rule.record, dose_change=(dose,))).differences
    assert change.kind is Kind.CHANGED
    assert "10 to 20 % (starting dose)" in change.text.split(" -> ")[1]


def test_a_withdrawn_row_is_named(after: Release) -> None:
    rule = after.rules[0]
    fewer = replace(after, rules=after.rules[1:])
    (change,) = compare(after, fewer).differences
    assert (change.kind, change.subject, change.detail) == (Kind.REMOVED, rule.drug, rule.id)
    assert "withdrawn: " in change.text


def test_a_row_for_other_keys_is_paired_with_the_row_it_shares_keys_with(after: Release) -> None:
    rule = next(r for r in after.rules if r.drug == "clopidogrel" and "Likely Poor Metabolizer" in r.genes["CYP2C19"])
    keys = {"CYP2C19": ("Poor Metabolizer",)}
    narrower = with_rule(
        after, rule.record, genes=keys, id=rule_id(rule.source, rule.drug, rule.population, keys), actions=("avoid",)
    )
    (change,) = compare(after, narrower).differences
    assert change.kind is Kind.CHANGED
    assert change.before["id"] == rule.id != change.after["id"]


def test_a_redefined_allele_names_its_positions(after: Release) -> None:
    gene = after.genes["VKORC1"]
    alleles = (gene.definition.alleles[0], gene.definition.alleles[1].model_copy(update={"calls": {}}))
    moved = gene.model_copy(update={"definition": gene.definition.model_copy(update={"alleles": alleles})})
    (change,) = compare(after, replace(after, genes={**after.genes, "VKORC1": moved})).differences
    assert change.text == "VKORC1 rs9923231 variant (T) redefined: chr16:31096368 T -> reported only"


def test_a_moved_score_bound_shows_in_the_phenotypes(after: Release) -> None:
    gene = after.genes["CYP2D6"]
    bins = tuple(
        b.model_copy(update={"minimum": 2.5} if b.phenotype == "Ultrarapid Metabolizer" else {})
        for b in gene.phenotype.bins
    )
    moved = gene.model_copy(update={"phenotype": gene.phenotype.model_copy(update={"bins": bins})})
    changes = compare(after, replace(after, genes={**after.genes, "CYP2D6": moved})).differences
    assert [d.area for d in changes] == [Area.PHENOTYPES] * 2
    assert any("score above 2.5: none -> Ultrarapid Metabolizer" in d.text for d in changes)


def test_a_special_rule_that_changed_is_named(after: Release) -> None:
    gene = after.genes["TPMT"].model_copy(update={"variant_labels": True})
    (change,) = compare(after, replace(after, genes={**after.genes, "TPMT": gene})).differences
    assert (change.area, change.text) == (Area.GENES, "TPMT: variant_labels changed")


def test_an_inhibitor_that_changed_class(after: Release) -> None:
    table = after.phenoconversion
    stronger = tuple(
        p.model_copy(update={"strength": "strong"}) if (p.drug, p.enzyme) == ("duloxetine", "CYP2D6") else p
        for p in table.precipitants
    )
    other = replace(after, phenoconversion=table.model_copy(update={"precipitants": stronger}))
    (change,) = compare(after, other).differences
    assert change.text == "duloxetine: strong inhibitor of CYP2D6 changed"


def test_it_is_json_and_counts_itself(before: Release, after: Release) -> None:
    comparison = compare(before, after)
    data = json.loads(comparison.model_dump_json())
    assert len(data["differences"]) == len(comparison.differences)
    assert sum(n for row in comparison.counts().values() for n in row.values()) == len(comparison.differences)
    assert compare(before, after).model_dump_json() == comparison.model_dump_json()
