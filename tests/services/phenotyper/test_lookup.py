"""Which diplotype is looked up where it is not the called one."""

import pytest

from schemas.phenotype import Inference
from tests.services.phenotyper.conftest import Assign
from tests.support.calls import matched, no_call, reported, unphased

HAPB3 = "c.1129-5923C>G, c.1236G>A (HapB3)"


@pytest.mark.parametrize(
    ("diplotype", "looked_up"),
    [
        ("[c.498G>A + c.2582A>G]/[c.2846A>T + c.2933A>G]", ("c.498G>A", "c.2933A>G")),
        ("c.1905+1G>A (*2A)/[c.498G>A + c.2933A>G]", ("c.1905+1G>A (*2A)", "c.2933A>G")),
        ("c.2846A>T/[c.498G>A + c.2582A>G]", ("c.498G>A", "c.2846A>T")),
        ("Reference/g.97573863?", ("Reference", "Reference")),
    ],
)
@pytest.mark.parametrize("call", [matched, reported])
def test_the_lowest_function_of_each_strand_is_looked_up(
    phenotypes: Assign, call: object, diplotype: str, looked_up: tuple[str, str]
) -> None:
    (found,) = phenotypes(call("DPYD", diplotype))  # type: ignore[operator]
    assert found.alleles == looked_up


def test_of_several_arrangements_the_lowest_is_looked_up(phenotypes: Assign) -> None:
    two = ("c.2657G>A (*9B)/[c.1774C>T + c.1679T>G (*13)]", "c.1679T>G (*13)/[c.1774C>T + c.2657G>A (*9B)]")
    (found,) = phenotypes(matched("DPYD", *two))
    assert found.alleles == ("c.1679T>G (*13)", "c.1774C>T")
    assert (found.activity_score, found.inference) == ("0.0", Inference.LOWEST_FUNCTION)


@pytest.mark.parametrize(
    ("haplotypes", "looked_up", "score", "inferred"),
    [
        (("c.498G>A", "c.2582A>G", "c.2846A>T", "c.2933A>G"), ("c.2846A>T", "c.2933A>G"), "0.5", True),
        (("c.557A>G", HAPB3, "c.2846A>T"), ("c.557A>G", HAPB3), "1.0", True),
        (("Reference", "c.2846A>T"), ("Reference", "c.2846A>T"), "1.5", False),
        (("c.2933A>G", "c.2933A>G"), ("c.2933A>G", "c.2933A>G"), "0.0", False),
    ],
)
def test_without_phase_the_two_lowest_are_looked_up(
    phenotypes: Assign, haplotypes: tuple[str, ...], looked_up: tuple[str, ...], score: str, inferred: bool
) -> None:
    (found,) = phenotypes(unphased("DPYD", *haplotypes))
    assert (found.alleles, found.activity_score, found.inferred) == (looked_up, score, inferred)


def test_one_haplotype_alone_has_no_score(phenotypes: Assign) -> None:
    (found,) = phenotypes(unphased("DPYD", "c.2846A>T"))
    assert (found.alleles, found.phenotype, found.lookup_key) == (("c.2846A>T",), "Indeterminate", "n/a")


def test_malignant_alleles_come_first_in_a_gene_without_scores(phenotypes: Assign) -> None:
    (found,) = phenotypes(unphased("RYR1", "c.418G>A", "c.14512C>G", "c.7300G>A"))
    assert "c.7300G>A" in found.alleles or "c.14512C>G" in found.alleles
    assert found.phenotype == "Malignant Hyperthermia Susceptibility"


def test_a_label_names_the_variant_and_says_that_it_is_heterozygous(phenotypes: Assign) -> None:
    (found,) = phenotypes(unphased("DPYD", "Reference", "c.2846A>T"))
    assert found.diplotype == "c.2846A>T (heterozygous)"


@pytest.mark.parametrize(
    ("reported_as", "looked_up", "score"),
    [
        ("*1/*1x7", ("*1", "*1x≥3"), "≥4.0"),
        ("*4/*1X3", ("*4", "*1x≥3"), "≥3.0"),
        ("*1/*1x2", ("*1", "*1x2"), "3.0"),
        ("*1/*41x3", ("*1", "*41x3"), "1.75"),
    ],
)
def test_copy_numbers_without_a_record_become_at_least_three(
    phenotypes: Assign, reported_as: str, looked_up: tuple[str, str], score: str
) -> None:
    (found,) = phenotypes(reported("CYP2D6", reported_as))
    assert (found.alleles, found.activity_score) == (looked_up, score)
    assert found.inferred == (looked_up != tuple(reported_as.split("/")))


@pytest.mark.parametrize("diplotype", ["*1/*41x7", "*1/*10x3"])
def test_other_copy_numbers_are_kept_without_a_score(phenotypes: Assign, diplotype: str) -> None:
    (found,) = phenotypes(reported("CYP2D6", diplotype))
    assert (found.alleles, found.lookup_key, found.inferred) == (tuple(diplotype.split("/")), "n/a", False)


@pytest.mark.parametrize(
    ("bases", "looked_up", "phenotype"),
    [
        ("T/C", ("*1", "*5"), "Decreased Function"),
        ("C|T", ("*1", "*5"), "Decreased Function"),
        ("C/C", ("*5", "*5"), "Poor Function"),
        ("T/T", ("*1", "*1"), "Normal Function"),
    ],
)
def test_one_variant_decides_where_no_diplotype_is_called(
    phenotypes: Assign, bases: str, looked_up: tuple[str, str], phenotype: str
) -> None:
    (found,) = phenotypes(no_call("SLCO1B1", observed={"rs4149056": bases}))
    assert (found.alleles, found.phenotype, found.inference) == (looked_up, phenotype, Inference.SINGLE_VARIANT)


@pytest.mark.parametrize("observed", [{}, {"rs4149056": "T/."}, {"rs4149056": "T/A"}, {"rs4149056": "T"}])
def test_an_unreadable_variant_decides_nothing(phenotypes: Assign, observed: dict[str, str]) -> None:
    assert phenotypes(no_call("SLCO1B1", observed=observed)) == ()


def test_a_gene_that_the_laboratory_could_not_call_stays_without_phenotype(phenotypes: Assign) -> None:
    assert phenotypes(no_call("SLCO1B1", source="reported", observed={"rs4149056": "T/C"})) == ()
