"""CloudEvents 1.0 on Kafka: messages to events and back, in binary and structured mode.

Specification: CloudEvents 1.0.2, Kafka protocol binding 1.0.2, JSON event format 1.0.2; W3C Trace Context for
``traceparent``.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from schemas import clinical_context, lab_result, strict_json
from schemas.base import Model
from schemas.clinical_context import ClinicalContext
from schemas.errors import Code, Rejected
from schemas.gene_texts import GeneTexts
from schemas.knowledge import ReleaseActivated
from schemas.lab_result import LabResult
from schemas.phenotype import PhenotypeAssigned
from schemas.serialise import to_json
from schemas.topics import CLINICAL_CONTEXT, LAB_RESULT, MAX_MESSAGE_BYTES, Topic

T = TypeVar("T")

Header = tuple[str, bytes]
Loads = Callable[[bytes | None], tuple[bytes, Any]]
"""Reads a value as JSON, and says which text of it is still to be checked for names that occur twice."""

JSON_TYPE = "application/json"
STRUCTURED_TYPE = "application/cloudevents+json"
MAX_ATTRIBUTE = 256
MAX_VALUE_BYTES = MAX_MESSAGE_BYTES - 64 * 1024
"""What a derived event's value may have, so that key, headers and the headers of a dead letter fit beside it."""

_REQUIRED = ("specversion", "id", "source", "type")
_CORE = (*_REQUIRED, "time")
_GENE_TEXTS = GeneTexts()
_EVENT_IDS = uuid.uuid5(uuid.NAMESPACE_URL, "pgx.event")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


@dataclass(frozen=True, slots=True)
class Event(Generic[T]):
    """An event with its decoded value.

    ``sha256`` is the hex digest of the value's bytes as they arrived; with ``source`` and ``id`` it identifies the
    event, since ids of laboratories are unique only for each source.
    """

    id: str
    source: str
    type: str
    time: str
    data: T
    sha256: str
    traceparent: str | None = None


