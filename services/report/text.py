"""The report as plain text, for a terminal or a log book."""

from collections.abc import Iterable, Iterator

from schemas.phenotype import ResultNote
from services.report.doses import FOR_STARTING, STARTING_DOSE, Dose
from services.report.drugs import Drug, Entry
from services.report.facts import Facts
from services.report.lines import NARROWEST, heading, printable, wrapped
from services.report.view import (
    CONDITIONS,
    HEADINGS,
    NOT_CONFIRMED,
    NOT_RECOGNISED,
    NOT_RULED_OUT,
    SILENT,
    SILENT_ALONE,
    TAKES,
    TO_CLARIFY,
    Condition,
    GeneRow,
    View,
    view,
)


def render(facts: Facts, width: int = 100) -> str:
    """The whole report, lines of at most ``width`` characters. Ends with a line break.

    Laboratories' texts are shown without control characters, which a terminal would obey.
    """
    lines = _lines(view(facts), max(width, NARROWEST))
    return "\n".join(printable(line).rstrip() for line in lines) + "\n"


def _lines(v: View, width: int) -> Iterator[str]:
    yield f"Pharmacogenetic report: patient {v.patient}, tenant {v.tenant}, state {v.sequence}"
    yield from wrapped(f"Knowledge release {v.release} (sha256 {(v.sha256 or '')[:12]})" if v.release else "", width)
    for note in v.results:
        yield from wrapped(_result(note), width, hanging=1)
    for note in v.withdrawn:
        yield from wrapped(f"{_result(note)}: withdrawn, not used", width, hanging=1)
    if v.preliminary:
        yield "PRELIMINARY: at least one result below may still change."
    if v.to_clarify:
        yield from heading(TO_CLARIFY)
    for one in v.to_clarify:
        yield from _condition(one, width)
    if v.current or v.unrecognised:
        yield from heading(TAKES)
    if v.unrecognised:
        yield from wrapped(f"{NOT_RECOGNISED} {'; '.join(v.unrecognised)}", width, hanging=1)
    yield from _drugs(v.current, width)
    if v.doses:
        yield from heading(STARTING_DOSE)
    for of_drug in v.doses:
        yield of_drug.drug
        yield from _dose(of_drug, width)
    yield from _conditions(v, width)
    for priority in (1, 2, 3):
        yield from _section(HEADINGS[priority], v.of_priority(priority), width)
    yield from _nothing_to_change(v, width)
    yield from _genes("Genes", v.genes, width)
    yield from _genes("Not called", v.not_called, width)
    if v.not_assayed:
        yield from _titled("Not assessed", ", ".join(v.not_assayed), width)
    yield from _references(v, width)


def _result(note: ResultNote) -> str:
    return f"Result {note.accession} of {note.laboratory}, issued {note.issued}, {note.status}, version {note.version}"


def _conditions(v: View, width: int) -> Iterator[str]:
    if v.conditions or v.conditions_not_found:
        yield from heading(CONDITIONS)
    for one in v.conditions:
        yield from _condition(one, width)
    if v.conditions_not_found:
        yield from wrapped(f"{NOT_RULED_OUT} {'; '.join(v.conditions_not_found)}.", width)


def _condition(one: Condition, width: int) -> Iterator[str]:
    yield from wrapped(f"{one.condition}: {one.significance.upper()}", width)
    yield from wrapped(one.meaning, width, 1)
    for care in one.care:
        yield from wrapped(f"- {care}", width, 1)
    yield from wrapped(f"because: {one.because}", width, 3)
    yield from wrapped(f"not shown by it: {' '.join(one.limits)}", width, 3)
    if one.doubts:
        yield from wrapped(f"less sure: {'; '.join(one.doubts)}", width, 3)
    yield ""


def _section(title: str, drugs: Iterable[Drug], width: int) -> Iterator[str]:
    drugs = list(drugs)
    if not drugs:
        return
    yield from heading(title)
    yield from _drugs(drugs, width)


def _drugs(drugs: Iterable[Drug], width: int) -> Iterator[str]:
    for drug in drugs:
        yield drug.name + ("   SOURCES CONTRADICT EACH OTHER" if drug.contradicted else "")
        for entry in drug.entries:
            yield from _entry(entry, width)
        if drug.dose:
            yield from _dose(drug.dose, width)
        for silent in drug.silent:
            yield from wrapped(f"{SILENT} {silent}", width, 1)
        yield ""


def _entry(entry: Entry, width: int) -> Iterator[str]:
    label = entry.source + (f", {entry.strength}" if entry.strength else "")
    population = f"[{'; '.join(entry.populations)}] " if entry.populations else ""
    yield from wrapped(f"{label}: {population}{entry.text}", width, 1)
    implication = f" ({entry.implication})" if entry.implication else ""
    yield from wrapped(f"because: {entry.because}{implication}", width, 3)
    if entry.against:
        yield from wrapped(f"contradicts: {', '.join(entry.against)}", width, 3)
    if entry.doubts:
        yield from wrapped(f"less sure: {'; '.join(entry.doubts)}", width, 3)


def _dose(one: Dose, width: int) -> Iterator[str]:
    yield from wrapped(f"{STARTING_DOSE}: {one.amount}. {FOR_STARTING}", width, 1)
    for label, said in one.remarks:
        yield from wrapped(f"{label}: {said}", width, 3)


def _nothing_to_change(v: View, width: int) -> Iterator[str]:
    if usual := v.of_priority(4):
        names = (drug.name + (" (less sure)" if drug.doubted else "") for drug in usual)
        yield from _titled(HEADINGS[4], ", ".join(names), width)
    if v.without_advice:
        yield from _titled("No advice for these results in any source", ", ".join(v.without_advice), width)
    if v.silent:
        yield from _titled(SILENT_ALONE, NOT_CONFIRMED, width)
        for of_source in v.silent:
            yield from wrapped(of_source, width, hanging=1)


def _genes(title: str, rows: Iterable[GeneRow], width: int) -> Iterator[str]:
    rows = list(rows)
    if not rows:
        return
    yield from heading(title)
    for row in rows:
        meaning = f": {row.phenotype}" if row.phenotype else ""
        yield from wrapped(f"{row.gene} {row.result}{meaning} ({row.origin})", width)
        for remark in row.remarks:
            yield from wrapped(remark, width, 2)


def _references(v: View, width: int) -> Iterator[str]:
    if v.references:
        yield from heading("References")
    for citation in v.references:
        pmid = f", PMID {', '.join(citation.pmid)}" if citation.pmid else ""
        yield from wrapped(f"{citation.guideline}{pmid}. {citation.url or ''}", width, hanging=1)


def _titled(title: str, body: str, width: int) -> Iterator[str]:
    yield from heading(title)
    yield from wrapped(body, width)
