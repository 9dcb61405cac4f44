"""What hospitals call a drug, and what the release knows it as."""

import pytest

from schemas.clinical_context import Medication, MedicationStatus
from services.recommender.context.medications import Taken, drug_names
from tests.services.recommender.guidance_cases import IDS, release


def recognised(**named: str) -> Taken:
    [taken] = drug_names(release()).recognise([Medication(status=MedicationStatus.STARTED, **named)])
    return taken


@pytest.mark.parametrize(
    "named", [{"rxnorm": "32937"}, {"atc": "N06AB05"}, {"name": "paroxetine"}, {"name": "Paroxetine"}]
)
def test_a_drug_is_known_by_each_of_its_codes_and_its_name(named: dict[str, str]) -> None:
    taken = recognised(**named)
    assert taken.drugs == ("paroxetine",)
    assert {(one.enzyme, one.strength) for one in taken.precipitants} >= {("CYP2D6", "strong")}


def test_a_precipitant_without_advice_of_its_own_is_known_too() -> None:
    for named in ({"name": "rifampicin"}, {"name": "rifampin"}):
        taken = recognised(**named)
        assert taken.drugs == ()
        assert ("CYP2C19", "inducer", "strong") in {(p.enzyme, p.effect, p.strength) for p in taken.precipitants}
    for code, name in (("703", "amiodarone"), ("9384", "rifampin"), ("6135", "ketoconazole"), ("11170", "verapamil")):
        assert recognised(rxnorm=code).precipitants == recognised(name=name).precipitants != ()


def test_a_combination_is_each_of_its_ingredients() -> None:
    taken = recognised(name="lopinavir/ritonavir")
    assert {one.drug for one in taken.precipitants} == {"lopinavir/ritonavir", "ritonavir"}
    assert recognised(name="codeine/paracetamol").drugs == ("codeine",)


def test_one_ingredient_is_not_the_combination() -> None:
    assert {one.drug for one in recognised(name="ritonavir").precipitants} == {"ritonavir"}


def test_what_the_release_does_not_know_is_not_taken_for_something_else() -> None:
    for named in ({"rxnorm": "161"}, {"atc": "N02BE01"}, {"name": "paracetamol"}, {"name": "parox"}):
        assert not recognised(**named).recognised


def test_code_and_name_that_disagree_both_count() -> None:
    assert recognised(rxnorm="32937", name="codeine").drugs == ("codeine", "paroxetine")


@pytest.mark.parametrize("release_id", IDS)
def test_every_cause_of_interactions_is_known_by_its_names_whether_it_has_a_code_or_not(release_id: str) -> None:
    known = release(release_id)
    for one in known.phenoconversion.precipitants:
        for name in (one.drug, one.drug.upper(), *one.names):
            [taken] = drug_names(known).recognise([Medication(status=MedicationStatus.STARTED, name=name)])
            assert one in taken.precipitants, name
