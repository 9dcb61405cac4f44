"""Messages on the bus: the three ways to publish a lab result, our own events, keys, ids and what is refused."""

from typing import Any

import pytest

from schemas import cloudevents
from schemas.cloudevents import Event
from schemas.errors import Code, Rejected
from schemas.knowledge import ReleaseActivated
from schemas.lab_result import LabResult
from schemas.topics import GENOTYPE, KNOWLEDGE, LAB_RESULT, PHENOTYPE, RECOMMENDATION, Topic
from tests.schemas.builders import KEY, as_bytes, envelope, headers, lab_result
from tests.schemas.fixtures import stored

Headers = list[tuple[str, bytes]]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def decoded(value: Any, message_headers: Headers | None = None, key: bytes | None = KEY) -> Event[LabResult]:
    body = value if isinstance(value, bytes | None) else as_bytes(value)
    return cloudevents.decode_lab_result(key, body, message_headers or [])


def rejected(value: Any, message_headers: Headers | None = None, key: bytes | None = KEY) -> Rejected:
    with pytest.raises(Rejected) as caught:
        decoded(value, message_headers, key)
    return caught.value


def test_binary_mode() -> None:
    event = decoded(lab_result(), [*headers(), ("traceparent", TRACE.encode()), ("x-other", b"\xff")])
    assert (event.id, event.source, event.type) == ("event-1", "/acme", "pgx.lab-result.v1")
    assert (event.time, event.traceparent) == ("2026-11-23T10:00:00Z", TRACE)
    assert event.data.accession == "ACC-0001"
    assert len(event.sha256) == 64


def test_binary_mode_without_a_time_takes_the_time_of_issue() -> None:
    event = decoded(lab_result(issued="2026-11-23T12:00:00+02:00"), headers(ce_time=None))
    assert event.time == "2026-11-23T10:00:00Z"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/fhir+json", None]
)
def test_json_content_types_are_accepted(content_type: str | None) -> None:
    assert decoded(lab_result(), headers(content_type=content_type)).id == "event-1"


def test_structured_mode_by_content_type_or_by_the_fields_of_the_envelope() -> None:
    content = envelope(lab_result(), traceparent=TRACE, extension=1)
    for message_headers in ([("content-type", b"application/cloudevents+json; charset=utf-8")], []):
        event = decoded(content, message_headers)
        assert (event.id, event.source, event.time) == ("event-1", "/acme", "2026-11-23T10:00:00Z")
        assert (event.traceparent, event.data.accession) == (TRACE, "ACC-0001")


def test_a_bare_lab_result_gets_its_id_from_its_content() -> None:
    event = decoded(lab_result())
    assert event == decoded(lab_result())
    assert (event.source, event.time) == ("/mercy/acme-genomics", "2026-11-23T10:00:00Z")
    assert decoded(lab_result(version=2)).id != event.id
    assert decoded(as_bytes(lab_result()).replace(b",", b", ")).id == event.id


@pytest.mark.parametrize("missing", ["ce_specversion", "ce_id", "ce_source", "ce_type"])
def test_some_but_not_all_required_headers_are_an_error(missing: str) -> None:
    error = rejected(lab_result(), headers(**{missing: None}))
    assert (error.code, error.path) == (Code.INVALID_ENVELOPE, missing)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("ce_specversion", "0.3", Code.INVALID_ENVELOPE),
        ("ce_type", "pgx.lab-result.v2", Code.UNKNOWN_MAJOR_VERSION),
        ("ce_type", "pgx.lab-result.v10", Code.UNKNOWN_MAJOR_VERSION),
        ("ce_type", "pgx.genotype.v1", Code.INVALID_ENVELOPE),
        ("ce_type", "", Code.INVALID_ENVELOPE),
        ("ce_id", "", Code.INVALID_ENVELOPE),
        ("ce_id", "x" * 257, Code.INVALID_ENVELOPE),
        ("ce_id", "a\0b", Code.INVALID_ENVELOPE),
        ("ce_source", "a\nb", Code.INVALID_ENVELOPE),
        ("ce_time", "yesterday", Code.INVALID_ENVELOPE),
        ("content-type", "text/csv", Code.INVALID_ENVELOPE),
        ("content-type", "application/cloudevents-batch+json", Code.INVALID_ENVELOPE),
    ],
)
def test_a_wrong_attribute_is_named_in_both_modes(name: str, value: str, code: Code) -> None:
    error = rejected(lab_result(), headers(**{name.replace("-", "_"): value}))
    assert (error.code, error.path) == (code, name)
    if name != "content-type":
        attribute = name.removeprefix("ce_")
        error = rejected(envelope(lab_result(), **{attribute: value}))
        assert (error.code, error.path) == (code, attribute)


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type", "data"])
def test_an_incomplete_envelope_is_refused(missing: str) -> None:
    error = rejected(envelope(lab_result(), **{missing: ...}), [("content-type", b"application/cloudevents+json")])
    assert (error.code, error.path) == (Code.INVALID_ENVELOPE, missing)


def test_headers_that_contradict_each_other_are_refused() -> None:
    error = rejected(lab_result(), [*headers(), ("ce_id", b"another")])
    assert (error.code, error.path) == (Code.INVALID_ENVELOPE, "ce_id")
    assert decoded(lab_result(), [*headers(), ("ce_id", b"event-1")]).id == "event-1"


def test_headers_that_contradict_the_envelope_are_refused() -> None:
    error = rejected(envelope(lab_result()), headers(ce_id="another", content_type="application/cloudevents+json"))
    assert (error.code, error.path) == (Code.INVALID_ENVELOPE, "ce_id")


def test_a_header_that_is_not_text_is_refused() -> None:
    error = rejected(lab_result(), [*headers(ce_id=None), ("ce_id", b"\xff")])
    assert (error.code, error.path) == (Code.INVALID_ENVELOPE, "ce_id")


