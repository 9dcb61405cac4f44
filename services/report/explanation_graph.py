"""An explanation as a graph: boxes in columns from the advice to the laboratory's event, and what leads to what."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.explanation import AdviceTrace, Explanation, GeneTrace, ResultTrace
from schemas.genotype import CallStatus
from schemas.recommendation import Silence

COLUMNS = ("Advice", "Rule and citation", "Phenotype and its rule", "Diplotype", "Positions", "Laboratory's event")
_SITES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Box:
    """One thing that is known, with what it follows from."""

    id: str
    column: int
    title: str
    lines: tuple[str, ...]
    because: tuple[str, ...] = ()
    """Ids of boxes in columns to the right."""
    doubtful: bool = False
    priority: int | None = None
    """Of advice."""
    link: str | None = None


def boxes(explanation: Explanation) -> tuple[Box, ...]:
    """The graph's boxes, column by column from the top."""
    advised = {gene for trace in explanation.advice for gene in trace.recommendation.genes}
    advised |= {gene for silence in explanation.silent for gene in silence.genes}
    shown = [gene for gene in explanation.genes if gene.gene in advised or not advised]
    return tuple(
        box
        for of_column in (
            (_advice(number, trace) for number, trace in enumerate(explanation.advice)),
            (_silent(number, silence) for number, silence in enumerate(explanation.silent)),
            (_rule(number, trace) for number, trace in enumerate(explanation.advice)),
            (_phenotype(gene) for gene in shown),
            (_diplotype(gene) for gene in shown if gene.call is not None),
            (_positions(gene) for gene in shown if gene.seen or gene.missing),
            (_result(result) for result in explanation.results),
        )
        for box in of_column
    )


def _advice(number: int, trace: AdviceTrace) -> Box:
    one = trace.recommendation
    population = () if one.population == "general" else (one.population,)
    strength = () if one.strength == "none" else (f"{one.strength} recommendation",)
    doubts = tuple(f"less sure: {reason}" for reason in one.confidence_reasons[:2])
    text = one.text.split(" Note: ")[0]
    return Box(
        id=f"advice-{number}", column=0, title=one.source, lines=(*population, text, *strength, *doubts),
        because=(f"rule-{number}",), doubtful=bool(one.confidence_reasons), priority=one.priority,
    )  # fmt: skip


def _silent(number: int, silence: Silence) -> Box:
    population = () if silence.population == "general" else (silence.population,)
    keys = (f"{gene} {key}" for gene, key in silence.genes.items())
    because = tuple(f"phenotype-{gene}" for gene in silence.genes)
    return Box(f"silent-{number}", 0, silence.source, (*population, "says nothing about", *keys), because)


def _rule(number: int, trace: AdviceTrace) -> Box:
    one, rule = trace.recommendation, trace.rule
    keys = tuple(f"{gene} {key}" for gene, key in one.genes.items())
    record = () if rule is None else (f"record {rule.record}, edition {rule.edition}",)
    pmid = (f"PMID {', '.join(one.citation.pmid)}",) if one.citation.pmid else ()
    return Box(
        id=f"rule-{number}", column=1, title=one.citation.guideline, lines=(*keys, *record, *pmid),
        because=tuple(f"phenotype-{gene}" for gene in one.genes), link=one.citation.url,
    )  # fmt: skip


def _phenotype(gene: GeneTrace) -> Box:
    lines: list[str] = []
    for trace in gene.phenotypes:
        lines += [trace.phenotype.phenotype or trace.phenotype.term or "no phenotype", trace.basis]
        effective = trace.phenotype.effective
        if effective is not None:
            taken = ", ".join(one.drug for one in effective.cause)
            lines.append(f"with {taken}: {effective.phenotype} ({effective.outcome})")
    because = () if gene.call is None else (f"diplotype-{gene.gene}",)
    return Box(f"phenotype-{gene.gene}", 2, gene.gene, tuple(lines) or ("no result",), because, doubtful=not lines)


def _diplotype(gene: GeneTrace) -> Box:
    call = gene.call
    if call is None:
        raise ValueError("a gene without a call has no diplotype")
    named = [one.label + (f" (score {one.score})" if one.score is not None else "") for one in call.diplotypes]
    candidates = named or ([" + ".join(call.haplotypes)] if call.haplotypes else [])
    reason = [(call.reason or "").replace("-", " ")] if call.status is CallStatus.NO_CALL else []
    others = [f"{other.result.accession} of {other.result.laboratory} says {other.says}" for other in gene.others]
    result = () if gene.result is None else (_result_id(gene.result.laboratory, gene.result.accession),)
    because = (f"positions-{gene.gene}",) if gene.seen or gene.missing else result
    return Box(
        id=f"diplotype-{gene.gene}", column=3, title=f"{gene.gene}: {call.status.value}",
        lines=tuple(filter(None, [*candidates, *reason, *(w.message for w in call.warnings[:2]), *others])),
        because=because, doubtful=call.status in (CallStatus.AMBIGUOUS, CallStatus.NO_CALL),
    )  # fmt: skip


def _positions(gene: GeneTrace) -> Box:
    differing = [f"{site.rsid or site.position} {site.genotype}" for site in gene.seen if site.differs]
    lines = [f"{len(gene.seen)} seen, {len(gene.missing)} missing", *_some(differing)]
    if gene.missing:
        lines.append("missing: " + ", ".join(_some(site.rsid or site.position for site in gene.missing)))
    result = () if gene.result is None else (_result_id(gene.result.laboratory, gene.result.accession),)
    return Box(f"positions-{gene.gene}", 4, gene.gene, tuple(lines), result, doubtful=bool(gene.missing))


def _some(names: Iterable[str]) -> list[str]:
    every = list(names)
    return every if len(every) <= _SITES_SHOWN else [*every[:_SITES_SHOWN], f"and {len(every) - _SITES_SHOWN} more"]


def _result(trace: ResultTrace) -> Box:
    note = trace.result
    return Box(
        id=_result_id(note.laboratory, note.accession), column=5, title=f"{note.accession}, {note.laboratory}",
        lines=(
            f"{note.status}, version {note.version}, {note.issued[:10]}", f"event {trace.event_id}",
            f"sha256 {trace.sha256[:16]}…", f"release {trace.knowledge.release}, software {trace.software}",
        ),
        doubtful=note.status == "preliminary",
    )  # fmt: skip


def _result_id(laboratory: str, accession: str) -> str:
    return f"result-{laboratory}-{accession}"