def decode_lab_result(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> Event[LabResult]:
    """A laboratory's message in binary or structured mode, or a bare lab-result object. Raises Rejected."""
    event = read_lab_result(value, headers)
    _expect_key(key, event.data.key)
    return event


def read_lab_result(value: bytes | None, headers: Sequence[Header] = ()) -> Event[LabResult]:
    """As ``decode_lab_result`` where there is no key: a line of a file. Raises Rejected."""
    opened = _unpacked(LAB_RESULT, value, headers, lab_result.loads)
    result = lab_result.parse_within(opened.text, opened.whole, opened.content)
    return opened.event(
        value, result, id=lab_result.content_id, source=laboratory_source(result), time=_written(result.issued)
    )


def decode_clinical_context(
    key: bytes | None, value: bytes | None, headers: Sequence[Header]
) -> Event[ClinicalContext]:
    """A hospital's statement in binary or structured mode, or a bare statement. Raises Rejected."""
    event = read_clinical_context(value, headers)
    _expect_key(key, event.data.key)
    return event


def read_clinical_context(value: bytes | None, headers: Sequence[Header] = ()) -> Event[ClinicalContext]:
    """As ``decode_clinical_context`` where there is no key: a line of a file. Raises Rejected."""
    opened = _unpacked(CLINICAL_CONTEXT, value, headers, clinical_context.loads)
    said = clinical_context.parse_within(opened.text, opened.whole, opened.content)
    source = f"/{said.tenant}/{said.source}".replace("#", "%23")
    return opened.event(value, said, id=clinical_context.content_id, source=source, time=_written(said.recorded))


@dataclass(frozen=True, slots=True)
class _Unpacked:
    """A message from outside, before its content is looked at."""

    topic: Topic
    text: bytes
    whole: Any
    content: Any
    attributes: Mapping[str, str]
    traceparent: str | None

    def event(self, value: bytes | None, data: T, *, id: Callable[[T], str], source: str, time: str) -> Event[T]:  # noqa: A002
        """The event; ``id``, ``source`` and ``time`` are for one that came without."""
        return Event(
            id=self.attributes.get("id") or id(data),
            source=self.attributes.get("source") or source,
            type=self.topic.name,
            time=self.attributes.get("time") or time,
            data=data,
            sha256=hashlib.sha256(value or b"").hexdigest(),
            traceparent=self.traceparent,
        )


def _unpacked(topic: Topic, value: bytes | None, headers: Sequence[Header], loads: Loads) -> _Unpacked:
    attributes = _header_attributes(headers)
    content_type = _media_type(attributes.pop("content-type", JSON_TYPE))
    trace = attributes.pop("traceparent", None)
    text, whole = loads(value)
    content = whole
    event: dict[str, str] = {}
    if content_type != STRUCTURED_TYPE:
        _expect_json(content_type, "content-type")
    if attributes.keys() & set(_CORE) and content_type != STRUCTURED_TYPE:
        event = _checked(attributes, topic, "ce_")
    elif content_type == STRUCTURED_TYPE or is_envelope(whole):
        envelope, content = _opened(whole)
        _expect_agreement(attributes, envelope)
        event = _checked(envelope, topic, "")
        trace = trace or envelope.get("traceparent")
    return _Unpacked(topic, text, whole, content, event, _valid_trace(trace))


def decode(topic: Topic, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> Event[Any]:
    """An event of our own (binary mode only), with the topic's model as data. Raises Rejected."""
    if topic.value is None:
        raise ValueError(f"{topic.name} carries original bytes, not events")
    attributes = _header_attributes(headers)
    _expect_json(_media_type(attributes.pop("content-type", JSON_TYPE)), "content-type")
    event = _checked(attributes, topic, "ce_")
    if "time" not in event:
        raise Rejected(Code.INVALID_ENVELOPE, "the header is missing", "ce_time")
    if not value:
        raise Rejected(Code.EMPTY_VALUE, "the value is empty; expected a JSON object")
    try:
        data = _GENE_TEXTS.read(topic.value, value)
    except ValidationError as error:
        raise _invalid(error) from None
    _expect_key(key, key_of(data))
    return Event(
        id=event["id"],
        source=event["source"],
        type=topic.name,
        time=event["time"],
        data=data,
        sha256=hashlib.sha256(value).hexdigest(),
        traceparent=_valid_trace(attributes.get("traceparent")),
    )


def encode(
    topic: Topic,
    data: Model,
    *,
    id: str,  # noqa: A002
    source: str,
    time: str,
    traceparent: str | None = None,
) -> tuple[bytes, bytes, list[Header]]:
    """Key, value and headers of an event in binary mode. Raises Rejected(OUTPUT_TOO_LARGE)."""
    value = to_json(data)
    if len(value) > MAX_VALUE_BYTES:
        raise Rejected(
            Code.OUTPUT_TOO_LARGE,
            f"the event for {topic.name} would have {len(value):,} bytes; at most {MAX_VALUE_BYTES:,} are published",
        )
    return key_of(data).encode(), value, headers_of(topic, id=id, source=source, time=time, traceparent=traceparent)


def headers_of(
    topic: Topic,
    *,
    id: str,  # noqa: A002
    source: str,
    time: str,
    traceparent: str | None = None,
) -> list[Header]:
    """The CloudEvents headers of an event in binary mode."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", topic.name.encode()),
        ("ce_time", time.encode()),
        ("content-type", JSON_TYPE.encode()),
    ]
    return headers if traceparent is None else [*headers, ("traceparent", traceparent.encode())]


def key_of(data: Model) -> str:
    """The message key: ``tenant/patient``, or the tenant where a release is activated."""
    if isinstance(data, ReleaseActivated):
        return data.tenant
    about: Any = data.genotype if isinstance(data, PhenotypeAssigned) else data
    return f"{about.tenant}/{about.patient}"


def derived_id(cause: Event[Any], stage: str, release: str, revision: int) -> str:
    """Id of what a stage makes of an event: the same for every delivery, another for another release or revision."""
    return str(uuid.uuid5(_EVENT_IDS, json.dumps([cause.source, cause.id, cause.sha256, stage, release, revision])))


def laboratory_source(result: LabResult) -> str:
    """``ce_source`` of a result that came without one (a URI reference, hence no ``#``)."""
    return f"/{result.tenant}/{result.laboratory}".replace("#", "%23")


def _written(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _header_attributes(headers: Sequence[Header]) -> dict[str, str]:
    """Attributes by their names without ``ce_``, with ``content-type`` and ``traceparent``; others are not ours."""
    attributes: dict[str, str] = {}
    for raw_name, raw_value in headers or ():
        header = raw_name.lower()
        if not header.startswith("ce_") and header not in ("content-type", "traceparent"):
            continue
        name = header.removeprefix("ce_")
        try:
            text = raw_value.decode()
        except (UnicodeDecodeError, AttributeError):
            raise Rejected(Code.INVALID_ENVELOPE, "expected UTF-8 text in the header", header) from None
        if attributes.setdefault(name, text) != text and name != "traceparent":
            raise Rejected(Code.INVALID_ENVELOPE, "the header occurs twice with different values", header)
    return attributes


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _expect_json(media_type: str, path: str) -> None:
    if media_type != JSON_TYPE and not (
        media_type.endswith("+json") and not media_type.startswith("application/cloudevents")
    ):
        raise Rejected(Code.INVALID_ENVELOPE, f"expected {JSON_TYPE}", path)


def is_envelope(content: Any) -> bool:
    """Whether a JSON value is a CloudEvents structured-mode envelope rather than bare content."""
    return type(content) is dict and (
        "specversion" in content or ("data" in content and "type" in content and "source" in content)
    )


def _opened(content: Any) -> tuple[dict[str, Any], Any]:
    """The attributes and the data of a structured-mode envelope."""
    if type(content) is not dict:
        raise Rejected(Code.INVALID_ENVELOPE, "expected a CloudEvents envelope (a JSON object)")
    if "data" not in content:
        raise Rejected(Code.INVALID_ENVELOPE, "expected the content as a JSON object in data", "data")
    strict_json.check_depth({name: attribute for name, attribute in content.items() if name != "data"})
    for name in (*_CORE, "datacontenttype"):
        if name in content and type(content[name]) is not str:
            raise Rejected(Code.INVALID_ENVELOPE, "expected a text", name)
    _expect_json(_media_type(content.get("datacontenttype", JSON_TYPE)), "datacontenttype")
    return {name: text for name, text in content.items() if type(text) is str}, content["data"]


def _expect_agreement(headers: Mapping[str, str], envelope: Mapping[str, str]) -> None:
    for name in _CORE:
        if name in headers and headers[name] != envelope.get(name):
            raise Rejected(Code.INVALID_ENVELOPE, "the header contradicts the envelope in the value", f"ce_{name}")


def _checked(attributes: Mapping[str, str], topic: Topic, prefix: str) -> dict[str, str]:
    """The core attributes, once they are known to be complete and to speak about this topic."""
    for name in _REQUIRED:
        if name not in attributes:
            raise Rejected(Code.INVALID_ENVELOPE, "the CloudEvents attribute is missing", f"{prefix}{name}")
    if attributes["specversion"] != "1.0":
        raise Rejected(Code.INVALID_ENVELOPE, "expected 1.0", f"{prefix}specversion")
    for name in ("id", "source"):
        text = attributes[name]
        if not 0 < len(text) <= MAX_ATTRIBUTE or not text.isprintable():
            raise Rejected(
                Code.INVALID_ENVELOPE, f"expected 1 to {MAX_ATTRIBUTE} printable characters", f"{prefix}{name}"
            )
    if attributes["type"] != topic.name:
        family = topic.name.rpartition(".v")[0]
        if re.fullmatch(re.escape(family) + r"\.v[0-9]+", attributes["type"]):
            raise Rejected(Code.UNKNOWN_MAJOR_VERSION, f"expected {topic.name}", f"{prefix}type")
        raise Rejected(Code.INVALID_ENVELOPE, f"expected {topic.name}", f"{prefix}type")
    if "time" in attributes:
        try:
            lab_result.parse_instant(attributes["time"], f"{prefix}time")
        except Rejected as error:
            raise Rejected(Code.INVALID_ENVELOPE, error.message, error.path) from None
    return {name: attributes[name] for name in _CORE if name in attributes}


def _expect_key(key: bytes | None, expected: str) -> None:
    """A message without a key is refused too: it would land on any partition, and the patient's order would be gone."""
    if not key:
        raise Rejected(Code.KEY_MISMATCH, "the message has no key; expected tenant/patient of the content", "key")
    if key != expected.encode():
        raise Rejected(Code.KEY_MISMATCH, "expected tenant/patient of the content", "key")


def _valid_trace(text: Any) -> str | None:
    # W3C Trace Context 3.2: a receiver ignores what it cannot parse.
    return text if type(text) is str and len(text) <= MAX_ATTRIBUTE and _TRACEPARENT.fullmatch(text) else None


def _invalid(error: ValidationError) -> Rejected:
    """What pydantic found first, without the value it found."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return Rejected(Code.NOT_JSON, "expected JSON in UTF-8")
    path = ""
    for step in first["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return Rejected(Code.INVALID_FIELD, first["msg"], path or None)
