"""What a hospital may state about a patient's medications and body, what is refused, and what the refusal says."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import clinical_context, cloudevents, generate
from schemas.clinical_context import Ancestry, MedicationStatus, OrganFunction, Smoking, StatementStatus
from schemas.errors import Code, Rejected
from schemas.lab_result import Sex
from schemas.topics import CLINICAL_CONTEXT
from tests.schemas.builders import KEY, as_bytes, envelope, headers
from tests.schemas.builders import clinical_context as example

OPTIONAL = (
    "version", "status", "effective", "medications", "sex", "birth_year", "ancestry", "height_cm", "weight_kg",
    "smoking", "organs", "indications", "target_inr",
)  # fmt: skip


def rejected(content: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        clinical_context.parse(content if isinstance(content, bytes | None) else as_bytes(content))
    return caught.value


def with_medication(**changes: Any) -> dict[str, Any]:
    medication = {"rxnorm": "32937", "status": "started"} | changes
    return example(medications=[{name: value for name, value in medication.items() if value is not ...}])


def test_a_whole_statement_is_read() -> None:
    said = clinical_context.parse(as_bytes(example()))
    assert (said.key, said.source, said.statement, said.version) == ("mercy/p-7f3a91", "ward-system", "MED-4711", 1)
    assert (said.status, said.recorded) == (StatementStatus.ACTIVE, datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert said.effective == datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
    assert [(one.identity, one.status) for one in said.medications] == [
        ("rxnorm:32937", MedicationStatus.STARTED),
        ("rxnorm:6918", MedicationStatus.STOPPED),
    ]
    assert (said.sex, said.birth_year, said.ancestry) == (Sex.FEMALE, 1961, Ancestry.WHITE)
    assert (said.height_cm, said.weight_kg, said.smoking) == (170.0, 71.5, Smoking.FORMER)
    assert said.organs is not None
    assert said.organs.kidney is OrganFunction.IMPAIRED
    assert said.unknown_fields == ()


def test_every_fact_may_be_left_out_and_null_says_as_little() -> None:
    left_out = clinical_context.parse(as_bytes(example(**dict.fromkeys(OPTIONAL, ...))))
    null = clinical_context.parse(as_bytes(example(**dict.fromkeys(OPTIONAL))))
    assert left_out == null
    assert (left_out.medications, left_out.sex, left_out.organs, left_out.version) == ((), None, None, 1)


def test_an_empty_list_is_said_and_a_missing_one_is_not() -> None:
    said = clinical_context.parse(as_bytes(example(indications=[], organs={"transplants": []})))
    assert said.organs is not None
    assert (said.indications, said.organs.transplants) == ((), ())
    silent = clinical_context.parse(as_bytes(example(indications=..., organs={})))
    assert silent.organs is not None
    assert (silent.indications, silent.organs.transplants) == (None, None)


def _any(*values: Any) -> tuple[Any, ...]:
    return values


WRONG_FIELDS: list[tuple[str, Any]] = [
    *[(f, v) for f in ("tenant", "patient", "source", "statement") for v in _any(..., None, "", 1, "a b", "a/b", "é")],
    *[("version", v) for v in _any(0, -1, 1.0, "1", True, 2**53)],
    *[("status", v) for v in _any("", "final", 1)],
    *[(f, v) for f in ("recorded", "effective") for v in _any("2026-11-24", "2026-11-24T09:00:00", 0, "now")],
    ("recorded", ...),
    ("effective", "2026-11-24T09:00:01Z"),
    *[("medications", v) for v in _any({}, "paroxetine", [{"name": "x", "status": "started"}] * 201)],
    *[("sex", v) for v in _any("F", 1)],
    *[("birth_year", v) for v in _any("1961", 1961.0, 1899, 61, 3000, 2027, "1961-03-12")],
    *[("ancestry", v) for v in _any("European", 1)],
    *[("height_cm", v) for v in _any("170", 1.7, 300, True, [170])],
    *[("weight_kg", v) for v in _any("71", 0, 700, True)],
    *[("smoking", v) for v in _any(True, "yes")],
    *[("organs", v) for v in _any([], "normal")],
    *[("indications", v) for v in _any("atrial-fibrillation", {})],
    *[("target_inr", v) for v in _any(0.5, 6, "2.5")],
]


@pytest.mark.parametrize(("field", "value"), WRONG_FIELDS)
def test_a_wrong_or_missing_field_is_named(field: str, value: Any) -> None:
    error = rejected(example(**{field: value}))
    assert (error.code, error.path) == (Code.INVALID_FIELD, field)


WRONG_MEDICATIONS: list[tuple[dict[str, Any], str]] = [
    ({"rxnorm": ...}, "medications[0]"),
    *[({"rxnorm": v}, "medications[0].rxnorm") for v in _any(32937, "", "032937", "N06AB05", "1234567890")],
    *[({"atc": v}, "medications[0].atc") for v in _any("N06", "n06ab05", "N06AB5", 5)],
    *[({"name": v}, "medications[0].name") for v in _any("", " ", "x" * 129, "a\nb", 5)],
    *[({"status": v}, "medications[0].status") for v in _any(..., "active", "", True)],
    *[({name: "2026-11-24"}, f"medications[0].{name}") for name in ("since", "until")],
    ({"since": "2026-11-24T09:00:00Z", "until": "2026-11-23T09:00:00Z"}, "medications[0].until"),
]


@pytest.mark.parametrize(("changes", "path"), WRONG_MEDICATIONS)
def test_a_wrong_medication_is_named(changes: dict[str, Any], path: str) -> None:
    error = rejected(with_medication(**changes))
    assert (error.code, error.path) == (Code.INVALID_FIELD, path)


def test_one_drug_cannot_be_started_and_stopped_by_one_statement() -> None:
    both = [{"rxnorm": "32937", "status": "started"}, {"rxnorm": "32937", "name": "other name", "status": "stopped"}]
    error = rejected(example(medications=both))
    assert (error.code, error.path) == (Code.INVALID_FIELD, "medications[1]")


def test_inside_organs_and_lists_the_place_is_named() -> None:
    assert rejected(example(organs={"liver": "bad"})).path == "organs.liver"
    assert rejected(example(organs={"transplants": ["heart"]})).path == "organs.transplants[0]"
    assert rejected(example(indications=["other", "gout"])).path == "indications[1]"


@pytest.mark.parametrize("patient", ["John.Smith", "1980-03-12", "943-476-5919"])
def test_a_patient_that_is_no_pseudonym_is_refused_and_not_repeated(patient: str) -> None:
    error = rejected(example(patient=patient))
    assert (error.code, error.path) == (Code.UNSAFE_IDENTIFIER, "patient")
    assert patient not in str(error)


def test_what_nobody_knows_is_ignored_and_remembered() -> None:
    said = clinical_context.parse(
        as_bytes(
            example(note="x", organs={"spleen": "normal"}, medications=[{"name": "x", "status": "started", "q": 1}])
        )
    )
    assert said.unknown_fields == ("medications[].q", "note", "organs.spleen")
    assert clinical_context.content_sha256(said) == clinical_context.content_sha256(
        clinical_context.parse(as_bytes(example(organs={}, medications=[{"name": "x", "status": "started"}])))
    )


def test_values_that_are_no_single_json_object_are_refused() -> None:
    assert rejected(None).code == Code.EMPTY_VALUE
    assert rejected(b"{").code == Code.NOT_JSON
    assert rejected(b"[]").code == Code.INVALID_FIELD
    assert rejected(b'{"tenant":"a","tenant":"a"}').path == "tenant"
    assert rejected(b'{"x":"' + b"x" * 100_000 + b'"}').code == Code.TOO_LARGE
    assert rejected(example(note=[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]])).code == Code.TOO_DEEP


def test_the_same_content_has_the_same_id_however_it_is_written() -> None:
    one = clinical_context.parse(as_bytes(example(height_cm=170)))
    other = clinical_context.parse(
        as_bytes(dict(reversed(example(height_cm=170.0, recorded="2026-11-24T10:00:00+01:00").items())))
    )
    assert clinical_context.content_id(one) == clinical_context.content_id(other)
    changed = clinical_context.parse(as_bytes(example(height_cm=171)))
    assert clinical_context.content_id(one) != clinical_context.content_id(changed)


def test_binary_structured_and_bare_mode() -> None:
    kind = {"ce_type": "pgx.clinical-context.v1", "ce_source": "/mercy/ward"}
    binary = cloudevents.decode_clinical_context(KEY, as_bytes(example()), headers(**kind))
    structured = cloudevents.decode_clinical_context(
        KEY, as_bytes(envelope(example(), type="pgx.clinical-context.v1", source="/mercy/ward")), []
    )
    bare = cloudevents.decode_clinical_context(KEY, as_bytes(example()), [])
    assert (binary.id, binary.source, binary.type) == ("event-1", "/mercy/ward", "pgx.clinical-context.v1")
    assert (structured.id, structured.source, structured.data) == ("event-1", "/mercy/ward", binary.data)
    assert (bare.source, bare.time) == ("/mercy/ward-system", "2026-11-24T09:00:00Z")
    assert bare.id == clinical_context.content_id(bare.data)


def test_messages_about_something_else_are_refused() -> None:
    with pytest.raises(Rejected) as lab_result:
        cloudevents.decode_clinical_context(KEY, as_bytes(example()), headers())
    assert (lab_result.value.code, lab_result.value.path) == (Code.INVALID_ENVELOPE, "ce_type")
    with pytest.raises(Rejected) as other_patient:
        cloudevents.decode_clinical_context(b"mercy/p-2", as_bytes(example()), [])
    assert other_patient.value.code == Code.KEY_MISMATCH
    with pytest.raises(Rejected) as next_version:
        cloudevents.decode_clinical_context(KEY, as_bytes(example()), headers(ce_type="pgx.clinical-context.v2"))
    assert next_version.value.code == Code.UNKNOWN_MAJOR_VERSION


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_schema_accepts_what_the_parser_accepts(data: st.DataObject) -> None:
    """Whatever is put in place of a field is refused cleanly or is valid by the published schema."""
    field = data.draw(st.sampled_from(sorted(example())))
    content = example(**{field: data.draw(ANYTHING)})
    try:
        clinical_context.parse(as_bytes(content))
    except Rejected:
        return
    assert JUDGE.is_valid(content), content


JUDGE = Draft202012Validator(generate.json_schema(CLINICAL_CONTEXT))
