"""Order and labels of allele names, as the field prints them.

The order is that of ClinPGx tools: the reference before everything, digits by number (``*2`` before ``*10``),
combinations such as ``[*2 + *5]`` last.
"""

import re
from collections.abc import Sequence

from knowledge.model import Gene

_FIRST = ("any", "all", "reference")
_LAST = ("other", "unknown")
_PIECES = re.compile(r"\d+|\D+")
_PARTIAL = re.compile(r"g\.\d")
_COMBINATION = re.compile(r"\[(.+)\]", re.DOTALL)

Order = tuple[int, int, tuple[tuple[int, int, tuple[tuple[int, int, str], ...]], ...]]


def components(name: str) -> tuple[str, ...]:
    """The named alleles of a combination (``[c.498G>A + c.2582A>G]``); a plain name alone."""
    inside = _COMBINATION.fullmatch(name)
    return tuple(part.strip() for part in inside.group(1).split(" + ")) if inside else (name,)


def is_partial(name: str) -> bool:
    """Whether the name is a position (``g.97573863?``) left over from combination matching, not a named allele."""
    return _PARTIAL.match(name) is not None


def order(name: str) -> Order:
    """Sort key of an allele name."""
    parts = components(name)
    combined = name.startswith("[") and len(parts) >= 1 and name.endswith("]")
    return (int(combined), len(parts), tuple(_part(part) for part in parts))


def _part(name: str) -> tuple[int, int, tuple[tuple[int, int, str], ...]]:
    lowered = name.lower()
    rank = -1 if lowered in _FIRST else 1 if lowered in _LAST else 0
    pieces = tuple((0, int(p), "") if p[0].isdigit() else (1, 0, p) for p in _PIECES.findall(name))
    return (int(is_partial(name)), rank, pieces)


def label(gene: Gene, alleles: Sequence[str]) -> str:
    """How a diplotype is printed: names in their order, or by variant for genes named by variants (CPIC's way)."""
    names = sorted(alleles, key=order)
    if not gene.variant_labels:
        return "/".join(names)
    reference = gene.definition.reference
    variants = [name for name in names if name != reference]
    if not variants:
        return "/".join("Reference" for _ in names)
    if len(names) == 2 and len(variants) == 1:
        return f"{variants[0]} (heterozygous)"
    return "/".join(variants)
