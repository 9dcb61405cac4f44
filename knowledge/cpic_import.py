"""Imports CPIC's published tables into a site's release, with CPIC's own texts: ``python -m knowledge.cpic_import``.

The input are the JSON arrays that the CPIC API answers for ``recommendation``, ``allele`` and ``diplotype``, saved as
files (columns of cpic-data, schema ``cpic``: https://github.com/cpicpgx/cpic-data); nothing here uses a network.

- ``recommendation``: each row's text is attached to the rule of the base release that answers the same drug, population
  and keys. A row that the base does not have becomes a rule that only says to read the text, marked as unreviewed.
- ``allele``: functions and activity values of CPIC take the place of the base's; alleles without definition here are
  added as ones that can be reported.
- ``diplotype``: every row must follow from the phenotype rules; one that does not makes the import fail.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from knowledge import keys, site, sources, wording
from knowledge.compile_genes import activity_text
from knowledge.cpic_tables import NO_VALUE, AlleleRow, BadTable, DiplotypeRow, RecommendationRow, read
from knowledge.identity import rule_id
from knowledge.loader import Releases, UnknownRelease
from knowledge.model import Allele, Drug, Gene, Guideline, PhenotypeMethod, Rule
from knowledge.phenotypes import phenotype
from knowledge.release import Release
from knowledge.validation import Finding, InvalidRelease
from knowledge.writer import write

SOURCE = "CPIC"
UNREVIEWED = "clinical-judgement"
STRENGTHS = {"strong": "strong", "moderate": "moderate", "optional": "optional"}
CHECKED = (PhenotypeMethod.FUNCTION_PAIR, PhenotypeMethod.HAPLOID_CLASS, PhenotypeMethod.ACTIVITY_SCORE)


@dataclass
class Report:
    """What the import did, for the curator to read: by topic, in the order of the files."""

    topics: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, topic: str, line: str) -> None:
        self.topics[topic].append(line)

    def lines(self) -> Iterator[str]:
        for topic, lines in self.topics.items():
            yield f"{topic}: {len(lines)}"
            yield from (f"  {line}" for line in lines)


def site_release(
    base: Release,
    release: str,
    in_force: str,
    recommendations: Iterable[RecommendationRow],
    alleles: Iterable[AlleleRow] = (),
    diplotypes: Iterable[DiplotypeRow] = (),
) -> tuple[Release, Report]:
    """The base release with CPIC's tables, and what was done. Raises InvalidRelease when they contradict the rules."""
    report = Report()
    genes = dict(base.genes)
    for row in alleles:
        if row.genesymbol in genes:
            genes[row.genesymbol] = _allele(genes[row.genesymbol], row, report)
        else:
            report.add("alleles of genes that the base does not have, left out", f"{row.genesymbol} {row.name}")
    _check(genes, diplotypes, report)
    drugs = dict(base.drugs)
    guidelines = dict(base.guidelines)
    rules = _rules(base, genes, recommendations, drugs, guidelines, report)
    manifest = site.manifest(
        base,
        release,
        in_force,
        f"{base.manifest.description}, with CPIC's tables as imported",
        "CPIC API tables (CC0 1.0)",
    )
    return site.overlay(base, manifest, genes.values(), rules, drugs.values(), guidelines.values()), report


def _allele(gene: Gene, row: AlleleRow, report: Report) -> Gene:
    """The gene with CPIC's function and, where it has scores, activity value of the allele."""
    function = row.clinicalfunctionalstatus
    scored = gene.phenotype.method is PhenotypeMethod.ACTIVITY_SCORE
    value = _activity(row.activityvalue) if scored else None
    old = next((allele for allele in gene.definition.alleles if allele.name == row.name), None)
    if function is None:
        return gene
    if old is None:
        new = Allele(
            name=row.name, function=function, activity_value=value, notes=("named by CPIC, without a definition here",)
        )
        report.add("alleles added, to be reported only", f"{gene.symbol} {row.name}: {function}")
        return _with(gene, (*gene.definition.alleles, new))
    same = (old.function or "").casefold() == function.casefold()
    if same and (not scored or old.activity_value == value):
        return gene
    new = old.model_copy(update={"function": old.function if same else function, "activity_value": value})
    before, after = (f"{a.function or 'none'} {a.activity_value or ''}".strip() for a in (old, new))
    report.add("functions changed", f"{gene.symbol} {row.name}: {before} -> {after}")
    return _with(gene, tuple(new if allele is old else allele for allele in gene.definition.alleles))


