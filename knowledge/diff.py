"""What changed between two releases, in clinical words and as structured data."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from knowledge import wording
from knowledge.keys import ANY
from knowledge.model import Allele, Fact, Gene, Rule
from knowledge.release import Release


class Area(StrEnum):
    GENES = "genes"
    ALLELES = "alleles"
    FUNCTIONS = "functions"
    PHENOTYPES = "phenotypes"
    RECOMMENDATIONS = "recommendations"
    DRUGS = "drugs"
    GUIDELINES = "guidelines"
    FINDINGS = "findings"
    PHENOCONVERSION = "phenoconversion"
    OTHER = "other"


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    ANNOTATED = "annotated"
    """A recommendation whose advice is the same, but not its implication, notes, edition or guideline."""


class Difference(Fact):
    """One fact that is new, gone or another. ``before`` and ``after`` are the facts themselves, as JSON values."""

    area: Area
    kind: Kind
    subject: str
    """Gene, drug, guideline id …: what a reader looks for."""
    detail: str = ""
    """Allele, keys …: which of the subject's facts."""
    before: Any = None
    after: Any = None
    text: str


class Comparison(Fact):
    before: str
    after: str
    differences: tuple[Difference, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many differences of each kind there are, by area."""
        table: dict[str, dict[str, int]] = {}
        for d in self.differences:
            row = table.setdefault(d.area.value, {})
            row[d.kind.value] = row.get(d.kind.value, 0) + 1
        return table

    def lines(self) -> tuple[str, ...]:
        """The comparison as text: by area, then subject."""
        lines = [f"{self.before} -> {self.after}"]
        if not self.differences:
            lines.append("no differences")
        table = self.counts()
        for area, counts in ((area.value, table[area.value]) for area in Area if area.value in table):
            lines += ["", f"{area}: " + ", ".join(f"{number} {kind}" for kind, number in counts.items())]
            lines += [f"  {d.text}" for d in self.differences if d.area.value == area]
        return tuple(lines)


def compare(before: Release, after: Release) -> Comparison:
    """Everything that differs. A release compared with itself has no differences."""
    return Comparison(
        before=before.id,
        after=after.id,
        differences=(
            *_genes(before.genes, after.genes),
            *_recommendations(before.rules, after.rules),
            *_named(Area.DRUGS, before.drugs, after.drugs, lambda d: f"{d.name} (RxNorm {d.rxnorm or 'unknown'})"),
            *_named(Area.GUIDELINES, before.guidelines, after.guidelines, lambda g: f"{g.id} {g.name}"),
            *_findings(before, after),
            *_phenoconversion(before, after),
            *_other(before, after),
        ),
    )


def _genes(before: Mapping[str, Gene], after: Mapping[str, Gene]) -> Iterator[Difference]:
    for symbol in sorted(before.keys() | after.keys()):
        old, new = before.get(symbol), after.get(symbol)
        if old and new:
            yield from _gene(old, new)
            continue
        gene = new or old
        assert gene is not None  # noqa: S101 - the symbol is from one of the two
        kind = Kind.ADDED if new else Kind.REMOVED
        yield Difference(area=Area.GENES, kind=kind, subject=symbol, text=f"{symbol} {kind} ({wording.size(gene)})")


def _gene(old: Gene, new: Gene) -> Iterator[Difference]:
    symbol = new.symbol
    before = {allele.name: allele for allele in old.definition.alleles}
    after = {allele.name: allele for allele in new.definition.alleles}
    for name in [*after, *(name for name in before if name not in after)]:
        yield from _allele(symbol, (old, before.get(name)), (new, after.get(name)))
    yield from _phenotypes(old, new)
    rest = [_rest(gene) for gene in (old, new)]
    if rest[0] != rest[1]:
        names = [name for name in rest[1] if rest[0].get(name) != rest[1][name]]
        yield Difference(
            area=Area.GENES,
            kind=Kind.CHANGED,
            subject=symbol,
            before={name: rest[0].get(name) for name in names},
            after={name: rest[1][name] for name in names},
            text=f"{symbol}: {', '.join(names)} changed",
        )


def _rest(gene: Gene) -> dict[str, Any]:
    """Of a gene, what is neither alleles nor phenotype rules."""
    fields = gene.model_dump(mode="json", exclude={"definition", "phenotype"})
    return fields | gene.definition.model_dump(mode="json", exclude={"alleles"})


def _allele(symbol: str, old: tuple[Gene, Allele | None], new: tuple[Gene, Allele | None]) -> Iterator[Difference]:
    before, after = old[1], new[1]
    if before is None or after is None:
        allele = after or before
        assert allele is not None  # noqa: S101 - the name is from one of the two
        kind = Kind.ADDED if after else Kind.REMOVED
        yield Difference(
            area=Area.ALLELES,
            kind=kind,
            subject=symbol,
            detail=allele.name,
            before=before and _plain(before),
            after=after and _plain(after),
            text=f"{symbol} {allele.name} {kind} ({_function(allele)})",
        )
        return
    calls = _calls(old[0], before), _calls(new[0], after)
    if calls[0] != calls[1]:
        yield Difference(
            area=Area.ALLELES,
            kind=Kind.CHANGED,
            subject=symbol,
            detail=after.name,
            before=calls[0],
            after=calls[1],
            text=f"{symbol} {after.name} redefined: {_calls_text(calls[0])} -> {_calls_text(calls[1])}",
        )
    if _function(before) != _function(after):
        yield Difference(
            area=Area.FUNCTIONS,
            kind=Kind.CHANGED,
            subject=symbol,
            detail=after.name,
            before={"function": before.function, "activity_value": before.activity_value},
            after={"function": after.function, "activity_value": after.activity_value},
            text=f"{symbol} {after.name}: {_function(before)} -> {_function(after)}",
        )


def _function(allele: Allele) -> str:
    value = f", activity value {allele.activity_value}" if allele.activity_value else ""
    return (allele.function or "no function assigned") + value


def _calls(gene: Gene, allele: Allele) -> dict[str, str]:
    positions = gene.definition.positions
    return {f"{gene.chromosome}:{positions[i].pos}": "/".join(bases) for i, bases in sorted(allele.calls.items())}


def _calls_text(calls: Mapping[str, str]) -> str:
    return ", ".join(f"{position} {bases}" for position, bases in calls.items()) or "reported only"


def _phenotypes(old: Gene, new: Gene) -> Iterator[Difference]:
    before, after = _rules(old), _rules(new)
    for functions in sorted(before.keys() | after.keys()):
        was, now = before.get(functions), after.get(functions)
        if was != now:
            kind = Kind.CHANGED if was and now else Kind.ADDED if now else Kind.REMOVED
            yield Difference(
                area=Area.PHENOTYPES,
                kind=kind,
                subject=new.symbol,
                detail=functions,
                before=was,
                after=now,
                text=f"{new.symbol} {functions}: {was or 'none'} -> {now or 'none'}",
            )


def _rules(gene: Gene) -> dict[str, str]:
    """Phenotype by what gives it: functions, a range of scores, or a missing score."""
    table = {" + ".join(sorted(f)): rule.phenotype for rule in gene.phenotype.rules for f in rule.functions}
    for b in gene.phenotype.bins:
        low = f"score {'from' if b.minimum_included else 'above'} {b.minimum:g}"
        high = "" if b.maximum is None else f" {'to' if b.maximum_included else 'to below'} {b.maximum:g}"
        table[low + high] = b.phenotype
    if gene.phenotype.no_score:
        table["no score"] = gene.phenotype.no_score
    return table | dict.fromkeys(
        (f"{a} present or absent" for a in gene.phenotype.presence_alleles), "a key of its own"
    )


ADVICE = ("actions", "dose_change", "dose_fixed", "dose_limit", "alternatives", "strength")
"""What makes advice another one, with the population; notes and wording do not."""


def _recommendations(before: tuple[Rule, ...], after: tuple[Rule, ...]) -> Iterator[Difference]:
    for old, new in _paired(before, after):
        rule = new or old
        assert rule is not None  # noqa: S101 - a pair has at least one row
        if old and new and not _differs(old, new):
            continue
        if old and new:
            same_advice = all(getattr(old, name) == getattr(new, name) for name in ADVICE)
            kind = Kind.ANNOTATED if same_advice and old.id == new.id else Kind.CHANGED
        else:
            kind = Kind.ADDED if new else Kind.REMOVED
        yield Difference(
            area=Area.RECOMMENDATIONS,
            kind=kind,
            subject=rule.drug,
            detail=rule.id,
            before=old and _plain(old),
            after=new and _plain(new),
            text=_advice_text(old, new, kind),
        )


def _paired(before: tuple[Rule, ...], after: tuple[Rule, ...]) -> Iterator[tuple[Rule | None, Rule | None]]:
    """Rows of the same id; then, within source, drug and population, each new row with the old ones of its keys.

    So a row that was divided shows as changes of one row into several.
    """
    old, new = {rule.id: rule for rule in before}, {rule.id: rule for rule in after}
    gone = [rule for rule in before if rule.id not in new]
    paired: list[tuple[Rule | None, Rule | None]] = [(old[id_], new[id_]) for id_ in old if id_ in new]
    matched: set[str] = set()
    for rule in (rule for rule in after if rule.id not in old):
        partners = [other for other in gone if _overlap(other, rule)]
        matched |= {partner.id for partner in partners}
        paired += [(partner, rule) for partner in partners] or [(None, rule)]
    paired += [(rule, None) for rule in gone if rule.id not in matched]

    def order(pair: tuple[Rule | None, Rule | None]) -> tuple[str, str, str, str]:
        rule = pair[1] or pair[0]
        assert rule is not None  # noqa: S101 - a pair has at least one row
        return rule.drug, rule.source, rule.population, wording.keys(rule)

    return iter(sorted(paired, key=order))


def _overlap(one: Rule, other: Rule) -> bool:
    about = [(r.source, r.drug, r.population, r.genes.keys(), r.any_gene) for r in (one, other)]
    return about[0] == about[1] and all(_share(set(keys), set(other.genes[gene])) for gene, keys in one.genes.items())


def _share(one: set[str], other: set[str]) -> bool:
    return bool(one & other or (one | other) & ANY)


def _differs(old: Rule, new: Rule) -> bool:
    ignored = {"record", "source_ref"}
    return old.model_dump(exclude=ignored) != new.model_dump(exclude=ignored)


def _advice_text(old: Rule | None, new: Rule | None, kind: Kind) -> str:
    rule = new or old
    assert rule is not None  # noqa: S101 - a pair has at least one row
    population = "" if rule.population == "general" else f" ({rule.population})"
    about = f"{rule.drug}{population}, {rule.source}, {wording.keys(rule)}"
    if old and new and kind is Kind.ANNOTATED:
        ignored = {"record", "source_ref", *ADVICE}
        was, now = old.model_dump(exclude=ignored), new.model_dump(exclude=ignored)
        fields = ", ".join(name for name in now if now[name] != was[name])
        return f"{about}: same advice ({wording.advice(new)}), other {fields}"
    if old and new:
        keys = "" if old.id == new.id else f" [was for {wording.keys(old)}]"
        return f"{about}: {wording.advice(old)} -> {wording.advice(new)}{keys}"
    return f"{about}: {'new: ' if new else 'withdrawn: '}{wording.advice(rule)}"


F = TypeVar("F", bound=Fact)


def _named(
    area: Area, before: Mapping[str, F], after: Mapping[str, F], text: Callable[[F], str]
) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        kind = Kind.CHANGED if old and new else Kind.ADDED if new else Kind.REMOVED
        fact = new or old
        assert fact is not None  # noqa: S101 - the name is from one of the two
        yield Difference(
            area=area,
            kind=kind,
            subject=name,
            before=old and _plain(old),
            after=new and _plain(new),
            text=f"{text(fact)} {kind}",
        )


def _findings(before: Release, after: Release) -> Iterator[Difference]:
    by_id = [{finding.id: finding for finding in release.findings} for release in (before, after)]
    yield from _named(
        Area.FINDINGS, by_id[0], by_id[1], lambda f: f"{f.condition}: {f.gene} {' or '.join(f.phenotypes)}"
    )


def _phenoconversion(before: Release, after: Release) -> Iterator[Difference]:
    rules = [{rule.enzyme: rule for rule in r.phenoconversion.rules} for r in (before, after)]
    yield from _named(Area.PHENOCONVERSION, rules[0], rules[1], lambda rule: f"rule of {rule.enzyme}")
    drugs = [{f"{p.enzyme} {p.drug} {p.effect}": p for p in r.phenoconversion.precipitants} for r in (before, after)]
    yield from _named(
        Area.PHENOCONVERSION, drugs[0], drugs[1], lambda p: f"{p.drug}: {p.strength} {p.effect} of {p.enzyme}"
    )


def _other(before: Release, after: Release) -> Iterator[Difference]:
    """Tables that are compared as wholes."""
    tables: dict[str, tuple[Any, Any]] = {
        "warfarin": (before.warfarin, after.warfarin),
        "LOINC codes": (before.loinc, after.loinc),
        "known doubts": (before.doubts, after.doubts),
        "research genes": (before.research, after.research),
    }
    for name, (old, new) in tables.items():
        if old != new:
            yield Difference(area=Area.OTHER, kind=Kind.CHANGED, subject=name, text=f"{name} changed")


def _plain(fact: Fact) -> dict[str, Any]:
    return fact.model_dump(mode="json", exclude_defaults=True)
