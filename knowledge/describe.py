"""A release, or a part of one, for people to read and for programs to take as JSON."""

from collections.abc import Iterable
from itertools import product
from typing import Any

from knowledge import keys, wording
from knowledge.clinical import Silence
from knowledge.identity import rule_id
from knowledge.loader import Releases
from knowledge.model import Fact, Gene, Rule
from knowledge.phenotypes import NOT_AVAILABLE
from knowledge.release import Release


class Description(Fact):
    kind: str
    """``release``, ``gene``, ``research gene``, ``drug``, ``guideline`` or ``rule``."""
    name: str
    data: Any
    """The facts as JSON values."""
    lines: tuple[str, ...]
    """The same in short, as text."""


def overview(releases: Releases) -> tuple[Description, ...]:
    """The releases that there are, in the order in which they came into force, from their manifests alone."""
    newest = releases.newest() if releases.ids() else None
    found = []
    for release in releases.ids():
        manifest = releases.manifest(release)
        mark = "  (newest)" if release == newest else ""
        line = f"{release}  in force {manifest.in_force}{mark}  {manifest.description}"
        data = manifest.model_dump(mode="json", exclude={"files"})
        found.append(Description(kind="release", name=release, data=data, lines=(line,)))
    return tuple(found)


def show(release: Release, what: str | None = None) -> Description | None:
    """The release itself, or its gene, drug, guideline or rule of this name or id; None where it has none.

    Genes and ids as they are written, drugs in any case; a rule also by its source record (``r0001``) and by the
    ``rule`` of a recommendation that it gives.
    """
    if what is None:
        return _release(release)
    if what in release.genes:
        return _gene(release, release.genes[what])
    if what in release.research:
        gene = release.research[what]
        lines = (f"{what} (research only, never in clinical results)", f"  {len(gene.alleles)} alleles, {gene.source}")
        return Description(kind="research gene", name=what, data=_plain(gene), lines=lines)
    if what.lower() in release.drugs:
        return _drug(release, what.lower())
    if what in release.guidelines:
        return _guideline(release, what)
    rule = next((rule for rule in release.rules if what in (rule.id, rule.record)), None) or _answering(release, what)
    if rule is None:
        return None
    return Description(kind="rule", name=rule.id, data=_plain(rule), lines=_rule_lines(release, rule))


def _answering(release: Release, advice: str) -> Rule | None:
    """The rule behind a recommendation, whose id is made from the patient's own keys."""
    about = advice.split(":")[:3]
    for rule in release.rules:
        genes = sorted(rule.genes)
        if about != rule.id.split(":")[:3]:
            continue
        every = [_keys(release, rule, gene) for gene in genes]
        for combined in product(*every):
            named = {gene: (key,) for gene, key in zip(genes, combined, strict=True)}
            if rule_id(rule.source, rule.drug, rule.population, named) == advice:
                return rule
    return None


def _keys(release: Release, rule: Rule, gene: str) -> Iterable[str]:
    """The keys of a gene under which advice by the rule can be given."""
    own = set(rule.genes[gene])
    if gene in release.genes and (rule.any_gene or own & keys.ANY):
        own |= keys.reachable(release.genes[gene], rule.source)
    return sorted(own | {keys.NO_RESULT, NOT_AVAILABLE} if rule.any_gene else own)


def _release(release: Release) -> Description:
    manifest = release.manifest
    sources = sorted({rule.source for rule in release.rules})
    counts = {
        "genes": len(release.genes),
        "alleles": sum(len(gene.definition.alleles) for gene in release.genes.values()),
        "positions": sum(len(gene.definition.positions) for gene in release.genes.values()),
        "drugs": len(release.drugs),
        "guidelines": len(release.guidelines),
        "rules": {source: sum(rule.source == source for rule in release.rules) for source in sources},
        "unanswered": sum(len(silence.combinations) for silence in release.unanswered),
        "doubts": len(release.doubts),
        "research genes": len(release.research),
    }
    data = manifest.model_dump(mode="json", exclude={"files"}) | {"sha256": release.sha256, "counts": counts}
    rules = ", ".join(f"{number} {source}" for source, number in counts["rules"].items())  # type: ignore[attr-defined]
    lines = [
        f"release {release.id}, in force {manifest.in_force}, sha256 {release.sha256}",
        manifest.description,
        f"{counts['genes']} genes: {', '.join(release.genes)}",
        f"{counts['alleles']} alleles at {counts['positions']} positions; {counts['research genes']} research genes",
        f"{counts['drugs']} drugs, {counts['guidelines']} guidelines, rules: {rules}",
        f"{counts['unanswered']} combinations of keys on which a source is silent; {counts['doubts']} known doubts",
    ]
    if manifest.base:
        lines.append(f"made from release {manifest.base} (sha256 {manifest.base_sha256})")
    lines += ["sources:", *(f"  {source}" for source in manifest.sources)]
    lines += ["licences:", *(f"  {licence}" for licence in manifest.licences)]
    return Description(kind="release", name=release.id, data=data, lines=tuple(lines))