def _with(gene: Gene, alleles: tuple[Allele, ...]) -> Gene:
    return gene.model_copy(update={"definition": gene.definition.model_copy(update={"alleles": alleles})})


def _activity(text: str | None) -> str | None:
    if text is None or text in NO_VALUE:
        return None
    sign = "≥" if text.startswith("≥") else ""
    return sign + (activity_text(float(text.removeprefix("≥"))) or "")


def _check(genes: dict[str, Gene], diplotypes: Iterable[DiplotypeRow], report: Report) -> None:
    findings = []
    for row in diplotypes:
        gene = genes.get(row.genesymbol)
        about = f"{row.genesymbol} {row.diplotype}"
        if gene is None or gene.phenotype.method not in CHECKED:
            report.add("diplotypes of genes without comparable rules, not checked", about)
            continue
        try:
            given, score = phenotype(gene, row.diplotype.split("/"))
        except KeyError:
            report.add("diplotypes with unknown alleles, not checked", about)
            continue
        scored = gene.phenotype.method is PhenotypeMethod.ACTIVITY_SCORE
        expected = _activity(row.totalactivityscore) or "n/a"
        if given != row.generesult or (scored and score != expected):
            theirs = f"{row.generesult} {expected if scored else ''}".strip()
            ours = f"{given} {score if scored else ''}".strip()
            findings.append(Finding("diplotype", about, f"CPIC has {theirs}, the rules give {ours}"))
    if findings:
        raise InvalidRelease(findings)


def _rules(
    base: Release,
    genes: dict[str, Gene],
    rows: Iterable[RecommendationRow],
    drugs: dict[str, Drug],
    guidelines: dict[str, Guideline],
    report: Report,
) -> list[Rule]:
    """Base rules with their texts, and new rules for rows that the base does not have."""
    populations = sources.cpic_populations()
    by_rxnorm = {drug.rxnorm: drug.name for drug in base.drugs.values() if drug.rxnorm}
    by_drug = defaultdict(list)
    for rule in base.rules:
        if rule.source == SOURCE:
            by_drug[rule.drug].append(rule)
    texts: dict[str, list[RecommendationRow]] = defaultdict(list)
    new: dict[str, Rule] = {}
    for row in rows:
        about = f"row {row.id} ({row.drugid})"
        lookup = row.keys()
        if lookup is None or not row.drugrecommendation:
            report.add("rows without keys or text, left out", about)
            continue
        rxnorm = row.drugid.removeprefix("RxNorm:") if row.drugid.startswith("RxNorm:") else None
        drug = by_rxnorm.get(rxnorm or "") or (row.drug.name.lower() if row.drug else None)
        population = populations.get(row.population or "general", row.population or "general")
        if drug is None:
            report.add("rows of drugs that the base does not have and the file does not name, left out", about)
            continue
        answer = next((r for r in by_drug[drug] if r.population == population and _answers(r, lookup)), None)
        if answer is not None:
            texts[answer.id].append(row)
            continue
        unknown = [f"{g} {k}" for g, k in lookup.items() if not _reachable(genes, g, k)]
        if unknown:
            report.add("rows whose keys no patient can have, left out", f"{about}: {', '.join(unknown)}")
            continue
        guideline = _guideline(base, by_drug[drug], row)
        if guideline is None:
            report.add("rows of guidelines that the base does not have and the file does not name, left out", about)
            continue
        guidelines.setdefault(guideline.id, guideline)
        drugs.setdefault(drug, Drug(name=drug, rxnorm=rxnorm))
        added = _unreviewed(row, drug, guideline, population, lookup)
        if added.id in new:
            report.add("rows with the keys of another row, left out", about)
            continue
        new[added.id] = added
        report.add("rules added, for review", f"{drug}, {wording.keys(added)}")
    changed = [_with_text(rule, texts[rule.id], report) for rule in base.rules if rule.id in texts]
    for rule in base.rules:
        if rule.source == SOURCE and rule.id not in texts:
            report.add("CPIC rules of the base without a row in the file, kept without a text", _about(rule))
    return [*changed, *new.values()]


