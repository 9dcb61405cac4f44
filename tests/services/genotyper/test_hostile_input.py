"""Whatever passes for a lab result is answered, quickly: a call, or a reason for none."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.model import Matching
from schemas.cloudevents import Event
from schemas.errors import Code, Rejected
from schemas.genotype import CallStatus
from schemas.lab_result import parse_object
from schemas.serialise import to_json
from services.genotyper.handler import Genotyper
from services.genotyper.limits import MAX_LISTED, MAX_UNITS
from services.genotyper.options import Options, Research
from tests.services.genotyper.samples import GENES, MATCHED, RELEASE, call

HEADER = {
    "tenant": "mercy", "patient": "p-1", "accession": "ACC-1", "laboratory": "acme", "status": "final", "version": 1,
    "issued": "2026-01-01T00:00:00Z", "assembly": "GRCh38",
}  # fmt: skip

OPTIONS = (
    Options(),
    Options(candidates="all"),
    Options(combinations=True),
    Options(combinations=True, candidates="all", research=frozenset(Research)),
)
GENOTYPERS = [Genotyper(lambda _: RELEASE, options) for options in OPTIONS]

ENTRY = st.sampled_from([".", "0", "1", "2"])
GT = st.lists(ENTRY, min_size=1, max_size=4).flatmap(
    lambda entries: st.sampled_from(["/", "|"]).map(lambda separator: separator.join(entries))
)
ALT = st.sampled_from(
    ["A", "C", "G", "T", "a", "N", "*", "<DEL>", "<*>", "<NON_REF>", "AT", "CATAT", "ACGTN", "]chr1:5]A"]
)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    gene = GENES[draw(st.sampled_from(MATCHED))]
    found = []
    for _ in range(draw(st.integers(0, 12))):
        position = draw(st.sampled_from(gene.definition.positions))
        alts = draw(st.one_of(st.just([*position.alts, "A"]), st.lists(ALT, min_size=2, max_size=3)))
        row: dict[str, Any] = {
            "chrom": gene.chromosome,
            "pos": position.pos + draw(st.sampled_from([0, 0, 0, 1])),
            "ref": draw(st.sampled_from([position.ref, position.ref, position.ref, "N", "acgt"])),
            "alt": alts,
            "gt": draw(GT),
        }
        row |= draw(
            st.sampled_from(
                [{}, {"ps": 1}, {"ad": []}, {"ad": [30, 0]}, {"ad": [-1, 5, 5, 5, 5]}, {"filter": "PCATxREF"}]
            )
        )
        found.append(row)
    return found


TEXT = st.one_of(
    st.sampled_from(
        ["*1/*2", "*1x2/*4", "*36+*10/*1", "[*2 + *3]/*1", "./.", "/", "*1", "a/b/c", "*15:02", "m.1555A>G", "≥3.0"]
    ),
    st.text(max_size=12),
)
REPORT = st.fixed_dictionaries(
    {"gene": st.one_of(st.sampled_from([*RELEASE.genes, "TP53", " "]), st.text(min_size=1, max_size=8))},
    optional={"diplotype": TEXT, "phenotype": TEXT, "activity_score": TEXT},
)


@given(rows=rows(), reported=st.lists(REPORT, max_size=4), sex=st.sampled_from(["female", "male", "unknown"]))
@settings(max_examples=400, deadline=None)
def test_every_lab_result_is_answered_or_rejected(rows: list[Any], reported: list[Any], sex: str) -> None:
    try:
        result = parse_object(HEADER | {"genotypes": rows, "reported": reported, "sex": sex})
    except Rejected:
        return
    codes: set[Code] = set()
    for genotyper in GENOTYPERS:
        event = Event("1", "lab", "pgx.lab-result.v1", "", result, "")
        try:
            called = genotyper.handle(event)
        except Rejected as rejected:
            codes.add(rejected.code)
            continue
        assert [call.gene for call in called.genotypes] == list(RELEASE.genes)
        for gene in called.genotypes:
            assert (gene.reason is not None) == (gene.status is CallStatus.NO_CALL)
        assert to_json(called) == to_json(genotyper.handle(event))
    assert codes <= {Code.WRONG_ASSEMBLY, Code.INVALID_GENOTYPE}


def heterozygous(symbol: str, count: int, separator: str = "/") -> list[dict[str, Any]]:
    gene = GENES[symbol]
    return [
        {
            "chrom": gene.chromosome, "pos": p.pos, "ref": p.ref, "alt": list(p.alts),
            "gt": f"0{separator}1" if column < count else f"0{separator}0",
        } | ({"ps": column} if separator == "|" and column < count else {})
        for column, p in enumerate(gene.definition.positions)
    ]  # fmt: skip


@pytest.mark.parametrize("symbol", [s for s in MATCHED if len(GENES[s].definition.positions) >= 40 and s != "CYP2D6"])
@pytest.mark.parametrize("options", OPTIONS[:3])
def test_forty_unphased_heterozygotes_end_without_a_call(symbol: str, options: Options) -> None:
    called = call(GENES[symbol], heterozygous(symbol, 40), options)
    assert (called.status, called.reason) == (CallStatus.NO_CALL, "too-many-combinations")


@pytest.mark.parametrize("symbol", ["DPYD", "RYR1"])
def test_strands_are_spelt_out_up_to_a_limit(symbol: str) -> None:
    most = max(units for units in range(20) if units << units <= MAX_LISTED)
    assert call(GENES[symbol], heterozygous(symbol, most, "|")).status is CallStatus.AMBIGUOUS
    over = call(GENES[symbol], heterozygous(symbol, most + 1, "|"))
    assert over.reason == "too-many-combinations"


def test_limit_is_well_above_what_pairs_of_defined_alleles_need() -> None:
    for symbol in MATCHED:
        definition = GENES[symbol].definition
        calls = [allele.calls for allele in definition.alleles if allele.calls]
        own = next(allele.calls for allele in definition.alleles if allele.name == definition.reference)
        changed = [{(c, bases) for c, bases in cells.items() if not set(bases) & set(own[c])} for cells in calls]
        most = max(len({c for c, _ in first ^ second}) for first in changed for second in changed)
        assert most <= (22 if definition.matching is Matching.RESEARCH else 10)
        assert most < MAX_UNITS
