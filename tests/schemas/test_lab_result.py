"""What a laboratory may send, what is refused, and what the refusal says."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import lab_result
from schemas.errors import Code, Rejected
from schemas.lab_result import Sex, Status
from tests.schemas.builders import ROW, as_bytes, row, with_row
from tests.schemas.builders import lab_result as example


def rejected(content: Any) -> Rejected:
    value = content if isinstance(content, bytes | None) else as_bytes(content)
    with pytest.raises(Rejected) as caught:
        lab_result.parse(value)
    return caught.value


def test_the_documented_example_is_read() -> None:
    result = lab_result.parse(as_bytes(example()))
    assert (result.tenant, result.patient, result.accession) == ("mercy", "p-7f3a91", "ACC-0001")
    assert (result.status, result.version, result.sex) == (Status.FINAL, 1, Sex.FEMALE)
    assert result.issued == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert [genotype["gt"] for genotype in result.genotypes] == ["0/1", "0|1", "./."]
    assert result.genotypes[1].get("ad") == [14, 12]
    assert [call.gene for call in result.reported] == ["CYP2D6", "HLA-B", "DPYD"]
    assert result.unknown_fields == ()


def test_genotypes_reported_and_sex_may_be_left_out_empty_or_null() -> None:
    for genotypes, reported, sex in (([], [], None), (..., ..., ...), (None, None, None)):
        result = lab_result.parse(as_bytes(example(genotypes=genotypes, reported=reported, sex=sex)))
        assert (result.genotypes, result.reported, result.sex) == ((), (), Sex.UNKNOWN)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field in ("tenant", "patient", "accession", "laboratory")
        for value in (..., None, "", 12, True, ["x"], "a b", "a/b", "a\0b", "é", "x" * 129, "a\n")
    ]
    + [("status", value) for value in (..., None, "", "Final", "done", 1)]
    + [("version", value) for value in (..., None, 0, -1, 1.0, 1.5, "1", True, 2**53, 10**30)]
    + [
        ("issued", value)
        for value in (
            ..., None, "", "2026-11-23", "2026-11-23T10:00:00", "2026-11-23 10:00:00Z", "2026-13-01T10:00:00Z",
            "2026-02-30T10:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T10:00Z", "0001-01-01T00:00:00+10:00",
            "2026-11-23T10:00:00+25:00", 1764000000, "２０２６-11-23T10:00:00Z",
        )
    ]
    + [("assembly", value) for value in (..., None, 38, ["GRCh38"])]
    + [("sex", value) for value in ("", "F", "Female", 1, True)]
    + [("genotypes", value) for value in ({}, "x", 1, True)]
    + [("reported", value) for value in ({}, "x", 1, True)],
)  # fmt: skip
def test_a_wrong_or_missing_field_is_named(field: str, value: Any) -> None:
    error = rejected(example(**{field: value}))
    assert error.code == Code.INVALID_FIELD
    assert error.path == field


@pytest.mark.parametrize("assembly", ["GRCh37", "hg19", "hg38", "grch38", "GRCh38.p14", ""])
def test_other_assemblies_are_not_for_us(assembly: str) -> None:
    error = rejected(example(assembly=assembly))
    assert (error.code, error.path) == (Code.WRONG_ASSEMBLY, "assembly")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        *[({"chrom": value}, "chrom") for value in (..., None, "", 10, "chr 1", "chr1\0", "c" * 129)],
        *[({"pos": value}, "pos") for value in (..., None, 0, -5, 1.0, "94781859", True, 2**31, 1e300)],
        *[({"ref": value}, "ref") for value in (..., None, "", "*", "<DEL>", "G ", "X", 1, ["G"])],
        *[({"alt": value}, "alt") for value in (..., None, "A", {"A": 1}, 1)],
        *[({"alt": [value]}, "alt[0]") for value in ("", None, 1, ["A"], "A A", "A\0")],
        *[({"gt": value}, "gt") for value in (..., None, 0, 1, ["0/1"])],
        *[({"ps": value}, "ps") for value in (-1, 1.0, "1", True, 2**31)],
        *[({"ad": value}, "ad") for value in (1, "1,2", {})],
        *[({"ad": [1, value]}, "ad[1]") for value in (1.0, "2", None, True, [1])],
        *[({"id": value}, "id") for value in (1, True, ["rs1"])],
        *[({"filter": value}, "filter") for value in (1, ["PASS"])],
    ],
)
def test_a_wrong_genotype_field_is_named_with_its_row(changes: dict[str, Any], path: str) -> None:
    error = rejected(with_row(**changes))
    assert error.code == Code.INVALID_FIELD
    assert error.path == f"genotypes[3].{path}"


@pytest.mark.parametrize("bad", [None, 1, "0/1", [1], True])
def test_a_row_that_is_not_an_object_is_refused(bad: Any) -> None:
    error = rejected(example(genotypes=[ROW, bad]))
    assert (error.code, error.path) == (Code.INVALID_FIELD, "genotypes[1]")


@pytest.mark.parametrize(
    "gt", ["", "0/", "/", "0//1", "0-1", "a/b", "0/1 ", "-1/0", "0/01", "1/1.0", "٠/١", "0/1\n", "0,1"]
)
def test_a_genotype_that_does_not_parse_is_refused(gt: str) -> None:
    error = rejected(with_row(gt=gt))
    assert (error.code, error.path) == (Code.INVALID_GENOTYPE, "genotypes[3].gt")


@pytest.mark.parametrize(
    ("gt", "alt"), [("0/2", ["A"]), ("1/1", []), ("3", ["A", "T"]), ("0/0/2", ["A"]), ("./9", ["A"])]
)
def test_a_genotype_that_names_an_unlisted_allele_is_refused(gt: str, alt: list[str]) -> None:
    error = rejected(with_row(gt=gt, alt=alt))
    assert (error.code, error.path) == (Code.INVALID_GENOTYPE, "genotypes[3].gt")


@pytest.mark.parametrize(
    ("gt", "alt"),
    [("0/0", []), ("./.", []), (".", ["A"]), ("1", ["A"]), ("0/.", ["A"]), ("0|1|0", ["A"]), ("2/1", ["A", "<DEL>"]),
     ("0/1", ["*"]), ("10|0", list("ACGTACGTAC")), ("0/0", ["G]17:198982]"])],
)  # fmt: skip
def test_any_vcf_genotype_is_accepted(gt: str, alt: list[str]) -> None:
    result = lab_result.parse(as_bytes(with_row(gt=gt, alt=alt)))
    assert (result.genotypes[3]["gt"], result.genotypes[3]["alt"]) == (gt, alt)


@pytest.mark.parametrize(
    ("written", "meant"), [("|0|1", "0|1"), ("/0/1", "0/1"), ("/0|1", "0/1"), ("|0/1", "0/1"), ("|1", "1")]
)
def test_a_leading_phase_separator_of_vcf_4_4_is_read(written: str, meant: str) -> None:
    assert lab_result.parse(as_bytes(with_row(gt=written))).genotypes[3]["gt"] == meant


def test_contigs_outside_ours_and_lower_case_bases_are_not_a_reason_to_refuse() -> None:
    result = lab_result.parse(as_bytes(with_row(chrom="chrUn_KI270742v1", ref="g", alt=["a", "<INS:ME>"])))
    assert result.genotypes[3]["chrom"] == "chrUn_KI270742v1"


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("CYP2D6", "reported[1]"),
        ({}, "reported[1].gene"),
        ({"gene": None}, "reported[1].gene"),
        ({"gene": ""}, "reported[1].gene"),
        ({"gene": 1}, "reported[1].gene"),
        ({"gene": "DPYD", "activity_score": 1.5}, "reported[1].activity_score"),
        ({"gene": "DPYD", "phenotype": True}, "reported[1].phenotype"),
        ({"gene": "DPYD", "diplotype": ["*1", "*2"]}, "reported[1].diplotype"),
        ({"gene": "DPYD", "diplotype": "*1\0"}, "reported[1].diplotype"),
        ({"gene": "DPYD", "diplotype": "x" * 1001}, "reported[1].diplotype"),
    ],
)
def test_a_wrong_reported_call_is_named(call: Any, path: str) -> None:
    error = rejected(example(reported=[{"gene": "CYP2D6", "diplotype": "*1/*4"}, call]))
    assert (error.code, error.path) == (Code.INVALID_FIELD, path)


def test_a_reported_call_that_cannot_be_read_is_kept_for_the_genotyper() -> None:
    result = lab_result.parse(as_bytes(example(reported=[{"gene": "NOPE", "diplotype": "é\n?"}, {"gene": "CYP2D6"}])))
    assert [call.diplotype for call in result.reported] == ["é\n?", None]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, Code.EMPTY_VALUE),
        (b"", Code.EMPTY_VALUE),
        (b"   ", Code.NOT_JSON),
        (b"{", Code.NOT_JSON),
        (b"not json", Code.NOT_JSON),
        (b'{"tenant": "\xff"}', Code.NOT_JSON),
        (b'\xef\xbb\xbf{"tenant": "mercy"}', Code.NOT_JSON),
        (b'{"version": NaN}', Code.NOT_JSON),
        (b'{"version": Infinity}', Code.NOT_JSON),
        (b'{"version": 1e999}', Code.NOT_JSON),
        (b'{"tenant": "\\ud800"}', Code.NOT_JSON),
        (b"{} {}", Code.NOT_JSON),
        (b"[]", Code.INVALID_FIELD),
        (b'"text"', Code.INVALID_FIELD),
        (b"null", Code.INVALID_FIELD),
        (b"[" * 17 + b"]" * 17, Code.TOO_DEEP),
        (b"[" * 100_000, Code.TOO_DEEP),
        (b'{"a":' * 400 + b"1" + b"}" * 400, Code.TOO_DEEP),
    ],
)
def test_what_is_not_a_lab_result_at_all(value: bytes | None, code: Code) -> None:
    assert rejected(value).code == code


def test_the_size_limit_is_one_million_bytes() -> None:
    value = as_bytes(example())
    assert lab_result.parse(value + b" " * (1_000_000 - len(value))).tenant == "mercy"
    assert rejected(value + b" " * (1_000_001 - len(value))).code == Code.TOO_LARGE


def test_nesting_is_bounded_also_in_fields_that_are_ignored() -> None:
    def nested(levels: int) -> Any:
        return [nested(levels - 1)] if levels else 1

    assert lab_result.parse(as_bytes(example(note=nested(15)))).unknown_fields == ("note",)
    assert rejected(example(note=nested(16))).code == Code.TOO_DEEP
    assert rejected(with_row(note=nested(14))).code == Code.TOO_DEEP
    assert rejected(example(genotypes=nested(16))).code == Code.TOO_DEEP


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 1, "version": 2}',
        '{"version" :1, "version"\n:2}',
        '{"version": 1, "\\u0076ersion": 2}',
        '{"note": ":", "note": "\\":"}',
    ],
)
def test_a_name_that_occurs_twice_is_refused(text: str) -> None:
    whole = as_bytes(example(version=...) if "ersion" in text else example()).decode()
    error = rejected((text[:-1] + "," + whole[1:]).encode())
    assert error.code == Code.INVALID_FIELD
    assert "twice" in error.message


def test_a_name_that_occurs_twice_in_a_row_is_refused() -> None:
    value = as_bytes(example()).replace(b'"gt":"0/1"', b'"gt":"0/1","gt":"1/1"')
    assert rejected(value).path == "gt"


def test_colons_and_escapes_in_texts_are_no_duplicates() -> None:
    content = with_row(id="a:b:c", filter='q":x')
    content["reported"] = [{"gene": "HLA-B", "diplotype": '*15:02/"*57:01"'}]
    assert lab_result.parse(json.dumps(content, indent=2).encode()).genotypes[3].get("id") == "a:b:c"


def test_unknown_fields_are_ignored_and_named() -> None:
    content = with_row(dp=30, gq=None) | {"note": "x", "unknown_fields": ["y"]}
    content["reported"] = [{"gene": "CYP2D6", "method": "panel"}]
    result = lab_result.parse(as_bytes(content))
    assert result.unknown_fields == ("genotypes[].dp", "genotypes[].gq", "note", "reported[].method", "unknown_fields")
    assert result.genotypes[3] == ROW


def test_the_number_of_named_unknown_fields_is_bounded() -> None:
    result = lab_result.parse(as_bytes(example(**{f"x{number}" * 50: 1 for number in range(100)})))
    assert len(result.unknown_fields) == 21
    assert max(map(len, result.unknown_fields)) == 64


@pytest.mark.parametrize(
    "written",
    [
        {"issued": "2026-11-23T12:00:00+02:00"},
        {"issued": "2026-11-23T10:00:00.000Z"},
        {"issued": "2026-11-23t10:00:00z"},
        {"note": "not ours"},
        {"genotypes": [row(ps=None, ad=None, filter=None), *example()["genotypes"][1:]]},
        {"genotypes": [dict(reversed(ROW.items())), *example()["genotypes"][1:]]},
        {"reported": [call | {"phenotype": call.get("phenotype")} for call in example()["reported"]]},
    ],
)
def test_the_same_content_has_the_same_id_however_it_is_written(written: dict[str, Any]) -> None:
    one, other = (lab_result.parse(as_bytes(content)) for content in (example(), example(**written)))
    assert lab_result.canonical(one) == lab_result.canonical(other)
    assert lab_result.content_id(one) == lab_result.content_id(other)


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"status": "corrected"}, {"sex": "male"}, {"issued": "2026-11-23T10:00:01Z"}, {"reported": []},
     {"genotypes": [ROW]}, {"patient": "p-other1"}],
)  # fmt: skip
def test_another_content_has_another_id(change: dict[str, Any]) -> None:
    one, other = (lab_result.parse(as_bytes(content)) for content in (example(), example(**change)))
    assert lab_result.content_id(one) != lab_result.content_id(other)


def test_the_canonical_content_is_a_lab_result_again() -> None:
    result = lab_result.parse(as_bytes(example()))
    assert lab_result.parse(lab_result.canonical(result)) == result


_TEXT = st.text(alphabet='01AG/|.*:"\\\0 é😀', max_size=6)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_FIELDS = [
    "tenant",
    "patient",
    "accession",
    "laboratory",
    "status",
    "version",
    "issued",
    "assembly",
    "sex",
    "genotypes",
]
_ROW_FIELDS = ["chrom", "pos", "id", "ref", "alt", "gt", "ps", "ad", "filter"]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([*_FIELDS, "reported", "extra"]), _JSON, max_size=3))
def test_whatever_a_field_holds_the_answer_is_a_result_or_a_rejection(changes: dict[str, Any]) -> None:
    try:
        result = lab_result.parse(json.dumps(example(**changes)).encode("utf-8", "surrogatepass"))
    except Rejected:
        return
    assert lab_result.parse(lab_result.canonical(result)) == result.model_copy(update={"unknown_fields": ()})


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([*_ROW_FIELDS, "extra"]), _JSON, min_size=1, max_size=3))
def test_a_row_is_judged_alike_among_plain_rows_and_among_odd_ones(changes: dict[str, Any]) -> None:
    """The fast way and the precise way agree: an unknown field elsewhere sends the same row the other way."""

    def judged(rows: list[dict[str, Any]]) -> Any:
        try:
            return lab_result.parse_object(example(genotypes=rows)).genotypes[0]
        except Rejected as error:
            return error.code, error.path, error.message

    odd = row(gt="|0|1")
    assert judged([row(**changes), ROW]) == judged([row(**changes), odd])


@pytest.mark.parametrize(
    "content",
    [
        example(patient="Secret.Smith"),
        example(patient="secret smith"),
        example(status="secret"),
        example(issued="secret"),
        example(assembly="secret"),
        with_row(gt="secret"),
        with_row(ref="secret"),
        with_row(alt=["sec ret"]),
        example(reported=[{"gene": "secret" * 200}]),
    ],
)
def test_a_rejection_never_repeats_what_it_found(content: dict[str, Any]) -> None:
    assert "secret" not in str(rejected(content)).lower()
