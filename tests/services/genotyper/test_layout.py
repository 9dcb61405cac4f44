"""A sample of a known layout is answered as it would be by a caller that has seen nothing yet."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.lab_result import LabResult, parse, parse_object
from services.genotyper import layout
from services.genotyper.options import Options
from services.genotyper.release_caller import ReleaseCaller
from tests.services.genotyper.samples import GENES, RELEASE

HEADER = {
    "tenant": "mercy", "patient": "p-1", "accession": "ACC-1", "laboratory": "acme", "status": "final", "version": 1,
    "issued": "2026-01-01T00:00:00Z", "assembly": "GRCh38",
}  # fmt: skip
ROWS = [
    {"chrom": gene.chromosome, "pos": p.pos, "ref": p.ref, "alt": list(p.alts), "gt": "0/0"}
    for gene in (GENES["CYP2C19"], GENES["TPMT"])
    for p in gene.definition.positions
]
KNOWING = ReleaseCaller(RELEASE, Options())
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "gt": st.sampled_from(["0/1", "1/1", "0|1", "./."]),
        "alt": st.just(["A", "C", "G", "T"]),
        "pos": st.sampled_from([row["pos"] for row in ROWS[:3]]),
        "ps": st.just(7),
        "id": st.just("rs1"),
    },
)


def sample(rows: list[dict[str, Any]]) -> bytes:
    return orjson.dumps(HEADER | {"genotypes": rows})


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(0, len(ROWS) - 1), CHANGES, max_size=4), st.booleans())
def test_what_was_seen_before_changes_no_answer(changes: dict[int, dict[str, Any]], swapped: bool) -> None:
    rows = [row | changes.get(number, {}) for number, row in enumerate(ROWS)]
    value = sample(rows[::-1] if swapped else rows)
    fresh = ReleaseCaller(RELEASE, Options()).call(parse_object(orjson.loads(value)))
    for result in (parse(value), parse(value), parse_object(orjson.loads(value))):
        assert KNOWING.call(result) == fresh


def test_rows_made_anew_for_each_result_are_not_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(layout, "MAX_ROWS", 2 * len(ROWS))
    caller = ReleaseCaller(RELEASE, Options())

    def kept(result: LabResult) -> int:
        caller.call(result)
        return sum(known.layout.rows_kept for known in caller._layouts)

    anew = orjson.loads(sample(ROWS))
    assert kept(parse_object(anew)) == kept(parse_object(orjson.loads(sample(ROWS)))) == len(ROWS)
    for number in range(len(ROWS)):
        rows = [row | {"gt": "0/1" if number == place else "0/0"} for place, row in enumerate(ROWS)]
        assert kept(parse(sample(rows))) <= 2 * len(ROWS)
