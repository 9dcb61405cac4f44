"""What differs between two knowledge releases, fact by fact, in one fixed order."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from knowledge.model import Allele, Gene, Rule
from knowledge.release import Release

Fact = TypeVar("Fact")


class Difference(NamedTuple):
    """One fact that is ``added``, ``removed`` or ``changed``; ``before`` and ``after`` describe it."""

    change: str
    kind: str
    what: str
    before: str | None = None
    after: str | None = None


def compare(old: Release, new: Release) -> tuple[Difference, ...]:
    """Every difference in genes, alleles, phenotype rules, drugs and guideline rules."""
    return (
        *_members("gene", old.genes, new.genes),
        *(
            difference
            for symbol in sorted(old.genes.keys() & new.genes.keys())
            for difference in _gene(old.genes[symbol], new.genes[symbol])
        ),
        *_members("drug", old.drugs, new.drugs),
        *_rules({rule.id: rule for rule in old.rules}, {rule.id: rule for rule in new.rules}),
    )


def _members(kind: str, old: Mapping[str, Fact], new: Mapping[str, Fact]) -> Iterator[Difference]:
    yield from (Difference("removed", kind, name) for name in sorted(old.keys() - new.keys()))
    yield from (Difference("added", kind, name) for name in sorted(new.keys() - old.keys()))


def _gene(old: Gene, new: Gene) -> Iterator[Difference]:
    before = {allele.name: allele for allele in old.definition.alleles}
    after = {allele.name: allele for allele in new.definition.alleles}
    for change in _members("allele", before, after):
        allele = (before if change.change == "removed" else after)[change.what]
        text = _function(allele)
        what = f"{new.symbol} {change.what}"
        yield change._replace(what=what, **({"before": text} if change.change == "removed" else {"after": text}))
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        if _function(was) != _function(now):
            yield Difference("changed", "function", f"{new.symbol} {name}", _function(was), _function(now))
        if was.calls != now.calls:
            yield Difference("changed", "definition", f"{new.symbol} {name}")
    if old.phenotype != new.phenotype:
        yield Difference("changed", "phenotype rules", new.symbol, old.phenotype.source, new.phenotype.source)


def _function(allele: Allele) -> str:
    value = "" if allele.activity_value is None else f" ({allele.activity_value})"
    return (allele.function or "no function named") + value


def _rules(old: Mapping[str, Rule], new: Mapping[str, Rule]) -> Iterator[Difference]:
    for identifier in sorted(old.keys() | new.keys(), key=lambda one: _subject(new.get(one) or old[one])):
        was, now = old.get(identifier), new.get(identifier)
        if was is None and now is not None:
            yield Difference("added", "rule", _subject(now), None, _advice(now))
        elif now is None and was is not None:
            yield Difference("removed", "rule", _subject(was), _advice(was))
        elif was is not None and now is not None and _advice(was) != _advice(now):
            yield Difference("changed", "rule", _subject(now), _advice(was), _advice(now))


def _subject(rule: Rule) -> str:
    genes = ", ".join(f"{gene} {' | '.join(keys)}" for gene, keys in rule.genes.items())
    return f"{rule.source} {rule.drug} [{rule.population}] {genes}"


def _advice(rule: Rule) -> str:
    """What counts as advice: actions, doses, alternatives and strength; wording and notes do not."""
    doses = [
        " ".join(f"{key} {value}" for key, value in dose.model_dump(exclude_none=True).items())
        for dose in (*rule.dose_change, *rule.dose_fixed, *rule.dose_limit)
    ]
    parts = [", ".join(rule.actions), "; ".join(doses), " or ".join(rule.alternatives), rule.strength]
    return " — ".join(part for part in parts if part)
