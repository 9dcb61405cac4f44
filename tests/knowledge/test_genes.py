"""Genes as a release has them: definitions, special rules, functions of the time."""

import pytest

from knowledge.model import Allele, Gene, Matching, PhenotypeMethod, Ploidy, Ranking
from knowledge.release import Release


def allele(gene: Gene, name: str) -> Allele:
    return next(a for a in gene.definition.alleles if a.name == name)


def test_the_reference_stands_first(after: Release) -> None:
    for gene in after.genes.values():
        if gene.definition.positions:
            assert gene.definition.alleles[0].name == gene.definition.reference


def test_alleles_that_can_only_be_reported_stand_last(after: Release) -> None:
    for gene in after.genes.values():
        defined = [bool(a.calls) for a in gene.definition.alleles]
        assert defined == sorted(defined, reverse=True)


def test_cyp2c19_has_the_grch38_sequence_as_its_reference(after: Release) -> None:
    gene = after.genes["CYP2C19"]
    assert gene.definition.reference == "*38"
    assert len(allele(gene, "*1").calls) == len(gene.definition.positions) == 35


def test_an_ambiguous_base_is_kept_as_its_alternatives(after: Release) -> None:
    gene = after.genes["CYP2C19"]
    wobble = {gene.definition.positions[i].rsid: bases for i, bases in allele(gene, "*4").calls.items()}
    assert wobble["rs12248560"] == ("C", "T")


def test_slco1b1_45_is_matched_by_its_two_spellings_and_reported_by_its_name(after: Release) -> None:
    gene = after.genes["SLCO1B1"]
    assert [allele(gene, f"*45.00{n}").public_name for n in (1, 2)] == ["*45", "*45"]
    assert allele(gene, "*45.001").calls
    assert not allele(gene, "*45").calls
    assert {allele(gene, name).function for name in ("*45", "*45.001", "*45.002")} == {"No function"}


def test_slco1b1_has_a_variant_that_decides_alone(after: Release) -> None:
    single = after.genes["SLCO1B1"].definition.single_variant
    assert single is not None
    position = next(p for p in after.genes["SLCO1B1"].definition.positions if p.pos == single.pos)
    assert (position.rsid, single.alleles) == ("rs4149056", {"T": "*1", "C": "*5"})


def test_dpyd_knows_hapb3_and_its_proxy(after: Release) -> None:
    gene = after.genes["DPYD"]
    proxy = gene.definition.proxy
    assert proxy is not None
    rsids = {p.pos: p.rsid for p in gene.definition.positions}
    assert (rsids[proxy.causal_pos], rsids[proxy.proxy_pos]) == ("rs75017182", "rs56038477")
    assert {gene.definition.positions[i].pos for i in allele(gene, proxy.joint_allele).calls} == {
        proxy.causal_pos,
        proxy.proxy_pos,
    }


def test_special_genes_are_data(after: Release) -> None:
    genes = after.genes.values()
    assert {g.symbol for g in genes if g.definition.matching is Matching.LOWEST_FUNCTION} == {"DPYD", "RYR1"}
    assert {g.symbol for g in genes if g.definition.matching is Matching.RESEARCH} == {"CYP2D6"}
    assert {g.symbol for g in genes if g.definition.matching is Matching.REPORTED_ONLY} == {"HLA-A", "HLA-B"}
    assert {g.symbol for g in genes if g.variant_labels} == {"CACNA1S", "CFTR", "DPYD", "RYR1"}
    assert {g.symbol for g in genes if g.definition.undocumented_as_reference} == {
        "CACNA1S", "DPYD", "G6PD", "NUDT15", "RYR1", "TPMT",
    }  # fmt: skip
    assert {g.symbol: g.ploidy for g in genes if g.ploidy is not Ploidy.AUTOSOMAL} == {
        "G6PD": Ploidy.X_LINKED,
        "MT-RNR1": Ploidy.MITOCHONDRIAL,
    }
    assert (after.genes["DPYD"].ranking, after.genes["RYR1"].ranking) == (Ranking.ACTIVITY_VALUE, Ranking.FUNCTION)
    assert len(after.genes["NAT2"].definition.required_positions) == 5
    assert len(after.genes["NAT2"].definition.unphased_priorities) == 29
    assert [p.rsid for p in after.genes["CYP2C9"].definition.extra_positions] == ["rs12777823"]
    assert set(after.genes["UGT1A1"].definition.not_in_combinations) == {"*80+*28", "*80+*37"}


