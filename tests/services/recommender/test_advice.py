"""What a patient's medications and body change in the advice."""

from collections.abc import Sequence

from schemas.clinical_context import Ancestry
from schemas.genotype import GeneCall
from schemas.recommendation import DoseBasis, Recommendation
from schemas.serialise import to_json
from services.phenotyper.assignment import assign
from services.recommender.advice import Advice, advise
from services.recommender.context.current import Context
from services.recommender.guidance import recommend
from tests.services.recommender.context.statements import context
from tests.services.recommender.guidance_cases import only, release
from tests.support.calls import matched, reported

NORMAL = reported("CYP2D6", diplotype="*1/*1")


def advice(calls: Sequence[GeneCall], about: Context | None) -> Advice:
    return advise(release(), calls, assign(release(), calls), about)


def said(found: Sequence[Recommendation]) -> list[bytes]:
    return [to_json(one) for one in found]


def test_without_context_everything_is_byte_for_byte_as_before() -> None:
    calls = [NORMAL, matched("CYP2C19", "*1/*2"), matched("CYP2C9", "*1/*3")]
    phenotypes = assign(release(), calls)
    found = advice(calls, None)
    assert said(found.recommendations) == said(recommend(release(), calls, phenotypes))
    assert all(name not in b"".join(said(found.recommendations)) for name in (b"current_medication", b"phenoconverted"))
    assert not any(b"effective" in to_json(one) for one in found.phenotypes)


def test_context_that_touches_nothing_changes_nothing() -> None:
    calls = [NORMAL, matched("CYP2C19", "*1/*2")]
    bare, about = advice(calls, None), advice(calls, context("paracetamol", birth_year=1961))
    assert said(bare.recommendations) == said(about.recommendations)
    assert [to_json(one) for one in bare.phenotypes] == [to_json(one) for one in about.phenotypes]
    assert [one.recognised for one in about.medications] == [False]


def test_advice_is_looked_up_with_the_effective_phenotype() -> None:
    found = advice([NORMAL], context("paroxetine", "metoprolol"))
    cpic = only(found.recommendations, "metoprolol", "CPIC")
    assert cpic.genes == {"CYP2D6": "0.0"}
    assert cpic.current_medication
    [converted] = cpic.phenoconverted
    assert (converted.gene, converted.genetic, converted.because) == (
        "CYP2D6", "2.0", "paroxetine is a strong inhibitor",
    )  # fmt: skip
    assert only(found.recommendations, "metoprolol", "FDA").phenoconverted[0].genetic == "Normal Metabolizer"


def test_it_is_the_advice_of_a_genetically_poor_metaboliser() -> None:
    poor = advice([reported("CYP2D6", diplotype="*4/*4")], None)
    converted = advice([NORMAL], context("paroxetine"))
    for one in converted.recommendations:
        if one.drug not in ("paroxetine", "codeine") and one.population == "general":
            same = [two for two in poor.recommendations if (two.rule, two.genes) == (one.rule, one.genes)]
            assert [(two.actions, two.text) for two in same] == [(one.actions, one.text)]


def test_a_drug_is_not_held_to_act_on_itself() -> None:
    found = only(advice([NORMAL], context("paroxetine")).recommendations, "paroxetine", "CPIC")
    assert (found.genes, found.phenoconverted, found.current_medication) == ({"CYP2D6": "2.0"}, (), True)
    both = only(advice([NORMAL], context("paroxetine", "bupropion")).recommendations, "paroxetine", "CPIC")
    assert both.genes == {"CYP2D6": "0.0"}
    assert [one.because for one in both.phenoconverted] == ["bupropion is a strong inhibitor"]


def test_recommendations_stay_in_their_order() -> None:
    found = advice([NORMAL, matched("CYP2C19", "*1/*2")], context("paroxetine", "fluconazole")).recommendations
    assert [one.priority for one in found] == sorted(one.priority for one in found)
    assert len({(one.rule, tuple(one.genes.items())) for one in found}) == len(found)


def test_an_interaction_that_cannot_be_computed_lowers_the_confidence() -> None:
    found = advice([matched("CYP2C19", "*1/*1")], context("fluconazole", "rifampicin"))
    clopidogrel = next(one for one in found.recommendations if one.drug == "clopidogrel")
    assert (clopidogrel.phenoconverted, clopidogrel.confidence) == ((), "reduced")
    assert any("both an inhibitor and an inducer" in reason for reason in clopidogrel.confidence_reasons)


VKORC1 = matched("VKORC1", "rs9923231 reference (C)/rs9923231 variant (T)")
BODY = {"birth_year": 1961, "height_cm": 170.0, "weight_kg": 80.0, "ancestry": Ancestry.WHITE}


def test_the_row_that_leaves_the_dose_to_equations_carries_the_estimate() -> None:
    found = advice([matched("CYP2C9", "*1/*3"), VKORC1], context("warfarin", **BODY))
    carrying = [one for one in found.recommendations if one.dose_estimate is not None]
    assert [(one.drug, one.source, one.population) for one in carrying] == [("warfarin", "CPIC", "adults")]
    assert carrying[0].dose_estimate is not None
    assert carrying[0].dose_estimate.weekly_mg == 22.4
    assert found.dose_estimates == ()


def test_who_takes_the_drug_without_a_genotype_still_gets_a_clinical_estimate() -> None:
    [estimate] = advice([matched("CYP2C19", "*1/*2")], context("warfarin", **BODY)).dose_estimates
    assert (estimate.drug, estimate.basis) == ("warfarin", DoseBasis.CLINICAL)
    assert advice([matched("CYP2C19", "*1/*2")], context(**BODY)).dose_estimates == ()


def test_rows_around_dose_equations_are_asked_with_the_genes_alone() -> None:
    calls = [matched("CYP2C9", "*1/*1"), VKORC1]
    for one in advice(calls, context("fluconazole", "warfarin", **BODY)).recommendations:
        assert not (one.drug == "warfarin" and one.phenoconverted)
