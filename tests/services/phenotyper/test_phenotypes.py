"""What diplotypes mean, gene by gene. Examples: PharmCAT 3.1.1 behaviour, CPIC tables."""

import pytest

from knowledge.model import PhenotypeMethod
from knowledge.release import Release
from services.phenotyper.assignment import assign
from services.phenotyper.meaning import GeneMeaning
from tests.services.phenotyper.conftest import Assign
from tests.support.calls import matched, no_call, reported

EXAMPLES = [
    ("CYP2C19", "*1/*2", "Intermediate Metabolizer", None, "Intermediate Metabolizer"),
    ("CYP2C19", "*9/*17", "Likely Intermediate Metabolizer", None, "Likely Intermediate Metabolizer"),
    ("CYP2C19", "*2/*9", "Likely Poor Metabolizer", None, "Likely Poor Metabolizer"),
    ("CYP2C19", "*17/*17", "Ultrarapid Metabolizer", None, "Ultrarapid Metabolizer"),
    ("CYP2C19", "*1/*41", "n/a", None, "n/a"),
    ("CYP2C9", "*1/*3", "Intermediate Metabolizer", "1.0", "1.0"),
    ("CYP2C9", "*2/*2", "Intermediate Metabolizer", "1.0", "1.0"),
    ("CYP2C9", "*2/*3", "Poor Metabolizer", "0.5", "0.5"),
    ("CYP2C9", "*1/*57", "Indeterminate", "n/a", "n/a"),
    ("CYP2C9", "*1/*80", "Indeterminate", "n/a", "n/a"),
    ("CYP2D6", "*1/*4", "Intermediate Metabolizer", "1.0", "1.0"),
    ("CYP2D6", "*1/*XXX", "Indeterminate", "n/a", "n/a"),
    ("CYP2D6", "*13 + *1/*36 + *10x2", "Normal Metabolizer", "1.5", "1.5"),
    ("CYP2D6", "*13 + *1x2/*36 + *10", "Normal Metabolizer", "2.25", "2.25"),
    ("CYP2D6", "*13 + *2/*36x2 + *10", "Normal Metabolizer", "1.25", "1.25"),
    ("CYP2D6", "*13 + *68x2 + *4/*68 + *2", "Intermediate Metabolizer", "1.0", "1.0"),
    ("CYP2D6", "*36x2 + *10x2/*68 + *4", "Intermediate Metabolizer", "0.5", "0.5"),
    ("TPMT", "*1/*3A", "Intermediate Metabolizer", None, "Intermediate Metabolizer"),
    ("TPMT", "*1/*44", "n/a", None, "n/a"),
    ("SLCO1B1", "*1/*45", "Decreased Function", None, "Decreased Function"),
    ("UGT1A1", "*1/*80+*28", "Intermediate Metabolizer", None, "Intermediate Metabolizer"),
    ("UGT1A1", "*1/*80", "Indeterminate", None, "Indeterminate"),
    ("RYR1", "Reference/Reference", "Uncertain Susceptibility", None, "Uncertain Susceptibility"),
    ("CACNA1S", "Reference/c.520C>T", "Malignant Hyperthermia Susceptibility", None,
     "Malignant Hyperthermia Susceptibility"),
    ("VKORC1", "rs9923231 reference (C)/rs9923231 variant (T)", "-1639 AG", None, "-1639 AG"),
    ("G6PD", "B (reference)", "Normal", None, "Normal"),
    ("G6PD", "A- 202A_376G", "Deficient", None, "Deficient"),
    ("G6PD", "B (reference)/A- 202A_376G", "Variable", None, "Variable"),
    ("MT-RNR1", "m.1555A>G", "increased risk of aminoglycoside-induced hearing loss", None,
     "increased risk of aminoglycoside-induced hearing loss"),
    ("MT-RNR1", "1555A>G", "n/a", None, "n/a"),
    ("CYP4F2", "*1/*3", None, None, None),
    ("IFNL3", "rs12979860 reference (C)/rs12979860 reference (C)", "n/a", None, "n/a"),
]  # fmt: skip


@pytest.mark.parametrize(("gene", "diplotype", "phenotype", "score", "key"), EXAMPLES)
def test_a_diplotype_has_phenotype_score_and_key(
    phenotypes: Assign, gene: str, diplotype: str, phenotype: str | None, score: str | None, key: str | None
) -> None:
    (found,) = phenotypes(matched(gene, diplotype))
    assert (found.phenotype, found.activity_score, found.lookup_key) == (phenotype, score, key)


def test_alleles_keep_their_functions(phenotypes: Assign) -> None:
    (found,) = phenotypes(matched("CYP2C19", "*1/*41"))
    assert found.functions == ("Normal function", "Unassigned function")


def test_a_gene_that_guidelines_name_by_genotype_keeps_the_descriptive_term(phenotypes: Assign) -> None:
    (found,) = phenotypes(matched("IFNL3", "rs12979860 reference (C)/rs12979860 reference (C)"))
    assert (found.term, found.lookup_key) == ("Favorable Response", "n/a")


def test_an_ambiguous_call_has_a_phenotype_for_each_diplotype(phenotypes: Assign) -> None:
    found = phenotypes(matched("CYP2C19", "*4/*4", "*4/*17", "*17/*17"))
    assert [p.phenotype for p in found] == [
        "Poor Metabolizer",
        "Intermediate Metabolizer",
        "Ultrarapid Metabolizer",
    ]


def test_a_gene_without_a_call_has_no_phenotype(phenotypes: Assign) -> None:
    assert phenotypes(no_call("CYP2C19"), no_call("CYP2D6", source="reported")) == ()


@pytest.mark.parametrize(
    ("typing", "positive"),
    [
        ("*15:02/*57:01", {"*15:02", "*57:01"}),
        ("*15:02", {"*15:02"}),
        ("*07:02/*15:02:01", {"*15:02"}),
        ("*15:11/*35:01", {"*15:11"}),
        ("*07:02/*15:021", set()),
    ],
)
def test_hla_typing_says_of_each_risk_allele_whether_it_is_there(
    phenotypes: Assign, typing: str, positive: set[str]
) -> None:
    found = phenotypes(reported("HLA-B", typing))
    terms = {risk: "positive" if risk in positive else "negative" for risk in ("*15:02", "*15:11", "*57:01", "*58:01")}
    assert [p.lookup_key for p in found] == [f"{risk} {term}" for risk, term in terms.items()]
    assert {p.alleles for p in found} == {tuple(typing.split("/"))}


def test_new_functions_come_with_the_new_release(release: Release, current: Release) -> None:
    old, new = (assign(r, [matched("TPMT", "*1/*42")])[0] for r in (release, current))
    assert old.functions[1] == "Unassigned function"
    assert new.functions[1] != "Unassigned function"


@pytest.mark.parametrize("id_", ["release", "current"])
def test_every_pair_of_functions_in_use_has_a_phenotype(id_: str, request: pytest.FixtureRequest) -> None:
    release: Release = request.getfixturevalue(id_)
    for gene in release.genes.values():
        if gene.phenotype.method is not PhenotypeMethod.FUNCTION_PAIR:
            continue
        named = [a for a in gene.definition.alleles if a.function]
        one_of_each = {a.function: a.name for a in named}.values()
        meaning = GeneMeaning(gene)
        for first in one_of_each:
            for second in one_of_each:
                assert meaning.of((first, second)).phenotype != "n/a", (gene.symbol, first, second)