def _answers(rule: Rule, lookup: dict[str, str]) -> bool:
    return rule.genes.keys() == lookup.keys() and all(
        key in rule.genes[gene] or keys.ANY & set(rule.genes[gene]) for gene, key in lookup.items()
    )


def _reachable(genes: dict[str, Gene], symbol: str, key: str) -> bool:
    gene = genes.get(symbol)
    return gene is not None and (
        key == keys.NO_RESULT or key in keys.reachable(gene, SOURCE) or keys.is_genotype(gene, key)
    )


def _guideline(base: Release, rules: Sequence[Rule], row: RecommendationRow) -> Guideline | None:
    if rules:
        return base.guidelines[rules[0].guideline]
    if row.guideline is None:
        return None
    return Guideline(
        id=f"CPIC-{row.guidelineid or row.id}", source=SOURCE, name=row.guideline.name, url=row.guideline.url
    )


def _unreviewed(
    row: RecommendationRow, drug: str, guideline: Guideline, population: str, lookup: dict[str, str]
) -> Rule:
    genes: dict[str, tuple[str, ...]] = {gene: (key,) for gene, key in lookup.items()}
    return Rule(
        id=rule_id(SOURCE, drug, population, genes),
        drug=drug,
        source=SOURCE,
        guideline=guideline.id,
        population=population,
        genes=genes,
        actions=(UNREVIEWED,),
        strength=_strength(row),
        notes=("imported and not reviewed: the guideline's own text says what to do",),
        edition=f"CPIC API, row version {row.version or 'unknown'}",
        source_ref=(row.reference(),),
        curator=True,
        record=f"cpic:{row.id}",
        verbatim=row.text(),
    )


def _with_text(rule: Rule, rows: Sequence[RecommendationRow], report: Report) -> Rule:
    """The rule with CPIC's text, or with one text for each of its keys where they differ."""
    texts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        texts[row.text()].append(", ".join(f"{g} {k}" for g, k in (row.keys() or {}).items()))
    verbatim = (
        next(iter(texts))
        if len(texts) == 1
        else "\n\n".join(f"{' or '.join(about)}: {text}" for text, about in texts.items())
    )
    strengths = {_strength(row) for row in rows}
    strength = rule.strength
    if strengths != {rule.strength} and rule.actions != ("no-recommendation",):
        if len(strengths) == 1:
            (strength,) = strengths
        change = f"{rule.strength} -> {strength}" if len(strengths) == 1 else f"CPIC has {sorted(strengths)}, kept"
        report.add("strengths that differ", f"{_about(rule)}: {change}")
    for sentence in wording.sentences(rule):
        if copied := wording.shared_words(sentence, verbatim):
            report.add("words of the base that are CPIC's own", f"{_about(rule)}: {copied}")
    return rule.model_copy(
        update={
            "verbatim": verbatim,
            "strength": strength,
            "source_ref": (*rule.source_ref, *(row.reference() for row in rows)),
        }
    )


def _strength(row: RecommendationRow) -> str:
    return STRENGTHS.get((row.classification or "").casefold(), "none")


def _about(rule: Rule) -> str:
    population = "" if rule.population == "general" else f" ({rule.population})"
    return f"{rule.drug}{population}, {wording.keys(rule)}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m knowledge.cpic_import", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--base", required=True, help="release to add the tables to")
    parser.add_argument("--release", required=True, help="id of the new release")
    parser.add_argument("--in-force", required=True, help="date from which it holds, such as 2026-12-01")
    parser.add_argument("--recommendation", required=True, type=Path, help="answer of the API's recommendation table")
    parser.add_argument("--allele", type=Path, help="answer of the allele table")
    parser.add_argument("--diplotype", type=Path, help="answer of the diplotype table")
    parser.add_argument("--into", required=True, type=Path, help="folder of the site's releases")
    options = parser.parse_args(arguments)
    try:
        tables = read(
            options.recommendation.read_bytes(),
            options.allele.read_bytes() if options.allele else b"[]",
            options.diplotype.read_bytes() if options.diplotype else b"[]",
        )
        base = Releases().load(options.base)
        release, report = site_release(base, options.release, options.in_force, *tables)
        write(release, options.into)
    except (BadTable, InvalidRelease, UnknownRelease, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(report.lines()))
    print(f"{release.id}: {len(release.genes)} genes, {len(release.rules)} rules, sha256 {release.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
