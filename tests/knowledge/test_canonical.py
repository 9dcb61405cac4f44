"""The one way in which releases are written."""

import json

from hypothesis import given
from hypothesis import strategies as st

from knowledge.canonical import to_bytes

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.integers(0, 4))
def test_it_says_the_same_however_many_lines_it_takes(value: object, lines: int) -> None:
    assert json.loads(to_bytes(value, lines)) == value


@given(VALUES, st.integers(0, 4))
def test_the_same_value_gives_the_same_bytes(value: object, lines: int) -> None:
    assert to_bytes(value, lines) == to_bytes(json.loads(json.dumps(value)), lines)


def test_each_fact_has_its_line() -> None:
    facts = [{"id": "a", "keys": ["1.0", "≥3.0"]}, {"id": "b"}]
    assert to_bytes(facts, 1).decode() == '[\n{"id":"a","keys":["1.0","≥3.0"]},\n{"id":"b"}\n]\n'
