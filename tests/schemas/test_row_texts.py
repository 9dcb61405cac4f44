"""Rows that are recognised by their text are read as they would be for the first time, whatever stands around them."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import lab_result, row_texts, strict_json
from schemas.errors import Rejected
from schemas.row_texts import RowTexts
from tests.schemas.builders import ROW, as_bytes, row
from tests.schemas.builders import lab_result as example

ROWS = [row(pos=pos, gt=gt) for pos in range(100, 110) for gt in ("0/0", "0/1")]
KNOWN = as_bytes(example(genotypes=ROWS, reported=[{"gene": "CYP2D6", "diplotype": "*1/*4"}]))


def outcome(value: bytes, whole: bool) -> Any:
    """The result or the rejection; read row by row where known, or as a whole."""
    try:
        if not whole:
            return lab_result.parse(value)
        content = strict_json.loads(value, lab_result.MAX_BYTES)
        return lab_result.parse_within(value, content, content)
    except Rejected as error:
        return error.code, error.path, error.message


def test_a_row_of_the_same_text_is_the_same_object() -> None:
    first, second = lab_result.parse(KNOWN), lab_result.parse(KNOWN.replace(b"ACC-0001", b"ACC-0002"))
    assert all(one is other for one, other in zip(first.genotypes, second.genotypes, strict=True))
    assert second.accession == "ACC-0002"
    assert [call.gene for call in second.reported] == ["CYP2D6"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"gt":"0/1"}', b'"gt":"0/2"}'),
        (b'"gt":"0/1"}', b'"gt":"0/1","gt":"0/0"}'),
        (b'"gt":"0/1"}', b'"gt":"0/1"},'),
        (b'"gt":"0/1"}', b'"gt":"0/1","note":{"a":1}}'),
        (b'"gt":"0/1"}', b'"gt":"0/1","id":"a}],b"}'),
        (b'"gt":"0/1"}', b'"gt":"0/1","ps":5}'),
        (b'"gt":"0/1"}', b'"gt":"0/1","ps":null}'),
        (b'"gt":"0/1"}', b'"gt":"0/1","ad":{}}'),
        (b'"gt":"0/1"}', b'"gt":"0/1","id":"\\u0041"}'),
        (b'"pos":100,', b'"pos":100.0,'),
        (b'"genotypes":[', b'"genotypes":[,'),
        (b'"genotypes":[', b'"genotypes":[],"genotypes":['),
        (b'"genotypes":[', b'"genotypes":[],"g\\u0065notypes":['),
        (b'"genotypes":[', b'"note":"genotypes","genotypes" : [ '),
        (b'"genotypes":[', b'"g\\u0065notypes":[],"note":{"genotypes":[]},"x":['),
        (b'"genotypes":[', b'"note":{"genotypes":['),
        (b'"genotypes":[', b'"genotypes":[['),
        (b'],"reported"', b',"reported"'),
        (b'],"reported"', b',],"reported"'),
        (b'],"reported"', b'],"tenant":"mercy","reported"'),
        (b'],"reported"', b"]}"),
    ],
)
def test_what_is_odd_is_judged_as_if_nothing_were_known(old: bytes, new: bytes) -> None:
    lab_result.parse(KNOWN)
    assert old in KNOWN
    for value in (KNOWN.replace(old, new), KNOWN.replace(old, new, 1)):
        assert outcome(value, whole=False) == outcome(value, whole=True)
        assert outcome(value, whole=False) == outcome(value, whole=True)


@pytest.mark.parametrize("indent", [None, 2])
def test_an_envelope_and_space_are_no_hindrance(indent: int | None) -> None:
    envelope = {"specversion": "1.0", "data": example(genotypes=ROWS)}
    value = json.dumps(envelope, indent=indent).encode()
    texts = RowTexts()
    texts.loads(value)
    read = texts.loads(value)
    assert read is not None
    rest, whole = read
    assert whole["data"]["genotypes"].rows == tuple(ROWS)
    assert orjson.loads(rest)["data"] == example(genotypes=[])


OWN = [row(pos=pos, gt=gt) for pos in range(100, 130) for gt in ("0/0", "0|1")]
"""Rows to which every sample adds depths and phase sets of its own."""


def own(number: int, **fields: Any) -> list[dict[str, Any]]:
    """The rows of one sample; a field is a function of sample and row."""
    return [each | {name: of(number, at) for name, of in fields.items()} for at, each in enumerate(OWN)]


def depths(number: int, at: int) -> list[int]:
    return [number, at][: 1 + (number + at) % 2]


def phase_set(number: int, at: int) -> int:
    return number * at


FIELDS = {
    "ad": {"ad": depths},
    "ps": {"ps": phase_set},
    "both": {"ps": phase_set, "ad": depths},
    "between": {"ad": depths, "filter": lambda _, at: "PASS" if at % 9 else "q10", "ps": phase_set},
}


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("indent", [None, 2])
def test_depths_and_phase_sets_are_each_samples_own(fields: str, indent: int | None) -> None:
    texts = RowTexts()
    for number in range(3):
        rows = own(number, **FIELDS[fields])
        read = texts.loads(json.dumps({"data": example(genotypes=rows)}, indent=indent).encode())
        assert read is not None
        assert read[1]["data"]["genotypes"].rows == tuple(rows)
        assert orjson.loads(read[0])["data"] == example(genotypes=[])
    assert 0 < len(texts) <= len(OWN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"ad":[7]', b'"ad":[7,]'),
        (b'"ad":[7]', b'"ad":[07]'),
        (b'"ad":[7]', b'"ad":[99999999999999999999]'),
        (b'"ad":[7]', b'"ad":[18446744073709551615]'),
        (b'"ad":[7]', b'"ad":[7.0]'),
        (b'"ad":[7]', b'"ad":[true]'),
        (b'"ad":[7]', b'"ad":null'),
        (b'"ad":[7]', b'"ad":[ ]'),
        (b'"ad":[7]', b'"ad":[7],"ad":[7]'),
        (b'"ad":[7]', b'"ad":[7],"note":{"ad":[7]}'),
        (b'"ad":[7]', b'"ad":[7],"gt":"0/0"'),
        (b'"ad":[7]', b'"id":"\x0b"'),
        (b',"ad":[7]', b""),
        (b'"ps":0', b'"ps":00'),
        (b'"ps":0', b'"ps":2147483648'),
        (b'"ps":0', b'"ps":-1'),
        (b'"ps":0', b'"ps":1e3'),
        (b'"ps":0', b'"ps":null'),
        (b'"ps":0,', b""),
        (b'"ps":0,"ad":[7]', b'"ad":[7],"ps":0'),
        (b'"ps":0,"ad":[7]', b'"ad":[],"ps":0'),
        (b'"reported":[', b'"note":{"ps":4,"ad":[1]},"reported":['),
        (b'"reported":[', b'"note":[{"ps":4,"ad":[1]}],"reported":['),
        (b'"reported":[', b'"ps":4,"ad":[1],"reported":['),
    ],
)
@pytest.mark.parametrize("everywhere", [True, False])
def test_odd_depths_are_judged_as_if_nothing_were_known(old: bytes, new: bytes, everywhere: bool) -> None:
    fields = {"ps": lambda number, _: 0, "ad": lambda number, _: [number]}
    value = as_bytes(example(genotypes=own(7, **fields), reported=[{"gene": "CYP2D6", "diplotype": "*1/*4"}]))
    assert old in value
    lab_result.parse(value)
    for odd in (value.replace(old, new, -1 if everywhere else 1), new.join(value.rsplit(old, 1))):
        assert outcome(odd, whole=False) == outcome(odd, whole=True)
        assert outcome(odd, whole=False) == outcome(odd, whole=True)


OWN_KNOWN = as_bytes(example(genotypes=own(7, **FIELDS["both"])))


@settings(deadline=None)
@given(
    st.integers(0, len(OWN_KNOWN)),
    st.integers(0, 40),
    st.binary(max_size=12) | st.sampled_from([b"}", b"]", b'"ad":[1]', b'"ps":0,"ad":[]}', b"0", b",", b'"ps":1,']),
)
def test_damage_among_depths_is_judged_as_if_nothing_were_known(at: int, length: int, put: bytes) -> None:
    lab_result.parse(OWN_KNOWN)
    value = OWN_KNOWN[:at] + put + OWN_KNOWN[at + length :]
    assert outcome(value, whole=False) == outcome(value, whole=True)


@settings(deadline=None)
@given(
    st.integers(0, len(KNOWN)), st.integers(0, 40), st.binary(max_size=12) | st.sampled_from([b"}", b"]", b'"', b"{"])
)
def test_damage_anywhere_is_judged_as_if_nothing_were_known(at: int, length: int, put: bytes) -> None:
    lab_result.parse(KNOWN)
    value = KNOWN[:at] + put + KNOWN[at + length :]
    assert outcome(value, whole=False) == outcome(value, whole=True)


def test_memory_is_bounded_and_rows_of_one_sample_alone_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_texts, "MAX_TEXTS", 30)
    texts = RowTexts()
    for start in range(1000, 2000, 10):
        rows = [row(pos=pos) for pos in range(start, start + 10)]
        assert texts.loads(as_bytes(example(genotypes=rows))) is not None
    assert 0 < len(texts) <= 30
    before = len(texts)
    assert texts.loads(as_bytes(example(genotypes=[row(ad=[-9, depth]) for depth in range(100)]))) is None
    texts.loads(as_bytes(example(genotypes=[row(pos=pos, id="r" * 600) for pos in range(100, 200)])))
    assert len(texts) == before


def test_depths_of_a_wrong_type_beside_right_ones_are_refused() -> None:
    for bad in ("", {}):
        with pytest.raises(Rejected) as caught:
            lab_result.parse(as_bytes(example(genotypes=[ROW | {"ad": [9, 8]}, ROW | {"ad": bad}])))
        assert caught.value.path == "genotypes[1].ad"
