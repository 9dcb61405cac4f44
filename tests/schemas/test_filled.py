"""Models made without validation are those that validation would have made."""

import random

from knowledge.loader import Releases
from knowledge.names import order
from schemas.filled import unvalidated
from schemas.genotype import Diplotype
from schemas.phenotype import PhenotypeAssigned
from schemas.serialise import to_json
from tests.support.results import lab_result, phenotyped


def test_a_field_left_out_has_its_default() -> None:
    made, validated = unvalidated(Diplotype, label="*1", alleles=("*1",)), Diplotype(label="*1", alleles=("*1",))
    assert made == validated
    assert made.model_fields_set == validated.model_fields_set


def test_fields_are_written_in_the_order_of_the_model() -> None:
    made = unvalidated(Diplotype, score=3, alleles=("*1", "*2"), label="*1/*2")
    assert to_json(made) == b'{"label":"*1/*2","alleles":["*1","*2"],"score":3}'


def test_what_the_stages_publish_is_what_a_reader_validates() -> None:
    draw, release = random.Random(7), Releases().load("2025.11")
    for number in range(10):
        alleles = {s: [a.name for a in g.definition.alleles if a.calls] for s, g in release.genes.items()}
        diplotypes = {
            symbol: "/".join(sorted(draw.choices(names, k=2), key=order)) for symbol, names in alleles.items() if names
        }
        published = phenotyped(lab_result(diplotypes, release, patient=f"p-{number}"), release).data
        read = PhenotypeAssigned.model_validate_json(to_json(published))
        assert read == published
        assert to_json(read) == to_json(published)
