"""Order of allele names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.names import components, order

IN_ORDER = [
    "Reference", "*1", "*2", "*10", "A- 202A_376G", "Arakawa", "B (reference)", "c.85T>C (*9A)", "c.498G>A",
    "c.1129-5923C>G", "c.1129-5923C>G, c.1236G>A (HapB3)", "Unknown", "[*2 + *3]", "[*2 + g.100A>T]", "[*1 + *2 + *3]",
]  # fmt: skip


@given(st.permutations(IN_ORDER))
def test_names_have_one_order(shuffled: list[str]) -> None:
    assert sorted(shuffled, key=order) == IN_ORDER


@pytest.mark.parametrize(
    ("name", "parts"),
    [("[c.498G>A + c.2582A>G]", ("c.498G>A", "c.2582A>G")), ("c.498G>A", ("c.498G>A",)), ("*36 + *10", ("*36 + *10",))],
)
def test_only_bracketed_names_are_combinations(name: str, parts: tuple[str, ...]) -> None:
    assert components(name) == parts
