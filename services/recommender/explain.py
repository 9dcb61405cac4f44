"""Advice on one drug traced back: recommendation, rule, phenotype, diplotype, positions, laboratory event. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.model import Gene, PhenotypeMethod, PhenotypeTable, Rule, ScoreBin
from knowledge.release import Release
from schemas.explanation import (
    AdviceTrace,
    Explanation,
    GeneTrace,
    OtherResult,
    PhenotypeTrace,
    ResultTrace,
    RuleTrace,
    Site,
)
from schemas.finding import FindingKind
from schemas.genotype import CallStatus, KnowledgeRef, ObservedGene
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import Recommendation
from services.recommender.merging import Accession, Delivery, voices
from services.recommender.state import Releases, State, release_of


@dataclass(frozen=True, slots=True)
class Source:
    """A current delivery with what the store keeps beside its calls."""

    delivery: Delivery
    """As it is read now."""
    called_under: Release
    """The release whose definitions its observed rows are about."""
    observed: Mapping[str, ObservedGene]
    software: str


def drug_named(release: Release, name: str) -> str | None:
    """The release's name of a drug that is given by name, in any case, or by RxNorm or ATC code; None without one."""
    if name.lower() in release.drugs:
        return name.lower()
    for drug in release.drugs.values():
        if name == drug.rxnorm or name.upper() in drug.atc:
            return drug.name
    return None


def explain(
    tenant: str, patient: str, sequence: int, drug: str, state: State, sources: Sequence[Source], releases: Releases
) -> Explanation | None:
    """Why the patient's advice on the drug is what it is; None where the governing release does not know the drug."""
    if state.knowledge is None:
        return None
    release = release_of(state.knowledge, releases)
    named = drug_named(release, drug)
    if named is None:
        return None
    rows = {rule.id: rule for rule in release.rules if rule.drug == named}
    advice = [one for one in state.recommendations if one.drug == named]
    asked = sorted({gene for rule in rows.values() for gene in rule.genes})
    traces = [_gene(symbol, release, state, sources, advice) for symbol in asked]
    genes = sorted(traces, key=lambda trace: (trace.result is None, not trace.keys, trace.gene))
    accessions = {(note.laboratory, note.accession) for note in _notes(genes)}
    findings = tuple(
        one
        for one in state.findings
        if (one.kind is FindingKind.DISCORDANCE and one.gene in asked)
        or (one.kind is FindingKind.IDENTITY and accessions & {(r.laboratory, r.accession) for r in one.results})
    )
    return Explanation(
        tenant=tenant,
        patient=patient,
        sequence=sequence,
        drug=named,
        rxnorm=release.drugs[named].rxnorm,
        atc=release.drugs[named].atc,
        knowledge=state.knowledge,
        advice=tuple(AdviceTrace(recommendation=one, rule=_rule(rows.get(one.row))) for one in advice),
        silent=tuple(one for one in state.silent if one.drug == named),
        genes=tuple(genes),
        results=tuple(_result(one) for one in sources if one.delivery.accession in accessions),
        findings=findings,
        medications=tuple(
            one for one in state.medications if named in one.drugs or not set(asked).isdisjoint(one.interactions)
        ),
    )


def _notes(genes: Iterable[GeneTrace]) -> Iterable[ResultNote]:
    for gene in genes:
        yield from (gene.result,) if gene.result is not None else ()
        yield from (other.result for other in gene.others)


def _rule(rule: Rule | None) -> RuleTrace | None:
    if rule is None:
        return None
    return RuleTrace(
        row=rule.id,
        record=rule.record,
        keys=rule.genes,
        edition=rule.edition,
        source_ref=rule.source_ref,
        curator=rule.curator,
    )


def _gene(
    symbol: str, release: Release, state: State, sources: Sequence[Source], advice: Sequence[Recommendation]
) -> GeneTrace:
    call = next((one for one in state.genotypes if one.gene == symbol), None)
    said = voices(one.delivery for one in sources).get(symbol, ())
    by_accession: dict[Accession, Source] = {one.delivery.accession: one for one in sources}
    speaking = said[0].note if said else None
    source = by_accession[speaking.laboratory, speaking.accession] if speaking is not None else None
    gene = release.genes.get(symbol)
    seen, missing = ((), ()) if source is None else _sites(source, symbol)
    return GeneTrace(
        gene=symbol,
        keys=tuple(dict.fromkeys(one.genes[symbol] for one in advice if symbol in one.genes)),
        call=call,
        definition=None if gene is None else f"{gene.definition.source}, version {gene.definition.version}",
        phenotypes=tuple(
            PhenotypeTrace(phenotype=one, basis=_basis(gene, one), source=gene.phenotype.source if gene else "")
            for one in state.phenotypes
            if one.gene == symbol
        ),
        seen=seen,
        missing=missing,
        result=speaking,
        others=tuple(
            OtherResult(result=other.note, says=other.meaning)
            for other in said[1:]
            if other.call.status is not CallStatus.NOT_ASSAYED
        ),
    )


