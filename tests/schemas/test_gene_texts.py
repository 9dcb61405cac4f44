"""Events that are read gene by gene are what they are when they are read as a whole."""

import random
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from knowledge.loader import Releases
from knowledge.names import order
from schemas import gene_texts
from schemas.base import Model
from schemas.gene_texts import GeneTexts
from schemas.genotype import GenotypeCalled
from schemas.phenotype import PhenotypeAssigned
from schemas.serialise import to_json
from tests.support.results import lab_result, phenotyped


def assigned(seed: int) -> PhenotypeAssigned:
    """What the phenotyper makes of a reported panel."""
    draw, release = random.Random(seed), Releases().load("2025.11")
    alleles = {s: [a.name for a in g.definition.alleles if a.calls] for s, g in release.genes.items()}
    diplotypes = {
        symbol: "/".join(sorted(draw.choices(names, k=2), key=order)) for symbol, names in alleles.items() if names
    }
    return phenotyped(lab_result(diplotypes, release, patient=f"p-{seed}"), release).data


EVENT = assigned(7)
VALUES: dict[type[Model], bytes] = {PhenotypeAssigned: to_json(EVENT), GenotypeCalled: to_json(EVENT.genotype)}


def outcome(model: type[Model], value: bytes, texts: GeneTexts | None) -> Any:
    """The value with the fields that were given, or the first error."""
    try:
        read = model.model_validate_json(value, strict=True) if texts is None else texts.read(model, value)
    except ValidationError as error:
        return error.errors(include_url=False)
    return read, to_json(read), read.model_dump(exclude_unset=True)


@pytest.mark.parametrize("model", VALUES, ids=lambda model: model.__name__)
def test_an_event_is_read_as_its_model_reads_it(model: type[Model]) -> None:
    texts = GeneTexts()
    for event in (assigned(seed) for seed in range(12)):
        value = to_json(event if model is PhenotypeAssigned else event.genotype)
        assert outcome(model, value, texts) == outcome(model, value, None)


