"""Allele names: their order, which makes lists of calls the same everywhere, and how diplotypes are printed.

Specification: named-allele matching, "Name ordering". Plain names sort naturally (digit runs as numbers), with names
for the reference first and names for "something else" last; a bracketed combination sorts after every plain name.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from knowledge.model import Gene

_FIRST = frozenset({"any", "all", "reference"})
_LAST = frozenset({"other", "unknown"})
_RUNS = re.compile(r"\d+|\D+")
_PARTIAL = re.compile(r"g\.\d+[?=]?[ACGT>\d]*")


def is_combination(name: str) -> bool:
    """Whether the name lists several components: ``[*2 + *3]``."""
    return name.startswith("[") and name.endswith("]")


def components(name: str) -> tuple[str, ...]:
    """The components of a combination, or the name itself."""
    return tuple(name[1:-1].split(" + ")) if is_combination(name) else (name,)


def is_partial(name: str) -> bool:
    """Whether a component is a variant outside every named allele: ``g.94781859G>A``."""
    return _PARTIAL.match(name) is not None


def join(parts: Iterable[str]) -> str:
    """One name for what stands on a strand: the single component, or a bracketed combination."""
    listed = tuple(parts)
    return listed[0] if len(listed) == 1 else "[" + " + ".join(listed) + "]"


Order = tuple[Any, ...]


@lru_cache(maxsize=65536)
def order(name: str) -> Order:
    """Sort key of an allele name, a combination or a partial."""
    if is_combination(name):
        parts = components(name)
        return (1, len(parts), tuple((is_partial(part), _plain(part)) for part in parts))
    return (0, _plain(name))


def _plain(name: str) -> tuple[Any, ...]:
    lowered = name.lower()
    rank = 0 if lowered in _FIRST else 2 if lowered in _LAST else 1
    runs = tuple((0, int(run), "") if run[0].isdecimal() else (1, 0, run) for run in _RUNS.findall(name))
    return (rank, runs, name)


def label(gene: Gene, alleles: Sequence[str]) -> str:
    """``*1/*2``, in the given order; for genes whose alleles are variants, ``c.62G>A (heterozygous)``.

    Specification: "Diplotype object and label".
    """
    if gene.variant_labels:
        variants = [allele for allele in alleles if allele != gene.definition.reference]
        if not variants:
            return "/".join("Reference" for _ in alleles)
        if len(variants) < len(alleles):
            return f"{variants[0]} (heterozygous)"
    return "/".join(alleles)
