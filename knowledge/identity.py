"""Stable identity of guideline rows."""

import hashlib
import json
from collections.abc import Iterable, Mapping

_DIGITS = 10
"""Hexadecimal digits of the digest: 40 bits for some thousand rows; a release with two equal ids is refused."""


def rule_id(source: str, drug: str, population: str, genes: Mapping[str, Iterable[str]]) -> str:
    """Id of the row of ``source`` about these keys of these genes for this drug and population.

    The readable part names source, drug and genes; the digest covers everything. The order of genes and keys does not
    matter, and what the row advises does not enter: an id stays the same when a guideline changes its advice.

    >>> rule_id("CPIC", "abacavir", "general", {"HLA-B": ["*57:01 positive"]})
    'CPIC:abacavir:HLA-B:1429d83fc6'
    """
    keys = {gene: sorted(genes[gene]) for gene in sorted(genes)}
    about = json.dumps([source, drug, population, keys], ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(about.encode()).hexdigest()[:_DIGITS]
    return f"{source}:{drug.replace(' ', '-')}:{'+'.join(keys)}:{digest}"
