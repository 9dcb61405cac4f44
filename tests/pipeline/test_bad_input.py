"""What cannot be processed becomes a dead letter that says why and keeps every byte, while the others go through."""

import json
from dataclasses import dataclass

import pytest

from runtime.message import Headers
from tests.pipeline.deployment import SERVICES, Deployment, bare, lab_result

CLOUD_EVENT = {
    "ce_specversion": b"1.0", "ce_id": b"1", "ce_source": b"/lab", "ce_type": b"pgx.lab-result.v1",
    "ce_time": b"2026-11-23T10:00:00Z", "content-type": b"application/json",
}  # fmt: skip


@dataclass(frozen=True)
class Bad:
    """A message that must be refused: with which code, at which path, and words that its message must have."""

    code: str
    path: str
    says: str
    value: bytes | None
    key: bytes | None = b"{tenant}/p-1"
    headers: Headers = ()


def changed(**fields: object) -> bytes:
    return json.dumps(lab_result(tenant="TENANT", **fields)).encode()


def with_headers(**changes: bytes | None) -> Headers:
    merged = {**CLOUD_EVENT, **{name.replace("content_type", "content-type"): text for name, text in changes.items()}}
    return tuple((name, text) for name, text in merged.items() if text is not None)


GENOTYPE = {"chrom": "chr10", "pos": 94781859, "ref": "G", "alt": ["A"], "gt": "0/1"}

CASES = {
    "not JSON": Bad("not-json", "", "JSON", b"{not json"),
    "invalid UTF-8": Bad("not-json", "", "UTF-8", changed().replace(b"lab", b"l\xff\xfeb")),
    "NaN": Bad("not-json", "", "JSON", changed().replace(b'"version": 1', b'"version": NaN')),
    "empty value": Bad("empty-value", "", "empty", b""),
    "no value": Bad("empty-value", "", "empty", None),
    "not an object": Bad("invalid-field", "", "object", b"[1, 2]"),
    "missing field": Bad("invalid-field", "accession", "missing", changed(accession=None)),
    "number as text": Bad("invalid-field", "version", "number", changed(version="1")),
    "unknown status": Bad("invalid-field", "status", "preliminary", changed(status="done")),
    "time without zone": Bad("invalid-field", "issued", "time zone", changed(issued="2026-11-23T10:00:00")),
    "genotype that does not parse": Bad(
        "invalid-genotype", "genotypes[1].gt", "", changed(genotypes=[GENOTYPE, {**GENOTYPE, "gt": "0/x"}])
    ),
    "allele that is not listed": Bad(
        "invalid-genotype", "genotypes[0].gt", "", changed(genotypes=[{**GENOTYPE, "gt": "0/2"}])
    ),
    "position below one": Bad("invalid-field", "genotypes[0].pos", "", changed(genotypes=[{**GENOTYPE, "pos": 0}])),
    "GRCh37": Bad("wrong-assembly", "assembly", "GRCh38", changed(assembly="GRCh37")),
    "NUL in an identifier": Bad("invalid-field", "accession", "A-Z", changed(accession="A\0B")),
    "a name": Bad(
        "unsafe-identifier", "patient", "pseudonym", changed(patient="Smith.John"), b"{tenant}/Smith.John"
    ),
    "a date of birth": Bad(
        "unsafe-identifier", "patient", "pseudonym", changed(patient="1984-03-12"), b"{tenant}/1984-03-12"
    ),
    "too large": Bad("too-large", "", "1,000,000", changed(note="x" * 1_000_000)),
    "deep nesting": Bad("too-deep", "", "16", changed(note=json.loads("[" * 40 + "]" * 40))),
    "unknown major version": Bad(
        "unknown-major-version", "ce_type", "pgx.lab-result.v1", changed(),
        headers=with_headers(ce_type=b"pgx.lab-result.v9"),
    ),
    "incomplete headers": Bad("invalid-envelope", "ce_id", "missing", changed(), headers=with_headers(ce_id=None)),
    "contradicting headers": Bad(
        "invalid-envelope", "ce_id", "contradicts",
        b'{"specversion": "1.0", "id": "2", "source": "/lab", "type": "pgx.lab-result.v1", "data": ' + changed() + b"}",
        headers=(("ce_id", b"1"), ("content-type", b"application/cloudevents+json")),
    ),
    "key of another patient": Bad("key-mismatch", "key", "tenant/patient", changed(), b"{tenant}/p-2"),
    "no key": Bad("key-mismatch", "key", "tenant/patient", changed(), None),
}  # fmt: skip


def test_each_kind_of_bad_input_is_a_dead_letter_and_nothing_else_happens(deployment: Deployment, tenant: str) -> None:
    sent: dict[str, tuple[bytes | None, bytes | None, Headers]] = {}
    messages = []
    for number, (name, bad) in enumerate(CASES.items()):
        value = None if bad.value is None else bad.value.replace(b"TENANT", tenant.encode())
        key = None if bad.key is None else bad.key.replace(b"{tenant}", tenant.encode())
        sent[name] = (key, value, (*bad.headers, ("test", f"{tenant} {name}".encode())))
        messages += [sent[name], bare(lab_result(tenant=tenant, patient=f"p-good-{number}", accession=f"G-{number}"))]
    deployment.publish(*messages)

    events = deployment.wait_for_events(tenant, len(CASES))
    letters = deployment.until(
        lambda: {
            letter["test"]: letter for letter in deployment.dead_letters() if letter.get("test", "").startswith(tenant)
        },
        lambda found: len(found) >= len(CASES),
        "a dead letter for each bad message",
    )
    assert {event["patient"] for event in events} == {f"p-good-{number}" for number in range(len(CASES))}
    for name, bad in CASES.items():
        key, value, headers = sent[name]
        letter = letters[f"{tenant} {name}"]
        assert (letter["dlq_code"], letter["dlq_path"], letter["dlq_stage"]) == (bad.code, bad.path, "genotyper"), name
        assert bad.says in letter["dlq_message"], name
        assert (letter["key"], letter["value"] or b"") == (key, value or b""), name
        assert headers == tuple((header, letter[header].encode()) for header, _ in headers), name
        assert letter["dlq_topic"] == deployment.settings.topic_prefix + "pgx.lab-result.v1"
        assert int(letter["dlq_offset"]) >= 0
    assert sorted(deployment.running()) == sorted(SERVICES)


@pytest.mark.parametrize("name", ["a name", "a date of birth"])
def test_what_looks_personal_is_in_no_log_and_no_message(deployment: Deployment, tenant: str, name: str) -> None:
    bad = CASES[name]
    value = (bad.value or b"").replace(b"TENANT", tenant.encode())
    personal = json.loads(value)["patient"]
    deployment.publish((f"{tenant}/{personal}".encode(), value, (("test", tenant.encode()),)))
    [letter] = deployment.until(
        lambda: [letter for letter in deployment.dead_letters() if letter.get("test") == tenant],
        bool,
        "the dead letter",
    )
    assert personal not in letter["dlq_message"]
    for service in SERVICES:
        assert personal not in deployment.log(service).read_text()
