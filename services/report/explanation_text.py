"""An explanation as plain text: from the advice back to the laboratory's event."""

from collections.abc import Iterator

from schemas.explanation import AdviceTrace, Explanation, GeneTrace, ResultTrace, Site
from schemas.genotype import CallStatus
from services.report.lines import NARROWEST, heading, printable, wrapped

_MISSING_SHOWN = 8


def render(explanation: Explanation, width: int = 100) -> str:
    """The whole explanation, lines of at most ``width`` characters. Ends with a line break."""
    return "\n".join(printable(line).rstrip() for line in _lines(explanation, max(width, NARROWEST))) + "\n"


def _lines(e: Explanation, width: int) -> Iterator[str]:
    yield f"{e.drug} for patient {e.patient}, tenant {e.tenant}, state {e.sequence}"
    codes = [f"RxNorm {e.rxnorm}"] * bool(e.rxnorm) + [f"ATC {code}" for code in e.atc]
    yield from wrapped(
        ", ".join([*codes, f"knowledge release {e.knowledge.release} ({e.knowledge.sha256[:12]})"]), width
    )
    for finding in e.findings:
        yield from wrapped(f"TO BE CLARIFIED: {finding.meaning}", width, hanging=1)
    yield from heading("Advice")
    for trace in e.advice:
        yield from _advice(trace, width)
    for silent in e.silent:
        keys = ", ".join(f"{gene} {key}" for gene, key in silent.genes.items())
        yield from wrapped(f"{silent.source} ({silent.population}) says nothing about {keys}.", width)
    if not e.advice and not e.silent:
        yield from wrapped("None: no gene that the sources ask for has a result.", width)
    for medication in e.medications:
        acts = ", ".join(f"{how} of {enzyme}" for enzyme, how in medication.interactions.items())
        named = medication.name or medication.rxnorm or medication.atc or ""
        yield from wrapped(f"Takes {named}" + (f": {acts}" if acts else ""), width)
    for gene in e.genes:
        yield from _gene(gene, width)
    if e.results:
        yield from heading("Laboratory results")
    for result in e.results:
        yield from _result(result, width)


def _advice(trace: AdviceTrace, width: int) -> Iterator[str]:
    one, rule = trace.recommendation, trace.rule
    population = "" if one.population == "general" else f" [{one.population}]"
    strength = "" if one.strength == "none" else f" ({one.strength})"
    yield from wrapped(f"{one.source}{population}: {one.text}{strength}", width)
    for converted in one.phenoconverted:
        said = f"{converted.gene} counts as {one.genes[converted.gene]}, genetically {converted.genetic}"
        yield from wrapped(f"{said}: {converted.because}", width, 1)
    yield from wrapped(f"asked with: {', '.join(f'{gene} {key}' for gene, key in one.genes.items())}", width, 1)
    if rule is not None:
        keys = ", ".join(f"{gene} {' or '.join(of_gene)}" for gene, of_gene in rule.keys.items())
        yield from wrapped(f"row: {keys} (record {rule.record}, edition {rule.edition})", width, 1)
    yield from wrapped(f"rule: {one.rule}", width, 1)
    pmid = f", PMID {', '.join(one.citation.pmid)}" if one.citation.pmid else ""
    yield from wrapped(f"citation: {one.citation.guideline}{pmid}. {one.citation.url or ''}", width, 1)
    if one.confidence_reasons:
        yield from wrapped(f"less sure: {'; '.join(one.confidence_reasons)}", width, 1)
    yield ""


def _gene(gene: GeneTrace, width: int) -> Iterator[str]:
    yield from heading(gene.gene)
    if gene.result is None or gene.call is None:
        yield "no result has it"
        return
    note = gene.result
    yield from wrapped(f"spoken for by {note.accession} of {note.laboratory}, {note.status}, {note.issued[:10]}", width)
    for trace in gene.phenotypes:
        shown = trace.phenotype.phenotype or trace.phenotype.term or "no phenotype"
        yield from wrapped(f"phenotype: {shown}, by {trace.basis} [{trace.source}]", width, 1)
        effective = trace.phenotype.effective
        if effective is not None:
            drugs = "; ".join(f"{one.drug}: {one.strength} {one.effect}" for one in effective.cause)
            yield from wrapped(f"with what is taken: {effective.phenotype} ({effective.outcome}; {drugs})", width, 2)
        if trace.phenotype.inference is not None:
            yield from wrapped(f"looked up by {trace.phenotype.inference.description}", width, 2)
    yield from wrapped(_called(gene), width, 1)
    for warning in gene.call.warnings:
        yield from wrapped(f"note: {warning.message}", width, 1)
    yield from _sites(gene, width)
    for other in gene.others:
        told = f"{other.result.accession} of {other.result.laboratory}, {other.result.status}"
        yield from wrapped(f"beside it: {told} says {other.says}", width, 1)


def _called(gene: GeneTrace) -> str:
    call = gene.call
    if call is None:
        return ""
    if call.status is CallStatus.NOT_ASSAYED:
        return "not assayed"
    if call.status is CallStatus.NO_CALL:
        return f"no call: {(call.reason or 'unknown').replace('-', ' ')}"
    named = [one.label + (f" (score {one.score})" if one.score is not None else "") for one in call.diplotypes]
    if call.reported:
        named = named or ["phenotype or score alone"]
    candidates = " or ".join(named) or " + ".join(call.haplotypes)
    return f"{call.status.value}: {candidates}" + (f" [{gene.definition}]" if gene.definition else "")


def _sites(gene: GeneTrace, width: int) -> Iterator[str]:
    if not (gene.seen or gene.missing):
        return
    differing = [site for site in gene.seen if site.differs]
    yield f"  positions: {len(gene.seen)} seen, {len(gene.missing)} missing"
    for site in differing:
        yield from wrapped(f"{_named(site)} {site.genotype}", width, 2)
    if len(differing) < len(gene.seen):
        yield from wrapped(f"{len(gene.seen) - len(differing)} as the reference", width, 2)
    if gene.missing:
        more = len(gene.missing) - _MISSING_SHOWN
        named = ", ".join(map(_named, gene.missing[:_MISSING_SHOWN])) + (f" and {more} more" if more > 0 else "")
        yield from wrapped(f"missing: {named}", width, 2)


def _named(site: Site) -> str:
    return site.position + (f" {site.rsid}" if site.rsid else "")


def _result(trace: ResultTrace, width: int) -> Iterator[str]:
    note = trace.result
    yield from wrapped(
        f"{note.accession} of {note.laboratory}, issued {note.issued}, {note.status}, version {note.version}", width
    )
    yield from wrapped(f"event {trace.event_id} of {trace.event_source}", width, 1)
    yield from wrapped(f"content sha256 {trace.sha256}", width, 1)
    yield from wrapped(f"called under release {trace.knowledge.release} by software {trace.software}", width, 1)
