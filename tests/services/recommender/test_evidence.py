"""Reasons for less confidence that were found before are those that would be found now."""

import random
from collections.abc import Iterator
from functools import partial

import pytest

from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from services.phenotyper.assignment import assign
from services.recommender import evidence
from services.recommender.evidence import Reasons
from services.recommender.keys import Reading
from tests.services.recommender.builders import release
from tests.support.calls import matched, no_call, reported, unphased

RELEASE = release("2026.11")


def calls(seed: int, count: int) -> Iterator[GeneCall]:
    """Calls that are much alike, each an object that lives no longer than it is looked at."""
    draw = random.Random(seed)
    hapb3 = "c.1129-5923C>G, c.1236G>A (HapB3)"
    for _ in range(count):
        missing = tuple(f"chr10:{number}" for number in range(draw.randint(0, 2)))
        yield draw.choice(
            [
                partial(matched, "CYP2C19", draw.choice(["*1/*1", "*1/*2"]), missing=missing),
                lambda: reported("CYP2D6", "*1/*4", phenotype=draw.choice(["NM", "IM", None])),
                lambda: reported("CYP2C9", phenotype="Intermediate Metabolizer"),
                lambda: unphased("DPYD", draw.choice(["Reference", "c.557A>G"]), "c.2846A>T"),
                lambda: unphased("DPYD", "Reference", hapb3, warnings=draw.choice([(), ("proxy-only",)])),
                lambda: no_call("SLCO1B1", observed={"rs4149056": draw.choice(["T/C", "C/C"])}),
            ]
        )()


@pytest.mark.parametrize("kept", [evidence._KEPT, 3])
def test_reasons_are_those_of_the_call_whatever_was_asked_before(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_KEPT", kept)
    reading = Reading(RELEASE.genes, {})
    known = Reasons(RELEASE.genes, RELEASE.doubts)
    draw, told = random.Random(5), set()
    for call in calls(7, 400):
        phenotypes: tuple[Phenotype, ...] = assign(RELEASE, [call])
        for state in reading.states(phenotypes).get(call.gene, ()):
            about = {"several": draw.random() < 0.3, "preliminary": draw.random() < 0.3}
            fresh = Reasons(RELEASE.genes, RELEASE.doubts).of(call, state, **about)
            assert known.of(call, state, **about) == fresh
            told.add(fresh)
    assert len(told) > 10


def test_a_call_that_is_remembered_keeps_its_identity() -> None:
    call = matched("CYP2C19", "*1/*2")
    (state,) = Reading(RELEASE.genes, {}).states(assign(RELEASE, [call]))["CYP2C19"]
    known = Reasons(RELEASE.genes, RELEASE.doubts)
    known.of(call, state, several=False, preliminary=False)
    identity = id(call)
    del call
    assert identity not in [id(matched("CYP2C19", "*1/*2", missing=("chr10:1",))) for _ in range(1000)]
