"""Why a patient's advice is what it is: from the recommendation back to the laboratory's event."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from schemas.explanation import Explanation
from schemas.lab_result import content_sha256, parse
from services.recommender.explained import UnknownDrug, explained
from services.recommender.handler import Recommender
from services.recommender.store import Store
from services.report import explanation_page, explanation_svg, explanation_text
from tests.services.recommender.builders import NO_CALL, assigned, release
from tests.support.results import phenotyped

pytestmark = pytest.mark.postgres

PANEL = Path("examples/genotyping-panel.json").read_bytes()
RULES = release("2026.11")
PATIENT = json.loads(PANEL)["patient"]


async def why(store: Store, drug: str, patient: str = PATIENT) -> Explanation:
    found = await explained(store, release, "mercy", patient, drug)
    assert found
    return found


async def test_advice_leads_back_to_the_bytes_of_the_laboratory(store: Store, recommender: Recommender) -> None:
    event = phenotyped(json.loads(PANEL), RULES)
    await recommender.handle([event])
    found = await why(store, "clopidogrel")
    first = found.advice[0]
    assert first.rule
    assert first.rule.row == first.recommendation.row
    assert first.recommendation.genes["CYP2C19"] in first.rule.keys["CYP2C19"]
    assert first.recommendation.citation.pmid
    (gene,) = found.genes
    assert (gene.gene, gene.keys) == ("CYP2C19", ("Rapid Metabolizer",))
    assert gene.phenotypes[0].basis == "allele functions *1: Normal function + *17: Increased function"
    (result,) = found.results
    assert result.sha256 == content_sha256(parse(PANEL))
    assert result.event_id == event.data.genotype.result.event_id


async def test_positions_are_those_of_the_result(store: Store, recommender: Recommender) -> None:
    await recommender.handle([phenotyped(json.loads(PANEL), RULES)])
    (gene,) = (await why(store, "clopidogrel")).genes
    definition = release("2026.11").genes["CYP2C19"].definition
    assert len(gene.seen) + len(gene.missing) == len(definition.positions)
    assert gene.call
    assert [site.position for site in gene.missing] == list(gene.call.missing_positions)
    rows = {f"{row['chrom']}:{row['pos']}": row for row in json.loads(PANEL)["genotypes"]}
    for site in gene.seen:
        assert (site.genotype or "").split(" ")[0] == rows[site.position]["gt"]
    assert {site.position for site in gene.seen if site.differs} == {
        site.position for site in gene.seen if rows[site.position]["gt"] not in ("0/0", "0|0")
    }


async def test_a_score_is_shown_with_the_range_it_falls_into(store: Store, recommender: Recommender) -> None:
    await recommender.handle([assigned({"CYP2D6": "*1/*4"}, knowledge="2026.11")])
    (gene, *_) = (await why(store, "codeine", "p-1")).genes
    assert gene.phenotypes[0].basis == "activity score 1.0 (*1 1.0 + *4 0.0), in the range 0 < score < 1.25"


async def test_a_contradicting_result_stands_beside_the_one_that_speaks(store: Store, recommender: Recommender) -> None:
    await recommender.handle(
        [assigned({"CYP2C19": "*2/*2"}, accession="A"), assigned({"CYP2C19": "*1/*1"}, accession="B", day=3)]
    )
    found = await why(store, "clopidogrel", "p-1")
    (gene,) = found.genes
    assert gene.result
    assert gene.result.accession == "B"
    assert [(other.result.accession, other.says) for other in gene.others] == [("A", "*2/*2 (Poor Metabolizer)")]
    assert [one.kind for one in found.findings] == ["discordance"]
    assert {one.result.accession for one in found.results} == {"A", "B"}


async def test_where_there_is_no_advice_it_says_what_is_missing(store: Store, recommender: Recommender) -> None:
    await recommender.handle([assigned({"CYP2C19": NO_CALL, "CYP2D6": "*1/*1"})])
    found = await why(store, "clopidogrel", "p-1")
    assert found.advice == ()
    text = explanation_text.render(found)
    assert "no gene that the sources ask for has a result" in text
    assert "no call: no match" in text


async def test_a_drug_is_found_by_its_codes_and_an_unknown_one_is_said_to_be(
    store: Store, recommender: Recommender
) -> None:
    await recommender.handle([assigned({"CYP2C19": "*2/*2"})])
    named = {(await why(store, drug, "p-1")).drug for drug in ("Clopidogrel", "32968", "b01ac04")}
    assert named == {"clopidogrel"}
    with pytest.raises(UnknownDrug):
        await explained(store, release, "mercy", "p-1", "unobtainium")
    assert await explained(store, release, "mercy", "p-2", "clopidogrel") is None


async def test_text_and_picture_show_the_whole_way(store: Store, recommender: Recommender) -> None:
    await recommender.handle([phenotyped(json.loads(PANEL), RULES)])
    found = await why(store, "clopidogrel")
    text = explanation_text.render(found, 80)
    assert max(map(len, text.splitlines())) <= 80 or "http" in max(text.splitlines(), key=len)
    picture = explanation_svg.render(found)
    drawn = "".join(ElementTree.fromstring(picture).itertext())  # noqa: S314 - our own
    for part in ("Rapid Metabolizer", "*1/*17", "rs12248560", "PMID", found.results[0].result.accession):
        assert part in drawn
        assert part in text
    assert "http://" not in picture.replace("http://www.w3.org/2000/svg", "")
    assert explanation_page.render(found).count("<svg") == 1
    assert explanation_svg.render(found) == picture


async def test_laboratories_texts_do_no_harm(store: Store, recommender: Recommender) -> None:
    value: dict[str, Any] = {
        "tenant": "mercy", "patient": "p-1", "accession": "A", "laboratory": "lab", "status": "final", "version": 1,
        "issued": "2026-11-23T10:00:00Z", "assembly": "GRCh38",
        "reported": [{"gene": "CYP2C19", "diplotype": "*2/*2", "phenotype": "<script>\u001b[31m&"}],
    }  # fmt: skip
    await recommender.handle([phenotyped(value, RULES)])
    found = await why(store, "clopidogrel", "p-1")
    ElementTree.fromstring(explanation_svg.render(found))  # noqa: S314 - our own
    assert "<script>" not in explanation_page.render(found)
    assert "\x1b" not in explanation_text.render(found)
