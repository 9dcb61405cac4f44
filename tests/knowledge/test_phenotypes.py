"""The phenotype rules give what the published tables say, for every pair of functions and every score."""

from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import keys
from knowledge.model import Gene, PhenotypeMethod, Ploidy
from knowledge.phenotypes import bins_of, phenotype, score_text
from knowledge.release import Release
from knowledge.sources import Tables

N, D, NO, I, U, K = (  # noqa: E741 - the letters of the published table
    "Normal function", "Decreased function", "No function",
    "Increased function", "Uncertain function", "Unknown function",
)  # fmt: skip
PM, IM, NM, RM, UM, IND = (
    "Poor Metabolizer", "Intermediate Metabolizer", "Normal Metabolizer", "Rapid Metabolizer",
    "Ultrarapid Metabolizer", "Indeterminate",
)  # fmt: skip

PUBLISHED: dict[str, dict[str, list[tuple[str, str]]]] = {
    "CYP2B6": {
        PM: [(D, D), (D, NO), (NO, NO)], IM: [(D, I), (D, N), (I, NO), (NO, N)],
        NM: [(N, N)], RM: [(I, N)], UM: [(I, I)],
    },
    "CYP2C19": {
        PM: [(NO, NO)], IM: [(NO, N), (NO, I)], NM: [(N, N)], RM: [(I, N)], UM: [(I, I)],
        "Likely Intermediate Metabolizer": [(D, D), (D, I), (D, N)], "Likely Poor Metabolizer": [(D, NO)],
    },
    "CYP3A4": {NM: [(N, N)], IM: [(N, D), (N, NO)], PM: [(D, D), (D, NO), (NO, NO)]},
    "CYP3A5": {NM: [(N, N)], IM: [(N, NO)], PM: [(NO, NO)], "Possible Intermediate Metabolizer": [(N, K)]},
    "NAT2": {RM: [(I, I)], IM: [(I, D)], PM: [(D, D)]},
    "SLCO1B1": {
        "Increased Function": [(I, I)], "Normal Function": [(I, N), (N, N)], "Decreased Function": [(I, NO), (N, NO)],
        "Poor Function": [(NO, NO)], "Possible Decreased Function": [(NO, U), (NO, K)],
    },
    "UGT1A1": {NM: [(N, N), (N, I), (I, I)], IM: [(D, N), (D, I)], PM: [(D, D)]},
    "ABCG2": {"Normal Function": [(N, N)], "Decreased Function": [(N, D)], "Poor Function": [(D, D)]},
}  # fmt: skip
"""By gene, as CPIC (CYP3A4: DPWG) publishes and PharmCAT 3.1.1 tabulates them; every other pair is indeterminate."""


@pytest.mark.parametrize("symbol", PUBLISHED)
def test_every_pair_of_functions_has_the_published_phenotype(before: Release, symbol: str) -> None:
    gene = before.genes[symbol]
    given_by = {tuple(sorted(pair)): name for name, pairs in PUBLISHED[symbol].items() for pair in pairs}
    ours = {tuple(sorted(f)): rule.phenotype for rule in gene.phenotype.rules for f in rule.functions}
    in_use = list(keys.function_groups(gene))
    assert {pair: ours[pair] for pair in in_use} == {pair: given_by.get(pair, IND) for pair in in_use}


THIOPURINES_2025 = {
    NM: [(N, N)],
    IM: [(N, NO)],
    PM: [(NO, NO)],
    "Possible Intermediate Metabolizer": [(NO, U), (NO, K)],
}


@pytest.mark.parametrize("symbol", ["TPMT", "NUDT15"])
def test_thiopurine_genes_of_2025(before: Release, symbol: str) -> None:
    gene = before.genes[symbol]
    expected = {tuple(sorted(pair)): name for name, pairs in THIOPURINES_2025.items() for pair in pairs}
    ours = {tuple(sorted(f)): rule.phenotype for rule in gene.phenotype.rules for f in rule.functions}
    for pair in keys.function_groups(gene):
        assert ours[pair] == expected.get(pair, IND)


@pytest.mark.parametrize(
    ("symbol", "alleles", "expected"),
    [
        ("TPMT", ("*1", "*8"), NM),
        ("TPMT", ("*3A", "*8"), IM),
        ("NUDT15", ("*3", "*5"), PM),
        ("NUDT15", ("*1", "*4"), IM),
    ],
)
def test_the_decreased_class_of_2026(after: Release, symbol: str, alleles: tuple[str, str], expected: str) -> None:
    assert phenotype(after.genes[symbol], alleles)[0] == expected


def test_malignant_hyperthermia_is_never_ruled_out(before: Release) -> None:
    gene = before.genes["RYR1"]
    associated = "Malignant hyperthermia associated"
    for rule in gene.phenotype.rules:
        for functions in rule.functions:
            carried = any(f.casefold() == associated.casefold() for f in functions)
            assert rule.phenotype == (
                "Malignant Hyperthermia Susceptibility" if carried else "Uncertain Susceptibility"
            )


def test_g6pd_of_one_and_of_two_chromosomes(after: Release) -> None:
    gene = after.genes["G6PD"]
    assert phenotype(gene, ["A- 202A_376G"])[0] == "Deficient"
    assert phenotype(gene, ["B (reference)", "A- 202A_376G"])[0] == "Variable"
    assert phenotype(gene, ["B (reference)"])[0] == "Normal"