@pytest.mark.parametrize("key", [None, b"", b"mercy", b"mercy/p-other", b"other/p-7f3a91", b"mercy/p-7f3a91 ", b"\xff"])
def test_the_key_is_tenant_and_patient_of_the_content(key: bytes | None) -> None:
    error = rejected(lab_result(), headers(), key)
    assert (error.code, error.path) == (Code.KEY_MISMATCH, "key")
    assert "p-7f3a91" not in error.message


@pytest.mark.parametrize("trace", ["", "nonsense", "ff" + TRACE[2:], "00-" + "0" * 32 + "-b7ad6b7169203331-01"])
def test_a_trace_that_does_not_parse_is_ignored(trace: str) -> None:
    assert decoded(lab_result(), [*headers(), ("traceparent", trace.encode())]).traceparent is None


@pytest.mark.parametrize("value", [None, b""])
def test_an_empty_value_is_refused(value: bytes | None) -> None:
    assert rejected(value, headers()).code == Code.EMPTY_VALUE


def test_limits_hold_for_the_whole_value() -> None:
    padding = envelope(lab_result(), note="x" * 1_000_000)
    assert rejected(padding).code == Code.TOO_LARGE
    deep: Any = 1
    for _ in range(16):
        deep = [deep]
    assert rejected(envelope(lab_result(), note=deep)).code == Code.TOO_DEEP
    twice = as_bytes(envelope(lab_result())).replace(b'"id":"event-1"', b'"id":"event-1","id":"event-2"')
    assert rejected(twice).code == Code.INVALID_FIELD


def test_what_is_wrong_with_the_content_is_said_in_every_mode() -> None:
    for value, message_headers in (
        (lab_result(sex="x"), headers()),
        (envelope(lab_result(sex="x")), []),
        (lab_result(sex="x"), []),
    ):
        error = rejected(value, message_headers)
        assert (error.code, error.path) == (Code.INVALID_FIELD, "sex")


@pytest.mark.parametrize("topic", [GENOTYPE, PHENOTYPE, RECOMMENDATION, KNOWLEDGE], ids=lambda topic: topic.name)
def test_our_own_events_survive_the_bus(topic: Topic) -> None:
    data = stored.model(topic)
    key, value, message_headers = cloudevents.encode(
        topic, data, id="1", source="/pgx", time="2026-11-23T10:00:00Z", traceparent=TRACE
    )
    event = cloudevents.decode(topic, key, value, message_headers)
    assert event.data == data
    assert (event.id, event.source, event.type, event.traceparent) == ("1", "/pgx", topic.name, TRACE)
    assert cloudevents.encode(topic, event.data, id="1", source="/pgx", time=event.time)[1] == value


def test_an_own_event_that_is_not_ours_is_refused_without_its_content() -> None:
    key, value, message_headers = stored.message(GENOTYPE)
    for bad, code, path in (
        (value.replace(b'"tenant":"mercy"', b'"tenant":42'), Code.INVALID_FIELD, "tenant"),
        (value.replace(b'"version":1', b'"version":"one"'), Code.INVALID_FIELD, "result.version"),
        (b"{", Code.NOT_JSON, None),
        (b"", Code.EMPTY_VALUE, None),
    ):
        with pytest.raises(Rejected) as caught:
            cloudevents.decode(GENOTYPE, key, bad, message_headers)
        assert (caught.value.code, caught.value.path) == (code, path)
        assert "mercy" not in str(caught.value)
        assert "one" not in caught.value.message


def test_an_own_event_under_another_key_is_refused() -> None:
    _, value, message_headers = stored.message(PHENOTYPE)
    with pytest.raises(Rejected) as caught:
        cloudevents.decode(PHENOTYPE, b"mercy/p-other", value, message_headers)
    assert caught.value.code == Code.KEY_MISMATCH


def test_a_derived_event_over_the_limit_is_refused() -> None:
    data = ReleaseActivated(release="x" * cloudevents.MAX_VALUE_BYTES, sha256="")
    with pytest.raises(Rejected) as caught:
        cloudevents.encode(KNOWLEDGE, data, id="1", source="/pgx", time="2026-11-23T10:00:00Z")
    assert caught.value.code == Code.OUTPUT_TOO_LARGE


def test_a_published_lab_result_is_the_same_result_again() -> None:
    result = decoded(lab_result(note="ignored")).data
    key, value, message_headers = cloudevents.encode(
        LAB_RESULT, result, id="1", source="/acme", time="2026-11-23T10:00:00Z"
    )
    assert cloudevents.decode_lab_result(key, value, message_headers).data == result.model_copy(
        update={"unknown_fields": ()}
    )


def test_derived_ids_repeat_for_the_same_cause_and_differ_for_anything_else() -> None:
    def derived(**changes: Any) -> str:
        cause = {"id": "1", "source": "/a", "type": "t", "time": "", "data": None, "sha256": "0"}
        parts = {"stage": "genotyper", "release": "2025.11", "revision": 1}
        cause |= {name: value for name, value in changes.items() if name in cause}
        parts |= {name: value for name, value in changes.items() if name in parts}
        return cloudevents.derived_id(Event(**cause), **parts)  # type: ignore[arg-type]

    changes: list[dict[str, Any]] = [
        {"id": "2"}, {"source": "/b"}, {"sha256": "1"}, {"stage": "x"}, {"release": "2026.11"}, {"revision": 2},
        {"source": "/a1", "id": ""}, {"source": "", "id": "/a1"},
    ]  # fmt: skip
    ids = [derived(), *(derived(**change) for change in changes)]
    assert len(set(ids)) == len(ids)
    assert derived() == derived()