def test_genes_of_the_same_text_are_one_object_and_results_stay_the_patients_own() -> None:
    texts, value = GeneTexts(), VALUES[PhenotypeAssigned]
    first = texts.read(PhenotypeAssigned, value)
    second = texts.read(PhenotypeAssigned, value.replace(b'"version":1', b'"version":2'))
    calls = zip(first.genotype.genotypes, second.genotype.genotypes, strict=True)
    assert first.genotype.genotypes
    assert all(one is other for one, other in calls)
    assert {one.result.version for one in first.phenotypes if one.result} == {1}
    assert {one.result.version for one in second.phenotypes if one.result} == {2}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"genotypes":[', b'"genotypes": ['),
        (b'"genotypes":[', b'"genotypes":[],"genotypes":['),
        (b'"genotypes":[', b'"note":{"genotypes":[]},"genotypes":['),
        (b'"genotypes":[', b'"note":"genotypes","genotypes":['),
        (b'"genotypes":[', b'"note":{"genotypes":['),
        (b'"genotypes":[', b'"g\\u0065notypes":[],"genotypes":['),
        (b'"genotypes":[', b'"genotypes":[1,'),
        (b'"genotypes":[', b'"genotypes":[,'),
        (b'"genotypes":[', b'"genotypes":[[],'),
        (b'],"observed":', b'],"g\\u0065notypes":[],"observed":'),
        (b'],"observed":', b'],"genotypes":[],"observed":'),
        (b'],"observed":', b',],"observed":'),
        (b'],"observed":', b'],"more":[{"gene":"X"}],"observed":'),
        (b'],"observed":', b'],"observed":{},"observed":'),
        (b'],"observed":', b']},"observed":'),
        (b'{"gene":"TPMT"', b'{"gene":5'),
        (b'{"gene":"TPMT"', b'{ "gene":"TPMT"'),
        (b'{"gene":"TPMT"', b'{"gene":"TP\\"MT"'),
        (b'{"gene":"TPMT"', b'{"gene":"X","gene":"TPMT"'),
        (b'{"gene":"TPMT"', b'{"x":[{"a":1},{"gene":"Y"}],"gene":"TPMT"'),
        (b'{"gene":"TPMT"', b'{"gene":"TPMT","x":{"gene":"Y"}'),
        (b'{"gene":"TPMT"', b'{"gene":"TPMT","x":"},{"'),
        (b'"software":', b'"research":[{"gene":"X","status":"called"}],"software":'),
        (b'"software":', b'"software":5,"x":'),
        (b'"tenant":', b'"phenotypes":[],"tenant":'),
        (b'{"genotype":', b'{"genotype":null,"genotype":'),
        (b'{"genotype":', b'{"phenotypes":[{"gene":"X"}],"genotype":'),
        (b'"phenotypes":[', b'"phenotypes" :['),
        (b'"phenotypes":[', b'"phenotypes":[],"phenotypes":['),
        (b'"phenotypes":[', b'"ph\\u0065notypes":[],"phenotypes":['),
        (b'"phenotypes":[', b'"phenotypes":[{},'),
        (b',"result":{"laboratory"', b',"result":null,"x":{"laboratory"'),
        (b',"result":{"laboratory"', b',"result" : {"laboratory"'),
        (b',"result":{"laboratory"', b',"result":null,"result":{"laboratory"'),
        (b',"result":{"laboratory"', b',"x":{"result":{}},"result":{"laboratory"'),
        (b',"result":{"laboratory"', b',"warnings":[{"code":"c","message":"m"}],"result":{"laboratory"'),
        (b',"result":{"laboratory"', b',"result":{"laboratory":5,"x"'),
        (b'"version":1}}', b'"version":1},"effective":null}'),
        (b'"version":1}}', b'"version":1},"result":null}'),
        (b'"version":1}}', b'"version":"1"}}'),
        (b'"version":1}}', b'"version":1}'),
        (b"]}", b"] }"),
        (b"]}", b"]"),
        (b"]}", b'],"more":1}'),
        (b"]}", b'],"phenotypes":[]}'),
        (b"]}", b'],"ph\\u0065notypes":[]}'),
    ],
)
@pytest.mark.parametrize("model", VALUES, ids=lambda model: model.__name__)
@pytest.mark.parametrize("where", ["first", "last", "all"])
def test_whatever_stands_around_or_in_the_genes(model: type[Model], old: bytes, new: bytes, where: str) -> None:
    texts, value = GeneTexts(), VALUES[model]
    texts.read(model, value)
    if where == "last":
        head, found, tail = value.rpartition(old)
        changed = head + (new if found else b"") + tail
    else:
        changed = value.replace(old, new, 1 if where == "first" else -1)
    assert outcome(model, changed, texts) == outcome(model, changed, None)
    assert outcome(model, value, texts) == outcome(model, value, None)


def test_an_event_without_genes_is_read_too() -> None:
    empty = EVENT.model_copy(update={"genotype": EVENT.genotype.model_copy(update={"genotypes": ()}), "phenotypes": ()})
    for model, value in ((PhenotypeAssigned, to_json(empty)), (GenotypeCalled, to_json(empty.genotype))):
        assert outcome(model, value, GeneTexts()) == outcome(model, value, None)


def test_other_models_are_read_by_themselves() -> None:
    note = EVENT.phenotypes[0].result
    assert note
    assert GeneTexts().read(type(note), orjson.dumps(note.model_dump())) == note


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gene_texts, "MAX_TEXTS", 5)
    texts = GeneTexts()
    for seed in range(4):
        value = to_json(assigned(seed))
        assert outcome(PhenotypeAssigned, value, texts) == outcome(PhenotypeAssigned, value, None)
        assert len(texts) <= 2 * 5