SCORES = {
    "CYP2C9": {PM: ["0.0", "0.5"], IM: ["1.0", "1.5"], NM: ["2.0"]},
    "DPYD": {PM: ["0.0", "0.5"], IM: ["1.0", "1.5"], NM: ["2.0"]},
    "CYP2D6": {
        PM: ["0.0"],
        IM: ["0.25", "0.5", "0.75", "1.0"],
        NM: ["1.25", "1.5", "1.75", "2.0", "2.25"],
        UM: ["2.5", "2.75", "3.0", "4.0", "≥3.0", "≥3.25", "≥3.5", "≥3.75", "≥4.0", "≥5.0", "≥6.0"],
    },
}


@pytest.mark.parametrize("symbol", SCORES)
def test_every_reachable_score_has_the_published_phenotype(after: Release, symbol: str) -> None:
    gene = after.genes[symbol]
    ours: dict[str, set[str]] = {}
    for score in keys.scores(gene) - {"n/a"}:
        (name,) = bins_of(score, gene.phenotype.bins)
        ours.setdefault(name, set()).add(score)
    assert ours == {name: set(scores) for name, scores in SCORES[symbol].items()}


@pytest.mark.parametrize(
    ("symbol", "alleles", "expected"),
    [
        ("CYP2D6", ("*4", "*1x≥3"), (UM, "≥3.0")),
        ("CYP2D6", ("*10", "*1x≥3"), (UM, "≥3.25")),
        ("CYP2D6", ("*1", "*1x2"), (UM, "3.0")),
        ("CYP2D6", ("*1", "*22"), (IND, "n/a")),
        ("CYP2C9", ("*2", "*3"), (PM, "0.5")),
        ("DPYD", ("Reference", "c.1905+1G>A (*2A)"), (IM, "1.0")),
        ("VKORC1", ("rs9923231 reference (C)", "rs9923231 variant (T)"), ("-1639 AG", "n/a")),
        ("MT-RNR1", ("m.1555A>G",), ("increased risk of aminoglycoside-induced hearing loss", "n/a")),
        ("F5", ("rs6025 reference (C)", "rs6025 Factor V Leiden (T)"), ("Factor V Leiden heterozygous", "n/a")),
        ("CYP3A4", ("*1", "*2"), ("n/a", "n/a")),
    ],
)
def test_named_alleles(after: Release, symbol: str, alleles: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert phenotype(after.genes[symbol], alleles) == expected


def test_as_many_diplotypes_as_the_published_tables_have(tables: Tables, after: Release) -> None:
    """The rules regenerate each table row for row: every pair of alleles with a function, one of them on one X or in
    mitochondria. (CYP2D6 has two alleles more here than CPIC's table.)"""
    for symbol, table in tables.phenotypes.items():
        published = max((row["rows"] for about, row in table.proof.items() if "pypgx" not in about), default=0)
        gene = after.genes[symbol]
        number = sum(bool(a.function) and not a.public_name for a in gene.definition.alleles)
        number -= 2 if symbol == "CYP2D6" else 0
        pairs = 0 if gene.ploidy is Ploidy.MITOCHONDRIAL else number * (number + 1) // 2
        singles = 0 if gene.ploidy is Ploidy.AUTOSOMAL else number
        assert published in (0, pairs + singles), symbol


def test_the_proofs_of_the_newest_table_have_no_mismatch(tables: Tables) -> None:
    proofs = [
        row for table in tables.phenotypes.values() for about, row in table.proof.items() if "2026-10-11" in about
    ]
    assert sum(row["reproduced"] for row in proofs) == sum(row["rows"] for row in proofs) == 111_042


def test_an_unknown_allele_is_an_error(after: Release) -> None:
    with pytest.raises(KeyError):
        phenotype(after.genes["CYP2D6"], ["*1", "*999"])


def _two_chromosome_genes(release: Release) -> list[Gene]:
    methods = (PhenotypeMethod.FUNCTION_PAIR, PhenotypeMethod.ACTIVITY_SCORE)
    return [gene for gene in release.genes.values() if gene.phenotype.method in methods]


def test_every_diplotype_of_alleles_with_functions_has_a_phenotype(before: Release, after: Release) -> None:
    """One representative of each function and activity value stands for all alleles that share them."""
    for release in (before, after):
        for gene in _two_chromosome_genes(release):
            score = gene.phenotype.method is PhenotypeMethod.ACTIVITY_SCORE
            alike = {a.activity_value if score else a.function: a.name for a in gene.definition.alleles if a.function}
            for pair in combinations_with_replacement(alike.values(), 2):
                assert phenotype(gene, pair)[0] != "n/a", (release.id, gene.symbol, pair)


@given(st.lists(st.sampled_from(["0.0", "0.25", "0.5", "1.0", "2.0", "≥3.0"]), min_size=2, max_size=2))
def test_scores_do_not_depend_on_the_order_of_the_chromosomes(values: list[str]) -> None:
    assert score_text(values) == score_text(values[::-1])
    assert score_text(values).startswith("≥") == ("≥3.0" in values)
