"""Which lookup keys a patient can have, and which combinations of them a guideline answers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations_with_replacement, product
from typing import Any

from knowledge.clinical import Silence
from knowledge.model import Gene, PhenotypeMethod, Ploidy, Rule
from knowledge.phenotypes import NOT_AVAILABLE, score_text
from knowledge.release import Release

ANY = frozenset({"any", "any result with *2,*3"})
"""Keys that stand for every result of a gene."""
NO_RESULT = "No Result"
BY_PHENOTYPE = "FDA"
"""The source that is looked up by phenotype where CPIC and DPWG are by activity score."""

Group = tuple[str, str, str, tuple[str, ...]]
"""Source, drug, population and genes: within it a combination of keys has at most one answer."""


def function_groups(gene: Gene) -> Iterator[tuple[str, ...]]:
    """Every group of allele functions that a call can have: pairs, and single ones where one chromosome is normal."""
    functions = sorted({allele.function for allele in gene.definition.alleles if allele.function})
    if gene.ploidy is not Ploidy.MITOCHONDRIAL:
        yield from combinations_with_replacement(functions, 2)
    if gene.ploidy is not Ploidy.AUTOSOMAL:
        yield from ((function,) for function in functions)


def phenotypes(gene: Gene) -> frozenset[str]:
    """Every phenotype that the gene's alleles can give."""
    rules, bins = gene.phenotype.rules, gene.phenotype.bins
    given = {tuple(sorted(functions)): rule.phenotype for rule in rules for functions in rule.functions}
    reachable = {given[functions] for functions in function_groups(gene) if functions in given}
    return frozenset(reachable | {b.phenotype for b in bins})


def scores(gene: Gene) -> frozenset[str]:
    """Every activity score as text: sums of two values, ``≥`` where one has it; ``n/a`` where an allele has none."""
    values = {allele.activity_value for allele in gene.definition.alleles}
    known = sorted(value for value in values if value is not None)
    sums = {score_text(pair) for pair in combinations_with_replacement(known, 2)}
    return frozenset(sums | ({NOT_AVAILABLE} if None in values else set()))


def reachable(gene: Gene, source: str) -> frozenset[str]:
    """The keys under which a source's rows about the gene can be found, genotypes aside."""
    method = gene.phenotype.method
    if method is PhenotypeMethod.ACTIVITY_SCORE and source != BY_PHENOTYPE:
        return scores(gene)
    if method is PhenotypeMethod.ALLELE_PRESENCE:
        return frozenset(f"{a} {s}" for a in gene.phenotype.presence_alleles for s in ("positive", "negative"))
    return phenotypes(gene)


def is_genotype(gene: Gene, key: str) -> bool:
    """Whether the key names one allele or two (``*1/*3``, ``m.1555A>G``); such rows go before those by phenotype."""
    names = {allele.name for allele in gene.definition.alleles}
    return all(part in names for part in key.split("/"))


def groups(release: Release) -> dict[Group, list[tuple[Rule, dict[str, tuple[str, ...]]]]]:
    """The rules by what they answer. A rule that needs only one of its genes is in a group for each of them."""
    found: dict[Group, list[tuple[Rule, dict[str, tuple[str, ...]]]]] = defaultdict(list)
    for rule in release.rules:
        parts: list[dict[str, tuple[str, ...]]] = (
            [{gene: keys} for gene, keys in rule.genes.items()] if rule.any_gene else [dict(rule.genes)]
        )
        for genes in parts:
            found[rule.source, rule.drug, rule.population, tuple(sorted(genes))].append((rule, genes))
    return dict(sorted(found.items()))


def answers(release: Release) -> Iterator[tuple[Group, Counter[tuple[str, ...]], list[tuple[str, ...]]]]:
    """For every group of genes with tables: how many rules answer each combination of keys, and the reachable
    combinations that none answers. Of presence genes only the alleles that the group asks for count."""
    memo: dict[tuple[str, str], frozenset[str]] = {}
    for group, rows in groups(release).items():
        source, genes = group[0], group[3]
        if not all(gene in release.genes for gene in genes):
            continue
        axes = []
        for symbol in genes:
            if (symbol, source) not in memo:
                memo[symbol, source] = reachable(release.genes[symbol], source)
            axes.append(
                _axis(release.genes[symbol], memo[symbol, source], {k for _, keys in rows for k in keys[symbol]})
            )
        count: Counter[tuple[str, ...]] = Counter()
        for _, keys in rows:
            count.update(
                product(
                    *(
                        [k for k in keys[symbol] if k not in ANY] + (axis if ANY & set(keys[symbol]) else [])
                        for symbol, axis in zip(genes, axes, strict=True)
                    )
                )
            )
        yield group, count, [c for c in product(*axes) if c not in count and set(c) != {NO_RESULT}]


def silences(release: Release) -> tuple[Silence, ...]:
    """Where each source has rows for a drug but none for a reachable combination of keys."""
    return tuple(
        Silence(source=source, drug=drug, population=population, genes=genes, combinations=tuple(missing))
        for (source, drug, population, genes), _, missing in answers(release)
        if missing
    )


def as_table(rows: Iterable[Silence]) -> dict[str, list[str]]:
    """Silences in the form of the source table ``unanswered.json``."""
    return {
        "|".join((row.source, row.drug, row.population, "+".join(row.genes))): ["|".join(c) for c in row.combinations]
        for row in rows
    }


def _axis(gene: Gene, keys: Iterable[str], named: set[str]) -> list[str]:
    presence = gene.phenotype.method is PhenotypeMethod.ALLELE_PRESENCE
    asked = {key.split()[0] for key in named}
    return sorted(named & {NO_RESULT} | {key for key in keys if not presence or key.split()[0] in asked})


def exception(exceptions: Mapping[str, Mapping[str, Any]], gene: str, key: str) -> tuple[str, str] | None:
    """The entry that excuses a key which the gene's own tables cannot give."""
    for symbol, name in ((gene, "*"), (gene, key), ("*", key)):
        if name in exceptions.get(symbol, {}):
            return symbol, name
    return None
