"""Whether tables and releases hold together. Not whether a fact is right: what contradicts itself is found here.

Every check returns findings; the compiler refuses a release with any. Checked are: identity (names and ids are unique,
what is named exists), definitions, phenotype rules (each pair of functions in use has exactly one phenotype, each score
exactly one bin), lookup keys (each can be reached), answers (at most one rule for a combination of keys; the unanswered
combinations are the recorded ones), sense (opposite actions are explained), findings (a gene that has any has one for
each phenotype) and sources.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge import keys
from knowledge.model import Definition, Gene, PhenotypeMethod, Ploidy, Ranking, ResearchGene, Rule
from knowledge.phenotypes import NOT_AVAILABLE, bins_of, phenotypes
from knowledge.release import Release

OPPOSITE = (
    ({"avoid", "contraindicated", "use-alternative"}, {"standard-dosing", "no-action-needed", "increase-dose"}),
    ({"increase-dose"}, {"decrease-dose"}),
    ({"no-recommendation"}, {"avoid", "decrease-dose", "increase-dose"}),
)
"""Actions that only make sense side by side when a note says which holds when."""

STRENGTHS = frozenset({"strong", "moderate", "optional", "none"})
EFFECTS = frozenset({"inhibitor", "inducer"})
CLASSES = frozenset({"strong", "moderate", "weak"})
CHROMOSOMES = {Ploidy.X_LINKED: "chrX", Ploidy.MITOCHONDRIAL: "chrM"}

Exceptions = Mapping[str, Mapping[str, str]]


class InvalidRelease(Exception):
    """Facts that do not hold together; ``findings`` says why."""

    def __init__(self, findings: "Sequence[Finding]") -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Finding:
    check: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: {self.message}"


def validate(release: Release, exceptions: Exceptions) -> list[Finding]:
    """Everything that is wrong with a release; ``exceptions`` excuses keys that its own tables cannot give."""
    return [
        *identity(release),
        *(finding for gene in release.genes.values() for finding in definition(gene)),
        *(finding for gene in release.genes.values() for finding in phenotype_rules(gene)),
        *(finding for gene in release.research.values() for finding in research(gene)),
        *lookup_keys(release, exceptions),
        *combinations(release),
        *(finding for rule in release.rules for finding in sense(rule)),
        *phenoconversion(release),
        *inherited_conditions(release),
    ]


def identity(release: Release) -> Iterator[Finding]:
    yield from twice("rule id", (rule.id for rule in release.rules))
    yield from twice("record", (rule.record for rule in release.rules))
    for rule in release.rules:
        if rule.drug not in release.drugs:
            yield Finding("identity", rule.record, f"unknown drug {rule.drug}")
        guideline = release.guidelines.get(rule.guideline)
        if guideline is None:
            yield Finding("identity", rule.record, f"unknown guideline {rule.guideline!r}")
        elif guideline.source.split("-")[0] != rule.source:
            yield Finding("identity", rule.record, f"{rule.source} row of a {guideline.source} guideline")
    for gene in release.genes.keys() & release.research.keys():
        yield Finding("identity", gene, "both a clinical and a research gene")


def definition(gene: Gene) -> Iterator[Finding]:
    d = gene.definition
    names = {allele.name for allele in d.alleles}
    positions = [position.pos for position in d.positions]

    def bad(message: str) -> Finding:
        return Finding("definition", gene.symbol, message)

    yield from twice(f"{gene.symbol} allele", (allele.name for allele in d.alleles))
    if positions != sorted(set(positions)):
        yield bad("positions are not in ascending order, each once")
    if d.positions and (d.reference is None or not d.alleles or d.alleles[0].name != d.reference):
        yield bad("the reference allele does not stand first")
    if (gene.ploidy is not Ploidy.AUTOSOMAL) != (gene.chromosome in CHROMOSOMES.values()) or (
        gene.chromosome != CHROMOSOMES.get(gene.ploidy, gene.chromosome)
    ):
        yield bad(f"{gene.ploidy} on {gene.chromosome}")
    for allele in d.alleles:
        for index, bases in allele.calls.items():
            if not 0 <= index < len(d.positions):
                yield bad(f"{allele.name} has a call without a position")
            elif not set(bases) <= {d.positions[index].ref, *d.positions[index].alts}:
                yield bad(f"{allele.name} has bases at {d.positions[index].pos} that the position does not have")
        for other in {allele.public_name, allele.copies_of} - {None}:
            if other not in names:
                yield bad(f"{allele.name} names unknown allele {other}")
        if (allele.copies is None) != (allele.copies_of is None):
            yield bad(f"{allele.name} has copies of nothing, or nothing of something")
    yield from _same_calls(gene)
    for label in _alleles_named(d):
        if label not in names:
            yield bad(f"a special rule names unknown allele {label}")
    for pos in _positions_named(d):
        if pos not in positions:
            yield bad(f"a special rule names unknown position {pos}")
    if gene.ranking is Ranking.FUNCTION and gene.worst_function not in {a.function for a in d.alleles}:
        yield bad(f"no allele has the worst function {gene.worst_function!r}")
    if (d.matching == "lowest-function") != (gene.ranking is not None):
        yield bad("a gene called by lowest function needs a ranking, others have none")


def research(gene: ResearchGene) -> Iterator[Finding]:
    names = {allele.name for allele in gene.alleles}
    yield from twice(f"{gene.symbol} allele", (allele.name for allele in gene.alleles))
    for name in {gene.reference, *gene.grch38} - names:
        yield Finding("definition", gene.symbol, f"unknown allele {name}")
    for allele in gene.alleles:
        for index, base in allele.calls.items():
            if not 0 <= index < len(gene.positions) or base not in gene.positions[index].alts:
                yield Finding("definition", gene.symbol, f"{allele.name} has a call that no position has")


def _same_calls(gene: Gene) -> Iterator[Finding]:
    """Two alleles that no genotype could ever tell apart."""
    seen: dict[tuple[tuple[int, tuple[str, ...]], ...], str] = {}
    for allele in gene.definition.alleles:
        calls = tuple(sorted(allele.calls.items()))
        if calls and calls in seen:
            yield Finding("definition", gene.symbol, f"{allele.name} is defined as {seen[calls]}")
        seen.setdefault(calls, allele.name)


def _alleles_named(d: Definition) -> Iterator[str]:
    yield from d.not_in_combinations
    if d.proxy:
        yield from (d.proxy.causal_allele, d.proxy.joint_allele)
    if d.single_variant:
        yield from d.single_variant.alleles.values()
    for priority in d.unphased_priorities:
        for diplotype in (*priority.candidates, priority.pick):
            yield from diplotype.split("/")


def _positions_named(d: Definition) -> Iterator[int]:
    yield from d.required_positions
    if d.proxy:
        yield from (d.proxy.causal_pos, d.proxy.proxy_pos)
    if d.single_variant:
        yield d.single_variant.pos


def phenotype_rules(gene: Gene) -> Iterator[Finding]:
    table = gene.phenotype
    if table.method is PhenotypeMethod.ACTIVITY_SCORE:
        for score in sorted(keys.scores(gene) - {NOT_AVAILABLE}):
            named = bins_of(score, table.bins)
            if len(named) != 1:
                yield Finding("phenotype", gene.symbol, f"score {score} is in {len(named)} bins")
        if table.no_score is None:
            yield Finding("phenotype", gene.symbol, "no phenotype for a missing score")
    elif table.method is PhenotypeMethod.ALLELE_PRESENCE:
        if not table.presence_alleles:
            yield Finding("phenotype", gene.symbol, "no allele to look for")
    elif table.method is not PhenotypeMethod.NONE:
        count = Counter(tuple(sorted(functions)) for rule in table.rules for functions in rule.functions)
        for functions in keys.function_groups(gene):
            if count[functions] != 1:
                yield Finding("phenotype", gene.symbol, f"{' + '.join(functions)} has {count[functions]} phenotypes")


def lookup_keys(release: Release, exceptions: Exceptions) -> Iterator[Finding]:
    """Every key of every rule can be the key of a patient."""
    memo: dict[tuple[str, str], frozenset[str]] = {}
    for rule in release.rules:
        for symbol, row in rule.genes.items():
            if not row or len(set(row)) < len(row):
                yield Finding("key", rule.record, f"{symbol}: no key, or one twice")
            gene = release.genes.get(symbol)
            for key in row:
                if keys.exception(exceptions, symbol, key):
                    continue
                if gene is None:
                    yield Finding("key", rule.record, f"unknown gene {symbol}")
                    break
                if (symbol, rule.source) not in memo:
                    memo[symbol, rule.source] = keys.reachable(gene, rule.source)
                if key not in memo[symbol, rule.source] and not keys.is_genotype(gene, key):
                    yield Finding("key", rule.record, f"{rule.source} {symbol}: no patient can have {key!r}")


def combinations(release: Release) -> Iterator[Finding]:
    """A combination of keys has at most one answer, and those without one are recorded as such."""
    missing: dict[keys.Group, tuple[tuple[str, ...], ...]] = {}
    for group, count, open_ in keys.answers(release):
        for combination, number in count.items():
            if number > 1:
                yield Finding("answer", _group(group), f"{'|'.join(combination)} has {number} rules")
        if open_:
            missing[group] = tuple(open_)
    recorded = {(s.source, s.drug, s.population, s.genes): s.combinations for s in release.unanswered}
    for group in sorted(missing.keys() | recorded.keys()):
        if missing.get(group) != recorded.get(group):
            yield Finding("answer", _group(group), "the unanswered combinations are not the recorded ones")


def sense(rule: Rule) -> Iterator[Finding]:
    def bad(message: str) -> Finding:
        return Finding("sense", rule.record, message)

    if not rule.actions or len(set(rule.actions)) < len(rule.actions):
        yield bad("no action, or one twice")
    if rule.strength not in STRENGTHS:
        yield bad(f"unknown strength {rule.strength!r}")
    if not rule.source_ref and not rule.curator:
        yield bad("no source; a fact from expert memory must be marked as the curator's")
    for one, other in OPPOSITE:
        if one & set(rule.actions) and other & set(rule.actions) and not rule.notes:
            yield bad(f"opposite actions without a note: {', '.join(rule.actions)}")
    for change in rule.dose_change:
        if change.factor_low < 0 or (change.factor_high is not None and change.factor_high < change.factor_low):
            yield bad("a dose factor that cannot be")
    for fixed in rule.dose_fixed:
        if (fixed.dose is None) == (fixed.dose_low is None and fixed.dose_high is None):
            yield bad("a fixed dose is one figure or a range")


def phenoconversion(release: Release) -> Iterator[Finding]:
    """Every precipitant has a rule that knows its enzyme, a class, and sources that are listed."""
    table = release.phenoconversion
    enzymes = {rule.enzyme for rule in table.rules}
    known = {reference.id for reference in table.references} | {"curator"}
    yield from twice("precipitant", ((p.enzyme, p.effect, p.drug) for p in table.precipitants))
    for p in table.precipitants:
        where = f"{p.drug} {p.enzyme} {p.effect}"
        if p.enzyme not in enzymes:
            yield Finding("phenoconversion", where, "no rule for the enzyme")
        if p.effect not in EFFECTS or p.strength not in CLASSES:
            yield Finding("phenoconversion", where, f"unknown class: {p.strength} {p.effect}")
        if not p.sources or not set(p.sources) <= known:
            yield Finding("phenoconversion", where, "no source, or one that is not in the references")
    for rule in table.rules:
        for reference in sorted(set(rule.references) - known):
            yield Finding("phenoconversion", rule.enzyme, f"unknown reference {reference}")


def inherited_conditions(release: Release) -> Iterator[Finding]:
    """A gene with findings has exactly one for each of its phenotypes, each with its limits and a source."""
    yield from twice("finding", (finding.id for finding in release.findings))
    said: dict[str, Counter[str]] = {}
    for finding in release.findings:
        said.setdefault(finding.gene, Counter()).update(finding.phenotypes)
        if not finding.limits or not finding.references:
            yield Finding("source", finding.id, "a finding needs its limits and a reference")
    for symbol, counted in said.items():
        gene = release.genes.get(symbol)
        known = phenotypes(gene.phenotype) if gene is not None else set()
        for phenotype in sorted(known | counted.keys()):
            if phenotype not in known or counted[phenotype] != 1:
                yield Finding("finding", symbol, f"{phenotype!r} has {counted[phenotype]} findings")


def twice(what: str, names: Iterable[Any]) -> Iterator[Finding]:
    """Findings for names that stand more than once."""
    for name, number in Counter(names).items():
        if number > 1:
            yield Finding("identity", what, f"{name} stands {number} times")


def _group(group: keys.Group) -> str:
    source, drug, population, genes = group
    return "|".join((source, drug, population, "+".join(genes)))