def _gene(release: Release, gene: Gene) -> Description:
    d = gene.definition
    drugs = sorted({rule.drug for rule in release.rules if gene.symbol in rule.genes})
    doubts = [doubt for doubt in release.doubts if gene.symbol in doubt.genes]
    lines = [
        f"{gene.symbol} ({gene.chromosome}, {gene.ploidy}): {wording.size(gene)}",
        f"  reference {d.reference or 'none'}; matching {d.matching}; phenotype by {gene.phenotype.method}",
        f"  definitions: {d.source}, version {d.version}",
        f"  phenotypes: {gene.phenotype.source}",
    ]
    for allele in d.alleles:
        value = f", activity value {allele.activity_value}" if allele.activity_value else ""
        marks = " [curator]" if allele.curator else "" if allele.calls else " [reported only]"
        lines.append(f"  {allele.name}: {allele.function or 'no function assigned'}{value}{marks}")
    lines += [f"  doubt: {doubt.text}" for doubt in doubts]
    lines.append(f"  drugs: {', '.join(drugs) or 'none'}")
    data = _plain(gene) | {"drugs": drugs, "doubts": [_plain(doubt) for doubt in doubts]}
    return Description(kind="gene", name=gene.symbol, data=data, lines=tuple(lines))


def _drug(release: Release, name: str) -> Description:
    drug = release.drugs[name]
    rules = [rule for rule in release.rules if rule.drug == name]
    silences = [silence for silence in release.unanswered if silence.drug == name]
    lines = [f"{name} (RxNorm {drug.rxnorm or 'unknown'}; ATC {', '.join(drug.atc) or 'unknown'})"]
    lines += [f"  {_rule_line(rule)}" for rule in rules]
    lines += [f"  {_silence_line(silence)}" for silence in silences]
    data = _plain(drug) | {"rules": [_plain(r) for r in rules], "unanswered": [_plain(s) for s in silences]}
    return Description(kind="drug", name=name, data=data, lines=tuple(lines))


def _guideline(release: Release, id_: str) -> Description:
    guideline = release.guidelines[id_]
    rules = [rule for rule in release.rules if rule.guideline == id_]
    lines = [
        f"{id_} {guideline.name} ({guideline.source})",
        f"  {guideline.url or ''} {' '.join(f'PMID {pmid}' for pmid in guideline.pmid)}".rstrip(),
        *(f"  {_rule_line(rule)}" for rule in rules),
    ]
    data = _plain(guideline) | {"rules": [_plain(rule) for rule in rules]}
    return Description(kind="guideline", name=id_, data=data, lines=tuple(lines))


def _silence_line(silence: Silence) -> str:
    open_ = wording.count(len(silence.combinations), "combination")
    return f"{silence.source} ({silence.population}) is silent on {open_} of {', '.join(silence.genes)}"


def _rule_line(rule: Rule) -> str:
    population = "" if rule.population == "general" else f" ({rule.population})"
    mark = " [curator]" if rule.curator else ""
    return f"{rule.drug}{population}, {rule.source}, {wording.keys(rule)}: {wording.advice(rule)}{mark}"


def _rule_lines(release: Release, rule: Rule) -> tuple[str, ...]:
    guideline = release.guidelines[rule.guideline]
    lines = [_rule_line(rule), f"  {rule.implication}" if rule.implication else None]
    lines += [f"  note: {note}" for note in rule.notes]
    lines += [
        f"  guideline {guideline.id} {guideline.name}, edition {rule.edition}",
        f"  source rows: {', '.join(rule.source_ref) or 'none'}; record {rule.record}; rule {rule.id}",
        f"  verbatim: {rule.verbatim}" if rule.verbatim else None,
    ]
    return tuple(line for line in lines if line)


def _plain(fact: Fact) -> dict[str, Any]:
    return fact.model_dump(mode="json", exclude_defaults=True)
