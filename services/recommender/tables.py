"""Guideline rows as lookup tables: one for each source, drug, population and set of genes.

How keys are read is described in ``docs/recommendations.md``: a row for one genotype goes before rows by score or
phenotype, ``No Result`` stands for a partner gene without a call, ``any`` for every result.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from knowledge.model import Gene, Rule
from services.recommender.keys import NO_RESULT, State, genotype

_BY_PHENOTYPE = frozenset({"FDA"})
"""Sources keyed by phenotype where others use activity scores."""
_ANY = re.compile(r"any( .*)?")
_BOTH = " and "

States = Mapping[str, Sequence[State]]
Combination = tuple[State | None, ...]
"""One state for each gene of a table, None for a gene without a call."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that a combination of states meets, with the patient's key for each gene."""

    rule: Rule
    keys: tuple[str, ...]
    states: Combination


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

    def hits(self, states: States) -> Iterator[Hit]:
        """Every row that the patient's states meet."""
        if not any(gene in states for gene in self.genes):
            return
        options: list[Sequence[State | None]] = [states.get(gene) or (None,) for gene in self.genes]
        for combination in product(*options):
            yield from self._hits(combination)

    def _hits(self, combination: Combination) -> Iterator[Hit]:
        keys = [self._keys(index, state) for index, state in enumerate(combination)]
        if self.any_gene:
            yield from self._any_gene_hits(combination, keys)
        if self.genotypes:
            by_genotype = list(self._genotype_hits(combination, keys))
            if by_genotype:
                yield from by_genotype
                return
        for combined in product(*keys):
            if rule := self.rows.get(combined):
                yield Hit(rule, combined, combination)
        for rule in self.any_result:
            if shown := self._any_result_keys(rule, combination, keys):
                yield Hit(rule, shown, combination)

    def _keys(self, index: int, state: State | None) -> tuple[str, ...]:
        if state is None:
            return (NO_RESULT,)
        keys = state.phenotype_keys if self.source in _BY_PHENOTYPE else state.keys
        return keys + tuple(key for key, parts in self.both[index].items() if parts <= set(keys))

    def _genotype_hits(self, combination: Combination, keys: Sequence[tuple[str, ...]]) -> Iterator[Hit]:
        genotypes = [state.genotype if state else None for state in combination]
        options = [((g,) if g else ()) + k for g, k in zip(genotypes, keys, strict=True)]
        for combined in product(*options):
            if found := self.genotypes.get(combined):
                yield Hit(found[0], found[1], combination)

    def _any_gene_hits(self, combination: Combination, keys: Sequence[tuple[str, ...]]) -> Iterator[Hit]:
        for rule in self.any_gene:
            met = [[k for k in of_gene if k in rule.genes[g]] for g, of_gene in zip(self.genes, keys, strict=True)]
            if any(met):
                shown = tuple(m[0] if m else (k[0] if k else "n/a") for m, k in zip(met, keys, strict=True))
                yield Hit(rule, shown, combination)

    def _any_result_keys(
        self, rule: Rule, combination: Combination, keys: Sequence[tuple[str, ...]]
    ) -> tuple[str, ...] | None:
        """The patient's keys if every gene meets the row; the row's own word where a gene has several keys at once."""
        shown = []
        for gene, state, of_gene in zip(self.genes, combination, keys, strict=True):
            every = next((key for key in rule.genes[gene] if _ANY.fullmatch(key)), None)
            met = [key for key in of_gene if key in rule.genes[gene]]
            if every is not None and state is not None:
                shown.append(of_gene[0] if len(of_gene) == 1 else every)
            elif met:
                shown.append(met[0])
            else:
                return None
        return tuple(shown)


def build(rules: Iterable[Rule], genes: Mapping[str, Gene]) -> tuple[Table, ...]:
    """The tables of a release, in the order of drug, source, population and genes."""
    tables: dict[tuple[str, str, str, tuple[str, ...]], Table] = {}
    names = {symbol: _names(gene) for symbol, gene in genes.items()}
    for rule in rules:
        place = (rule.drug, rule.source, rule.population, tuple(sorted(rule.genes)))
        table = tables.setdefault(place, Table(*place, both=tuple({} for _ in rule.genes)))
        _add(table, rule, names, genes)
    return tuple(tables[place] for place in sorted(tables))


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
        canonical = tuple(
            genotype(text.split("/")) if _is_genotype(text, names.get(gene)) else text
            for gene, text in zip(table.genes, texts, strict=True)
        )
        for index, (gene, text) in enumerate(zip(table.genes, texts, strict=True)):
            if gene in genes and (parts := _both(text, genes[gene].phenotype.presence_alleles)):
                table.both[index][text] = parts
        if any(_is_genotype(text, names.get(gene)) for gene, text in zip(table.genes, texts, strict=True)):
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
