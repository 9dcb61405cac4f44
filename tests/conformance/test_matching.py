"""Every gene of every conformance case is called as the reference implementation calls it."""

from collections import defaultdict
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from knowledge.model import Gene
from schemas.genotype import Call, CallStatus, GeneCall
from services.genotyper.options import Options
from services.genotyper.panel import build_panel
from services.genotyper.reading import read
from services.genotyper.release_caller import ReleaseCaller
from services.genotyper.strands import strands
from tests.conformance import cases
from tests.conformance.cases import Case
from tests.conformance.differences import DIFFERENCES

OUR_CODES = {
    "pcat-dpyd-hapB3-exonic-only": "proxy-only",
    "pcat-dpyd-hapB3-intronic-mismatch-exonic": "proxy-mismatch",
    "warn.alleleCount": "allele-count",
}
"""Our warning for each of the reference's messages that say something about a call."""

SHARED_CODES = {*OUR_CODES.values(), "unphased-priority", "missing-required-position"}


def applies(case: Case) -> bool:
    # Unlisted cells as wildcards are a mode of the reference's algorithm tests; definitions never use it.
    return case["level"] in ("matcher", "pipeline") and case["options"].get("assume_reference", True)


def gene_cases() -> list[Any]:
    found = []
    for case in cases.cases():
        if applies(case):
            reported = {call["gene"] for call in case.get("outside_calls") or []}
            for symbol in case["expect"]:
                if symbol not in reported and symbol in cases.release().genes:
                    topic = case["topic"][0] if case["topic"] else "plain"
                    found.append(pytest.param(case, symbol, id=f"{symbol}-{topic}-{case['id']}"))
    return found


@lru_cache(maxsize=16)
def caller(options: Options, without_exemptions: bool = False, definition: str | None = None) -> ReleaseCaller:
    release = cases.release()
    if definition is not None:
        gene = cases.custom_gene({"definition": definition})
        release = replace(release, genes={gene.symbol: gene})
    if without_exemptions:
        release = replace(release, genes={symbol: plain(gene) for symbol, gene in release.genes.items()})
    return ReleaseCaller(release, options)


def plain(gene: Gene) -> Gene:
    """The gene without required positions, conventions for unphased data and extra positions."""
    update = {"required_positions": (), "unphased_priorities": (), "extra_positions": ()}
    return gene.model_copy(update={"definition": gene.definition.model_copy(update=update)})


@lru_cache(maxsize=64)
def _called(case_id: str) -> dict[str, GeneCall]:
    case = next(case for case in cases.cases() if case["id"] == case_id)
    exempt = case["options"].get("use_exemptions", True) is False and "definition" not in case
    matcher = caller(cases.options(case), exempt, case.get("definition"))
    called = matcher.call(cases.lab_result(case, dict(matcher.release.genes)))
    calls = {call.gene: call for call in called.genotypes}
    return calls | {call.gene: call for call in called.research if calls[call.gene].status is not CallStatus.REPORTED}


def expected_haplotypes(expected: list[str]) -> list[str]:
    return [haplotype for entry in expected for haplotype in entry.split("/")]


