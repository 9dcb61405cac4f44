"""The phenotypes that follow from the conformance cases' calls are those of the reference implementation."""

from typing import Any

import pytest

from services.phenotyper.assignment import assign
from tests.conformance import cases
from tests.conformance.cases import Case
from tests.conformance.differences import DIFFERENCES
from tests.conformance.test_matching import caller

NOTHING = ([["Unknown", "Unknown"]], [["Unknown"]])


def drawn() -> list[Any]:
    return [
        pytest.param(case, id=case["id"])
        for case in cases.cases()
        if case["origin"] == "differential" and not case["options"]["find_combinations"]
    ]


@pytest.mark.parametrize("case", drawn())
def test_looked_up_and_assigned_as_the_reference_does(case: Case) -> None:
    called = caller(cases.options(case)).call(cases.lab_result(case))
    assigned = assign(cases.release(), called.genotypes)
    wrong = {}
    for symbol, expect in case["expect"].items():
        theirs = expect.get("recommendation_diplotypes")
        if theirs is None or (case["id"], symbol) in DIFFERENCES:
            continue
        phenotypes = [phenotype for phenotype in assigned if phenotype.gene == symbol]
        ours = sorted(sorted(phenotype.alleles) for phenotype in phenotypes)
        wanted = [] if theirs in NOTHING else sorted({tuple(sorted(pair)) for pair in theirs})
        if ours != [list(pair) for pair in wanted]:
            wrong[symbol] = (ours, wanted)
        elif wanted and {p.phenotype for p in phenotypes} - {None} != set(expect["phenotypes"]):
            wrong[symbol] = ({p.phenotype for p in phenotypes}, expect["phenotypes"])
    assert not wrong
