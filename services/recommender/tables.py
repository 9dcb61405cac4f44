"""Guideline rows as lookup tables: one for each source, drug, population and set of genes.

How keys are read is described in ``docs/recommendations.md``: a row for one genotype goes before rows by score or
phenotype, ``No Result`` stands for a partner gene without a call, ``any`` for every result.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from knowledge.model import Gene, Rule
from services.recommender.keys import NO_RESULT, Keys, genotype

_BY_PHENOTYPE = frozenset({"FDA"})
"""Sources keyed by phenotype where others use activity scores."""
_NO_KEY = "n/a"
_ANY = re.compile(r"any( .*)?")
_BOTH = " and "

Asked = tuple[Keys | None, ...]
"""The patient's keys for each gene of a table, None for a gene without a call."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that is met, with the patient's key for each gene of the row in the order of their symbols."""

    rule: Rule
    keys: tuple[str, ...]


@dataclass(slots=True)
class Table:
    """The rows of one source on one drug, population and set of genes. Built once, then only read."""

    drug: str
    source: str
    population: str
    genes: tuple[str, ...]
    rows: dict[tuple[str, ...], Rule] = field(default_factory=dict)
    genotypes: dict[tuple[str, ...], tuple[Rule, tuple[str, ...]]] = field(default_factory=dict)
    """Rows that name a genotype of at least one gene, by canonical keys; with the rows' own texts."""
    both: tuple[dict[str, frozenset[str]], ...] = ()
    """By gene: keys that stand for several risk alleles at once, and which."""
    any_result: list[Rule] = field(default_factory=list)
    any_gene: list[Rule] = field(default_factory=list)

    def hits(self, asked: Asked) -> Iterator[Hit]:
        """Every row that these keys meet."""
        keys = [self._keys(index, of_gene) for index, of_gene in enumerate(asked)]
        if self.any_gene:
            yield from self._any_gene_hits(keys)
        if self.genotypes:
            by_genotype = list(self._genotype_hits(asked, keys))
            if by_genotype:
                yield from by_genotype
                return
        for combined in product(*keys):
            if rule := self.rows.get(combined):
                yield Hit(rule, combined)
        for rule in self.any_result:
            if shown := self._any_result_keys(rule, asked, keys):
                yield Hit(rule, shown)

    def _keys(self, index: int, of_gene: Keys | None) -> tuple[str, ...]:
        if of_gene is None:
            return (NO_RESULT,)
        keys = of_gene.phenotype_keys if self.source in _BY_PHENOTYPE else of_gene.keys
        return keys + tuple(key for key, parts in self.both[index].items() if parts <= set(keys))

    def _genotype_hits(self, asked: Asked, keys: Sequence[tuple[str, ...]]) -> Iterator[Hit]:
        genotypes = [of_gene.genotype if of_gene else None for of_gene in asked]
        options = [((named,) if named else ()) + others for named, others in zip(genotypes, keys, strict=True)]
        for combined in product(*options):
            if found := self.genotypes.get(combined):
                yield Hit(*found)

    def _any_gene_hits(self, keys: Sequence[tuple[str, ...]]) -> Iterator[Hit]:
        for rule in self.any_gene:
            met = [[k for k in of_gene if k in rule.genes[g]] for g, of_gene in zip(self.genes, keys, strict=True)]
            if any(met):
                shown = tuple(m[0] if m else (k[0] if k else _NO_KEY) for m, k in zip(met, keys, strict=True))
                yield Hit(rule, shown)

    def _any_result_keys(self, rule: Rule, asked: Asked, keys: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
        """The patient's keys if every gene meets the row; the row's own word where a gene has several keys at once."""
        shown = []
        for gene, of_gene, own in zip(self.genes, asked, keys, strict=True):
            every = next((key for key in rule.genes[gene] if _ANY.fullmatch(key)), None)
            met = [key for key in own if key in rule.genes[gene]]
            if every is not None and of_gene is not None:
                shown.append(own[0] if len(own) == 1 else every)
            elif met:
                shown.append(met[0])
            else:
                return None
        return tuple(shown)


def build(rules: Iterable[Rule], genes: Mapping[str, Gene]) -> dict[tuple[str, ...], tuple[Table, ...]]:
    """The tables of a release by the genes that they ask for, in the order of drug, source and population."""
    tables: dict[tuple[str, str, str, tuple[str, ...]], Table] = {}
    names = {symbol: _names(gene) for symbol, gene in genes.items()}
    for rule in rules:
        place = (rule.drug, rule.source, rule.population, tuple(sorted(rule.genes)))
        table = tables.setdefault(place, Table(*place, both=tuple({} for _ in rule.genes)))
        _add(table, rule, names, genes)
    by_genes: dict[tuple[str, ...], list[Table]] = defaultdict(list)
    for place in sorted(tables):
        by_genes[tables[place].genes].append(tables[place])
    return {of_genes: tuple(by_genes[of_genes]) for of_genes in sorted(by_genes)}


def genotypes(tables: Iterable[Table]) -> dict[str, frozenset[str]]:
    """By gene: the genotypes that rows are about."""
    found: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        for keys in table.genotypes:
            for gene, key in zip(table.genes, keys, strict=True):
                found[gene].add(key)
    return {gene: frozenset(keys) for gene, keys in found.items()}


def _names(gene: Gene) -> frozenset[str]:
    return frozenset(name for allele in gene.definition.alleles for name in (allele.name, allele.public_name) if name)


def _add(table: Table, rule: Rule, names: Mapping[str, frozenset[str]], genes: Mapping[str, Gene]) -> None:
    if rule.any_gene:
        table.any_gene.append(rule)
        return
    if any(_ANY.fullmatch(key) for keys in rule.genes.values() for key in keys):
        table.any_result.append(rule)
        return
    for texts in product(*(rule.genes[gene] for gene in table.genes)):
        named = [_is_genotype(text, names.get(gene)) for gene, text in zip(table.genes, texts, strict=True)]
        canonical = tuple(genotype(text.split("/")) if is_ else text for is_, text in zip(named, texts, strict=True))
        for index, (gene, text) in enumerate(zip(table.genes, texts, strict=True)):
            if gene in genes and (parts := _both(text, genes[gene].phenotype.presence_alleles)):
                table.both[index][text] = parts
        if any(named):
            table.genotypes[canonical] = (rule, texts)
        else:
            table.rows[canonical] = rule


def _is_genotype(key: str, names: frozenset[str] | None) -> bool:
    """Whether a key is an allele name or two of them; for a gene that the release does not define, by the slash."""
    parts = key.split("/")
    return len(parts) == 2 if names is None else all(part in names for part in parts)


def _both(key: str, risks: Sequence[str]) -> frozenset[str]:
    """The keys of all risk alleles that a key like ``1511 and 1502`` stands for; nothing for any other key."""
    by_digits = {re.sub(r"\D", "", risk): f"{risk} positive" for risk in risks}
    parts = key.split(_BOTH)
    if len(parts) < 2 or not all(part in by_digits for part in parts):
        return frozenset()
    return frozenset(by_digits[part] for part in parts)