def _sites(source: Source, symbol: str) -> tuple[tuple[Site, ...], tuple[Site, ...]]:
    """Positions of the gene's definition that were seen, and those that were not."""
    gene, observed = source.called_under.genes.get(symbol), source.observed.get(symbol)
    if gene is None or observed is None:
        return (), ()
    kept = {row[0]: row for row in reversed(observed.rows)}  # the first row of a position counts
    sites = []
    for position in gene.definition.positions:
        row = kept.get(position.pos)
        if row is not None:
            _, ref, alts, gt, _ = row
            genotype: str | None = f"{gt} {_bases(ref, alts, gt)}"
        else:
            absent = position.pos in observed.absent or observed.reference_gt is None
            gt, genotype = observed.reference_gt or "", None
            if not absent:
                genotype = f"{gt} {_bases(position.ref, position.alts, gt)}"
        site = Site(
            position=f"{gene.chromosome}:{position.pos}",
            rsid=position.rsid,
            ref=position.ref,
            genotype=genotype,
            differs=genotype is not None and any(part != "0" for part in gt.replace("|", "/").split("/")),
        )
        sites.append(site)
    seen = tuple(site for site in sites if site.genotype is not None)
    return seen, tuple(site for site in sites if site.genotype is None)


def _bases(ref: str, alts: Sequence[str], gt: str) -> str:
    """``0|1`` with G and A: ``G|A``; what names no allele stays as it is."""
    alleles = (ref, *alts)
    separator = "|" if "|" in gt else "/"
    parts = gt.split(separator)
    return separator.join(alleles[int(part)] if part.isdigit() and int(part) < len(alleles) else part for part in parts)


def _basis(gene: Gene | None, phenotype: Phenotype) -> str:
    """The rule that gave the phenotype, in words."""
    if phenotype.reported:
        return "reported by the laboratory, which goes before what the diplotype means"
    if gene is None:
        return "the release has no phenotype rules for the gene"
    alleles = {allele.name: allele for allele in gene.definition.alleles}
    known = [alleles[name] for name in phenotype.alleles if name in alleles]
    functions = " + ".join(
        f"{name}: {function or 'no function assigned'}"
        for name, function in zip(phenotype.alleles, phenotype.functions, strict=False)
    )
    match gene.phenotype.method:
        case PhenotypeMethod.ACTIVITY_SCORE:
            values = " + ".join(f"{one.name} {one.activity_value or 'n/a'}" for one in known)
            ranges = _range(gene.phenotype, phenotype.activity_score)
            return f"activity score {phenotype.activity_score} ({values}){ranges}"
        case PhenotypeMethod.ALLELE_PRESENCE:
            return f"presence of risk alleles in {'/'.join(phenotype.alleles)}"
        case PhenotypeMethod.NONE:
            return "guidelines name the genotype itself"
        case _:
            return f"allele functions {functions}" if functions else "no alleles to look up"


def _range(table: PhenotypeTable, score: str | None) -> str:
    phenotype = table.phenotype_of_score(score) if score else None
    found = next((one for one in table.bins if phenotype is not None and _holds(one, score or "")), None)
    if found is None:
        return ""
    low = f"{found.minimum:g} {'≤' if found.minimum_included else '<'} score"
    high = "" if found.maximum is None else f" {'≤' if found.maximum_included else '<'} {found.maximum:g}"
    return f", in the range {low}{high}"


def _holds(one: ScoreBin, score: str) -> bool:
    return one.holds(float(score.removeprefix("≥")))


def _result(source: Source) -> ResultTrace:
    result = source.delivery.result
    return ResultTrace(
        result=ResultNote.of(result),
        event_source=result.event_source,
        event_id=result.event_id,
        sha256=result.sha256,
        knowledge=KnowledgeRef(release=source.called_under.id, sha256=source.called_under.sha256),
        software=source.software,
    )
