"""Guideline rows as lookup tables: what a source says about a drug, population and set of genes, by their keys.

How keys are read is described in ``docs/recommendations.md``: a row for one genotype goes before rows by score or
phenotype, ``No Result`` stands for a partner gene without a call, ``any`` for every result.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from knowledge.model import Gene
from services.recommender.keys import NO_RESULT, Keys, genotype
from services.recommender.rows import Advice, Row

_BY_PHENOTYPE = frozenset({"FDA"})
"""Sources keyed by phenotype where others use activity scores."""
_NO_KEY = "n/a"
_ANY = re.compile(r"any( .*)?")
_BOTH = " and "

Asked = tuple[Keys | None, ...]
"""The patient's keys for each gene of a table, None for a gene without a call."""
Combined = tuple[str, ...]
"""One key for each gene."""


@dataclass(slots=True)
class Table:
    """The rows of one source on one drug, population and set of genes. Built once, then only read."""

    source: str
    genes: tuple[str, ...]
    rows: dict[Combined, Row] = field(default_factory=dict)
    genotypes: dict[Combined, Row] = field(default_factory=dict)
    """Rows that name a genotype of at least one gene, by canonical keys."""
    both: tuple[dict[str, frozenset[str]], ...] = ()
    """By gene: keys that stand for several risk alleles at once, and which."""
    any_result: list[tuple[Advice, tuple[str | None, ...]]] = field(default_factory=list)
    """Rules that hold whatever a gene's result is; with their word for that, for each gene of which it is so."""
    any_gene: list[Advice] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Whether keys alone find its rows."""
        return not (self.genotypes or any(self.both) or self.any_result or self.any_gene)

    def met(self, asked: Asked) -> Iterator[Row]:
        """Every row that these keys meet."""
        keys = [self._keys(index, of_gene) for index, of_gene in enumerate(asked)]
        if self.any_gene:
            yield from self._by_any_gene(keys)
        if self.genotypes:
            by_genotype = list(self._by_genotype(asked, keys))
            if by_genotype:
                yield from by_genotype
                return
        for combined in product(*keys):
            if row := self.rows.get(combined):
                yield row
        for advice, words in self.any_result:
            if shown := self._whatever_the_result(advice, words, asked, keys):
                yield Row.of(advice, shown)

    def _keys(self, index: int, of_gene: Keys | None) -> tuple[str, ...]:
        keys = keys_for(self.source, of_gene)
        return keys + tuple(key for key, parts in self.both[index].items() if parts <= set(keys))

    def _by_genotype(self, asked: Asked, keys: Sequence[tuple[str, ...]]) -> Iterator[Row]:
        genotypes = [of_gene.genotype if of_gene else None for of_gene in asked]
        options = [((named,) if named else ()) + others for named, others in zip(genotypes, keys, strict=True)]
        for combined in product(*options):
            if row := self.genotypes.get(combined):
                yield row

    def _by_any_gene(self, keys: Sequence[tuple[str, ...]]) -> Iterator[Row]:
        for advice in self.any_gene:
            wanted = advice.rule.genes
            met = [[k for k in of_gene if k in wanted[g]] for g, of_gene in zip(self.genes, keys, strict=True)]
            if any(met):
                shown = tuple(m[0] if m else (k[0] if k else _NO_KEY) for m, k in zip(met, keys, strict=True))
                yield Row.of(advice, shown)

    def _whatever_the_result(
        self, advice: Advice, words: tuple[str | None, ...], asked: Asked, keys: Sequence[tuple[str, ...]]
    ) -> Combined | None:
        """The patient's keys if every gene meets the rule; the rule's own word where a gene has several keys."""
        shown = []
        for gene, word, of_gene, own in zip(self.genes, words, asked, keys, strict=True):
            met = [key for key in own if key in advice.rule.genes[gene]]
            if word is not None and of_gene is not None:
                shown.append(own[0] if len(own) == 1 else word)
            elif met:
                shown.append(met[0])
            else:
                return None
        return tuple(shown)


def keys_for(source: str, of_gene: Keys | None) -> tuple[str, ...]:
    """A gene's keys in the tables of a source."""
    if of_gene is None:
        return (NO_RESULT,)
    return of_gene.phenotype_keys if source in _BY_PHENOTYPE else of_gene.keys


class Chapter:
    """All tables about the same genes. Those that keys alone decide are one table of all their rows."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = tuple(tables)
        self._special = tuple(table for table in self._tables if not table.plain)
        self._plain: dict[bool, dict[Combined, tuple[Row, ...]]] = {}
        for table in self._tables:
            if table.plain:
                rows = self._plain.setdefault(table.source in _BY_PHENOTYPE, {})
                for combined, row in table.rows.items():
                    rows[combined] = (*rows.get(combined, ()), row)

    def met(self, asked: Asked) -> tuple[Row, ...]:
        """Every row that these keys meet."""
        found = [row for table in self._special for row in table.met(asked)]
        for by_phenotype, rows in self._plain.items():
            source = next(iter(_BY_PHENOTYPE)) if by_phenotype else ""
            for combined in product(*(keys_for(source, of_gene) for of_gene in asked)):
                found += rows.get(combined, ())
        return tuple(found)

    def genotypes(self) -> Iterator[tuple[str, str]]:
        """Genes with the genotypes that rows are about."""
        for table in self._tables:
            for keys in table.genotypes:
                yield from zip(table.genes, keys, strict=True)


def build(everything: Iterable[Advice], genes: Mapping[str, Gene]) -> dict[tuple[str, ...], Chapter]:
    """A release's tables by the genes that they ask for."""
    tables: dict[tuple[str, str, str, tuple[str, ...]], Table] = {}
    names = {symbol: _names(gene) for symbol, gene in genes.items()}
    for advice in everything:
        rule = advice.rule
        place = (rule.drug, rule.source, rule.population, advice.genes)
        table = tables.setdefault(place, Table(rule.source, advice.genes, both=tuple({} for _ in advice.genes)))
        _add(table, advice, names, genes)
    by_genes: dict[tuple[str, ...], list[Table]] = defaultdict(list)
    for place in sorted(tables):
        by_genes[tables[place].genes].append(tables[place])
    return {of_genes: Chapter(by_genes[of_genes]) for of_genes in sorted(by_genes)}


def _names(gene: Gene) -> frozenset[str]:
    return frozenset(name for allele in gene.definition.alleles for name in (allele.name, allele.public_name) if name)


def _add(table: Table, advice: Advice, names: Mapping[str, frozenset[str]], genes: Mapping[str, Gene]) -> None:
    rule = advice.rule
    if rule.any_gene:
        table.any_gene.append(advice)
        return
    words = tuple(next(filter(_ANY.fullmatch, rule.genes[gene]), None) for gene in table.genes)
    if any(words):
        table.any_result.append((advice, words))
        return
    for texts in product(*(rule.genes[gene] for gene in table.genes)):
        named = [_is_genotype(text, names.get(gene)) for gene, text in zip(table.genes, texts, strict=True)]
        canonical = tuple(genotype(text.split("/")) if is_ else text for is_, text in zip(named, texts, strict=True))
        for index, (gene, text) in enumerate(zip(table.genes, texts, strict=True)):
            if gene in genes and (parts := _both(text, genes[gene].phenotype.presence_alleles)):
                table.both[index][text] = parts
        (table.genotypes if any(named) else table.rows)[canonical] = Row.of(advice, texts)


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
