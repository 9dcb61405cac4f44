"""Kept observations called again: under the same definitions they are the same calls."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.genotype import CallStatus
from schemas.lab_result import Sex, parse_object
from services.genotyper.options import Options
from services.genotyper.recall import Recaller
from services.genotyper.release_caller import ReleaseCaller
from tests.services.genotyper.samples import GENES, MATCHED, RELEASE, drawn
from tests.support.results import lab_result

CALLER = ReleaseCaller(RELEASE, Options())
AGAIN = Recaller(RELEASE, RELEASE)


def content(rows: list[dict[str, Any]], *reported: dict[str, str]) -> dict[str, Any]:
    return lab_result({}, RELEASE) | {"genotypes": rows, "reported": list(reported)}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MATCHED).flatmap(lambda symbol: drawn(symbol, half_calls=True)), st.data())
def test_a_gene_called_again_from_what_was_kept_is_called_as_before(sample: Any, data: st.DataObject) -> None:
    rows = sample.rows()
    if rows and data.draw(st.booleans()):
        odd = dict(data.draw(st.sampled_from(rows)))
        rows.append(odd | {"gt": data.draw(st.sampled_from(("./.", "0/0", "1/1", "0/1")))})
        rows.append(odd | {"gt": "0/1", "ad": [9, 0]})
    called = CALLER.call(parse_object(content(rows)))
    call = next(one for one in called.genotypes if one.gene == sample.gene.symbol)
    assert AGAIN.call(call, called.observed.get(call.gene), Sex.FEMALE) == call


def test_what_the_laboratory_reports_is_read_again_beside_its_rows() -> None:
    rows = lab_result({"CYP2C19": "*1/*2"}, RELEASE)["genotypes"]
    called = CALLER.call(parse_object(content(rows, {"gene": "CYP2C19", "diplotype": "*2/*2"})))
    call = next(one for one in called.genotypes if one.gene == "CYP2C19")
    assert call.matched is not None
    assert AGAIN.call(call, called.observed["CYP2C19"], Sex.FEMALE) == call


def test_positions_beside_the_definition_are_kept() -> None:
    gene = next(gene for gene in GENES.values() if gene.definition.extra_positions and gene.definition.positions)
    extra = gene.definition.extra_positions[0]
    rows = lab_result({gene.symbol: "*1/*1"}, RELEASE)["genotypes"]
    rows.append({"chrom": gene.chromosome, "pos": extra.pos, "ref": extra.ref, "alt": list(extra.alts), "gt": "0/1"})
    called = CALLER.call(parse_object(content(rows)))
    call = next(one for one in called.genotypes if one.gene == gene.symbol)
    assert call.observed_variants
    assert AGAIN.call(call, called.observed[gene.symbol], Sex.FEMALE) == call


def test_a_call_of_which_nothing_was_kept_stays() -> None:
    called = CALLER.call(parse_object(lab_result({"TPMT": "*1/*3A"}, RELEASE)))
    call = next(one for one in called.genotypes if one.gene == "TPMT")
    assert call.status is CallStatus.CALLED
    assert AGAIN.call(call, None, Sex.FEMALE) is call