def differences(case: Case, symbol: str, call: Call) -> dict[str, tuple[Any, Any]]:
    """What the case asserts about the gene's call and is not so: ours and theirs."""
    expect = case["expect"][symbol]
    randomly_drawn = case["origin"] == "differential"
    found: dict[str, tuple[Any, Any]] = {}

    def compare(what: str, ours: Any, theirs: Any) -> None:
        if ours != theirs:
            found[what] = (ours, theirs)

    diplotypes = [sorted(diplotype.alleles) for diplotype in call.diplotypes]
    if "diplotypes" in expect:
        compare("diplotypes", diplotypes, [sorted(pair) for pair in expect["diplotypes"]])
    if "haplotypes" in expect and not expect.get("diplotypes"):
        theirs = expected_haplotypes(expect["haplotypes"])
        if randomly_drawn or case["level"] == "matcher":
            compare("haplotypes", list(call.haplotypes), theirs)
        else:
            compare("haplotypes", set(call.haplotypes), set(theirs))
        compare("diplotypes beside haplotypes", diplotypes, [])
    if "n_diplotypes" in expect:
        compare("number of diplotypes", len(diplotypes), expect["n_diplotypes"])
    if "min_diplotypes" in expect:
        compare("at least so many diplotypes", len(diplotypes) >= expect["min_diplotypes"], True)
    if "scores" in expect:
        compare("scores", [diplotype.score for diplotype in call.diplotypes], expect["scores"])
    if "labels" in expect:
        compare("labels", sorted(diplotype.label for diplotype in call.diplotypes), sorted(expect["labels"]))
    if "called" in expect or "called_by_matcher" in expect:
        called = call.status in (CallStatus.CALLED, CallStatus.AMBIGUOUS)
        compare("called", called, expect.get("called_by_matcher", expect.get("called")))
    if "phased" in expect:
        compare("phased", call.phased, expect["phased"])
    if expect.get("no_data"):
        compare("no data", call.status, CallStatus.NOT_ASSAYED)
    if call.status is not CallStatus.NOT_ASSAYED:
        if "missing_positions" in expect:
            ours = [int(position.partition(":")[2]) for position in call.missing_positions]
            compare("missing positions", ours, expect["missing_positions"])
        if "n_missing_positions" in expect:
            compare("number of missing positions", len(call.missing_positions), expect["n_missing_positions"])
        if "uncallable_haplotypes" in expect:
            compare("uncallable", sorted(call.uncallable_haplotypes), sorted(expect["uncallable_haplotypes"]))
    compare_warnings(case, expect, call, compare)
    return found


def compare_warnings(case: Case, expect: dict[str, Any], call: Call, compare: Any) -> None:
    of_gene = sorted(w.code for w in call.warnings if w.position is None and w.code in SHARED_CODES)
    if case["origin"] == "differential":
        compare("gene warnings", of_gene, sorted(OUR_CODES.get(code, code) for code in expect.get("warnings", [])))
        ours: dict[str, set[str]] = defaultdict(set)
        for warning in call.warnings:
            if warning.position is not None:
                ours[warning.position.partition(":")[2]].add(warning.code)
        theirs = expect.get("position_warnings") or {}
        compare("position warnings", dict(ours), {position: set(codes) for position, codes in theirs.items()})
        return
    for message in expect.get("messages_include", []):
        if message in OUR_CODES:
            compare(message, OUR_CODES[message] in of_gene, True)
    for message in expect.get("messages_exclude", []):
        if message in OUR_CODES:
            compare(message, OUR_CODES[message] in of_gene, False)


@pytest.mark.parametrize(("case", "symbol"), gene_cases())
def test_called_as_the_reference_calls_it(case: Case, symbol: str) -> None:
    found = differences(case, symbol, _called(case["id"])[symbol])
    if (case["id"], symbol) in DIFFERENCES:
        assert found, "no longer differs: take it out of the list and the documentation"
    else:
        assert not found


def test_effective_phase_is_judged_as_by_the_reference() -> None:
    panels = {asked: build_panel(cases.release().genes.values(), asked) for asked in (False, True)}
    wrong = []
    for case in cases.cases():
        if case["origin"] != "differential" or "mixed-ploidy" in case["topic"] or "odd-haploid-gt" in case["topic"]:
            continue
        panel = panels[case["options"]["find_combinations"]]
        observations = read(cases.rows(case, dict(cases.release().genes)), panel).observations
        for definition, observation in zip(panel.genes, observations, strict=True):
            expect = case["expect"].get(definition.symbol)
            if expect is not None:
                ours = bool(observation.seen) and strands(observation, definition.references).effectively_phased
                if ours != expect["effectively_phased"]:
                    wrong.append((case["id"], definition.symbol))
    assert not wrong