def test_activity_values_are_text_as_in_the_guideline_tables(after: Release) -> None:
    values = {a.name: a.activity_value for a in after.genes["CYP2D6"].definition.alleles}
    assert (values["*1"], values["*10"], values["*4"], values["*1x≥3"]) == ("1.0", "0.25", "0.0", "≥3.0")
    assert values["*22"] is None


def test_duplications_and_tandems_say_what_they_are_made_of(after: Release) -> None:
    gene = after.genes["CYP2D6"]
    assert (allele(gene, "*2x≥3").copies_of, allele(gene, "*2x≥3").copies) == ("*2", "≥3")
    assert allele(gene, "*36+*10").tandem == ("*36", "*10")


@pytest.mark.parametrize(
    ("symbol", "name", "old", "new"),
    [
        ("TPMT", "*8", "Uncertain function", "Decreased function"),
        ("TPMT", "*42", None, "No function"),
        ("NUDT15", "*4", "Uncertain function", "No function"),
        ("RYR1", "c.1209C>G", "Malignant hyperthermia associated", "Uncertain function"),
        ("CYP2C19", "*17", "Increased function", "Increased function"),
    ],
)
def test_functions_are_those_of_the_release(
    before: Release, after: Release, symbol: str, name: str, old: str | None, new: str
) -> None:
    assert (allele(before.genes[symbol], name).function, allele(after.genes[symbol], name).function) == (old, new)


def test_alleles_named_without_a_definition_can_only_be_reported_from_2026(before: Release, after: Release) -> None:
    assert "*47" not in {a.name for a in before.genes["TPMT"].definition.alleles}
    assert not allele(after.genes["TPMT"], "*47").calls


def test_hgvs_names_go_with_the_alternatives(after: Release) -> None:
    for gene in after.genes.values():
        for position in gene.definition.positions:
            assert len(position.hgvs) in (0, len(position.alts))
    repeat = next(p for p in after.genes["UGT1A1"].definition.positions if p.rsid == "rs3064744")
    assert dict(zip(repeat.alts, repeat.hgvs, strict=True))["CATAT"].endswith("TA[8]")


def test_hla_asks_for_the_risk_alleles_of_the_guidelines(after: Release) -> None:
    assert after.genes["HLA-A"].phenotype.presence_alleles == ("*31:01",)
    assert after.genes["HLA-B"].phenotype.presence_alleles == ("*15:02", "*15:11", "*57:01", "*58:01")


def test_rules_by_base_are_rules_by_function_in_a_release(after: Release) -> None:
    table = after.genes["F5"].phenotype
    assert table.method is PhenotypeMethod.ALLELE_COUNT
    assert {r.phenotype: r.functions for r in table.rules}["Factor V Leiden heterozygous"] == (
        ("Factor V Leiden negative", "Factor V Leiden positive"),
    )


def test_alleles_of_expert_memory_are_marked(after: Release) -> None:
    marked = {(g.symbol, a.name) for g in after.genes.values() for a in g.definition.alleles if a.curator}
    assert marked == {("CYP2D6", "*57"), ("CYP2D6", "*4.013")}


def test_research_alleles_are_differences_from_the_genome(after: Release) -> None:
    gene = after.research["CYP1A2"]
    assert {a.name for a in gene.alleles if not a.calls} <= set(gene.grch38) | {a.name for a in gene.alleles}
    assert gene.reference in {a.name for a in gene.alleles}
