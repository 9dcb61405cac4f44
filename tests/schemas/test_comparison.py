"""The comparison of schemas sees the changes that break a reader, and lets pass those that do not."""

from typing import Any

import pytest

from tests.schemas.compatibility import breaks


def object_of(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 1}
OLD = object_of(
    gene=TEXT, version=NUMBER, tags={"type": "array", "items": TEXT}, status={"enum": ["a", "b"], "type": "string"}
)


@pytest.mark.parametrize(
    "change",
    [
        {"gene": ...},
        {"gene": {"anyOf": [TEXT, {"type": "null"}]}},
        {"gene": NUMBER},
        {"version": {"type": "integer"}},
        {"version": {"type": "number", "minimum": 1}},
        {"tags": {"type": "array", "items": NUMBER}},
        {"status": {"enum": ["a", "c"], "type": "string"}},
        {"status": TEXT},
    ],
)
def test_a_change_that_breaks_readers_is_seen(change: dict[str, Any]) -> None:
    properties = {name: value for name, value in (OLD["properties"] | change).items() if value is not ...}
    assert breaks(reader=OLD, writer=object_of(**properties))


@pytest.mark.parametrize(
    "change",
    [
        {"note": TEXT},
        {"version": {"type": "integer", "minimum": 2}},
        {"status": {"const": "a", "type": "string"}},
        {"gene": {"type": "string", "enum": ["CYP2D6"]}},
    ],
)
def test_a_change_that_readers_do_not_notice_passes(change: dict[str, Any]) -> None:
    assert breaks(reader=OLD, writer=object_of(**(OLD["properties"] | change))) == []


def test_a_field_that_becomes_required_breaks_those_who_leave_it_out() -> None:
    reader = object_of(gene=TEXT, note=TEXT)
    assert breaks(reader, object_of(gene=TEXT, required=["gene"])) == ["$.note: may be missing"]
