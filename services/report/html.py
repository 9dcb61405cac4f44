"""The report as one self-contained page: no scripts, nothing to load, readable by a screen reader and on paper."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from urllib.parse import urlsplit

from schemas.phenotype import ResultNote
from schemas.recommendation import Citation
from services.report.doses import FOR_STARTING, STARTING_DOSE, Dose
from services.report.drugs import Drug, Entry
from services.report.facts import Facts
from services.report.style import CSS
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

_SHORT = {1: "Avoid or replace", 2: "Adjust dose or drug", 3: "Take care", 4: "No change"}
_COLUMNS = (("Drug", ' class="drug"'), ("What", ""), ("Because of", ""), ("Who says so", ""))
_NOT_ALONE = (
    "Genetic results are one reason among others: indication, other drugs, organ function and the product's label "
    "decide as well. A normal result does not exclude variants that were not assessed."
)


def render(facts: Facts) -> str:
    """The whole page. Every text of the facts is escaped."""
    v = view(facts)
    numbers = {citation: number for number, citation in enumerate(v.references, 1)}
    body = "\n".join(
        part
        for part in (
            _head(v),
            '<main id="content">',
            _to_clarify(v, numbers),
            _first(v),
            _takes(v, numbers),
            _conditions(v, numbers),
            *(_details(v, priority, numbers) for priority in (1, 2, 3)),
            _usual(v, numbers),
            _genes("Genes", "What was found in each gene and what it means", v.genes),
            _genes("Not called", "Genes that were looked at without a usable result", v.not_called),
            _names("Not assessed", v.not_assayed),
            _references(v.references),
            "</main>",
            _foot(v),
        )
        if part
    )
    title = f"Pharmacogenetic report, patient {escape(v.patient)}"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{CSS}\n</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _head(v: View) -> str:
    facts = [("Patient", f"{v.patient} (tenant {v.tenant})")]
    facts += [("Result", _result(note)) for note in v.results]
    facts += [("Withdrawn", f"{_result(note)}: not used") for note in v.withdrawn]
    facts += [("Knowledge", f"release {v.release}")] if v.release else []
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    notices = []
    if v.preliminary:
        notices.append("Preliminary: at least one result may still change.")
    if v.not_called:
        notices.append(f"No result for {', '.join(row.gene for row in v.not_called)}: see below.")
    said = "".join(f'<p class="notice">{escape(notice)}</p>' for notice in notices)
    return (
        f'<a class="skip" href="#content">Skip to what matters first</a>\n<header>\n<h1>Pharmacogenetic report</h1>\n'
        f'<dl class="head">{rows}</dl>\n{said}\n</header>'
    )


def _result(note: ResultNote) -> str:
    day = note.issued.split("T")[0]
    return f"{note.accession}, {note.laboratory}, {day}, {note.status}, version {note.version}"


def _first(v: View) -> str:
    """The two-minute page: what to avoid and what to change, with the gene and who says so."""
    pressing = [drug for drug in v.drugs if drug.priority <= 2]
    if not pressing:
        return "<h2>What matters first</h2>\n<p>No drug to avoid and no dose to change by these results.</p>"
    alike: dict[tuple[object, ...], list[Drug]] = defaultdict(list)
    for drug in pressing:
        alike[drug.priority, _drug_marks(drug), _first_cells(drug)].append(drug)
    rows = "\n".join(map(_first_row, alike.values()))
    columns = "".join(f'<th scope="col"{of}>{name}</th>' for name, of in _COLUMNS)
    return (
        "<h2>What matters first</h2>\n<table>\n"
        "<caption>Drugs to avoid or replace, then doses to change; details follow</caption>\n"
        f"<thead><tr>{columns}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _first_row(drugs: Sequence[Drug]) -> str:
    """One row for all drugs about which the same is said."""
    drug = drugs[0]
    names = ", ".join(f'<a href="#{_anchor(each)}">{escape(each.name)}</a>' for each in drugs)
    marks = _mark(_SHORT[drug.priority], "priority") + _drug_marks(drug)
    return f'<tr class="p{drug.priority}"><th scope="row">{names}</th><td>{marks}{_first_cells(drug)}</tr>'


def _first_cells(drug: Drug) -> str:
    because = dict.fromkeys(entry.because for entry in drug.weightiest)
    sources = dict.fromkeys(entry.source for entry in drug.weightiest)
    return (
        f"<br>{escape(drug.weightiest[0].short)}</td><td>{'<br>'.join(map(escape, because))}</td>"
        f'<td class="who">{escape(", ".join(sources))}</td>'
    )


def _drug_marks(drug: Drug) -> str:
    marks = ["Sources differ"] if drug.contradicted else []
    marks += ["Less sure"] if drug.doubted else []
    marks += ["Preliminary"] if any(entry.preliminary for entry in drug.entries) else []
    return "".join(_mark(text) for text in marks)


def _mark(text: str, kind: str = "") -> str:
    return f'<span class="mark{" " + kind if kind else ""}">{escape(text)}</span>'


def _anchor(drug: Drug) -> str:
    return "drug-" + "".join(c if c.isalnum() else "-" for c in drug.name.lower())


def _to_clarify(v: View, numbers: dict[Citation, int]) -> str:
    articles = "\n".join(_condition(one, numbers) for one in v.to_clarify)
    return f"<h2>{TO_CLARIFY}</h2>\n{articles}" if articles else ""


def _conditions(v: View, numbers: dict[Citation, int]) -> str:
    if not (v.conditions or v.conditions_not_found):
        return ""
    parts = [f"<h2>{CONDITIONS}</h2>", *(_condition(one, numbers) for one in v.conditions)]
    if v.conditions_not_found:
        parts.append(f'<p class="quiet">{NOT_RULED_OUT} {escape("; ".join(v.conditions_not_found))}.</p>')
    return "\n".join(parts)


def _condition(one: Condition, numbers: dict[Citation, int]) -> str:
    marks = _mark(one.significance.capitalize(), "priority") + (_mark("Less sure") if one.doubts else "")
    marks += _mark("Preliminary") if one.preliminary else ""
    care = "".join(f"<li>{escape(care)}</li>" for care in one.care)
    cited = " ".join(_number(citation, numbers) for citation in one.references)
    doubts = f'<p class="doubt"><strong>Less sure:</strong> {escape("; ".join(one.doubts))}</p>' if one.doubts else ""
    return (
        f'<article class="{"p1" if one.significance == "found" else "p2"}">\n<header>'
        f"<h3>{escape(one.condition)}</h3> {marks}</header>\n<p>{escape(one.meaning)} {cited}</p>\n<ul>{care}</ul>\n"
        f'<p class="because">{escape(one.because)}. {escape(" ".join(one.limits))}</p>{doubts}\n</article>'
    )


def _takes(v: View, numbers: dict[Citation, int]) -> str:
    parts = [f"<h2>{TAKES}</h2>"] if v.current or v.unrecognised else []
    if v.unrecognised:
        parts.append(f'<p class="notice">{NOT_RECOGNISED} {escape("; ".join(v.unrecognised))}</p>')
    parts += [_article(drug, numbers) for drug in v.current]
    if v.doses:
        parts.append(f"<h2>{STARTING_DOSE}</h2>")
    parts += [f"<article><header><h3>{escape(one.drug)}</h3></header>\n{_dose(one)}</article>" for one in v.doses]
    return "\n".join(parts)


def _dose(one: Dose) -> str:
    remarks = "".join(
        f'<p class="because"><strong>{label.capitalize()}:</strong> {escape(said)}</p>' for label, said in one.remarks
    )
    return (
        f'<div class="entry"><p><strong>{STARTING_DOSE}:</strong> {escape(one.amount)}. {FOR_STARTING}</p>'
        f"{remarks}</div>\n"
    )


def _details(v: View, priority: int, numbers: dict[Citation, int]) -> str:
    drugs = v.of_priority(priority)
    if not drugs:
        return ""
    return f"<h2>{HEADINGS[priority]}</h2>\n" + "\n".join(_article(drug, numbers) for drug in drugs)


def _article(drug: Drug, numbers: dict[Citation, int]) -> str:
    codes = ", ".join([f"RxNorm {drug.rxnorm}"] * bool(drug.rxnorm) + [f"ATC {code}" for code in drug.atc])
    sources = "\n".join(
        _source(source, list(entries), numbers) for source, entries in groupby(drug.entries, key=lambda e: e.source)
    )
    return (
        f'<article id="{_anchor(drug)}" class="p{drug.priority}">\n<header><h3>{escape(drug.name)}'
        f'<span class="codes">{escape(codes)}</span></h3> {_drug_marks(drug)}</header>\n'
        f'<div class="sources">\n{sources}\n</div>\n{_dose(drug.dose) if drug.dose else ""}{_silent(drug)}</article>'
    )


def _silent(drug: Drug) -> str:
    said = "; ".join(drug.silent)
    return f'<p class="quiet">{SILENT} {escape(said)}</p>\n' if said else ""


def _source(source: str, entries: Sequence[Entry], numbers: dict[Citation, int]) -> str:
    said = "\n".join(_entry(entry, numbers) for entry in entries)
    return f"<section><h4>{escape(source)}</h4>\n{said}\n</section>"


def _entry(entry: Entry, numbers: dict[Citation, int]) -> str:
    population = f"<strong>{escape('; '.join(entry.populations))}:</strong> " if entry.populations else ""
    strength = f" ({escape(entry.strength)} recommendation)" if entry.strength else ""
    number = _number(entry.citation, numbers)
    implication = f". {escape(entry.implication)}" if entry.implication else ""
    lines = [f"<p>{population}{escape(entry.text)}{strength} {number}</p>"]
    lines.append(f'<p class="because">{escape(entry.because)}{implication}</p>')
    if entry.against:
        lines.append(f'<p class="doubt"><strong>Contradicts</strong> {escape(", ".join(entry.against))}</p>')
    if entry.doubts:
        lines.append(f'<p class="doubt"><strong>Less sure:</strong> {escape("; ".join(entry.doubts))}</p>')
    return f'<div class="entry">{"".join(lines)}</div>'


def _number(citation: Citation, numbers: dict[Citation, int]) -> str:
    number = numbers.get(citation) or next(
        n for c, n in numbers.items() if (c.guideline, c.url) == (citation.guideline, citation.url)
    )
    return f'<a href="#ref-{number}" aria-label="reference {number}">[{number}]</a>'


def _usual(v: View, numbers: dict[Citation, int]) -> str:
    usual = v.of_priority(4)
    parts = []
    if usual:
        rows = "\n".join(_usual_row(drug, numbers) for drug in usual)
        parts.append(
            f'<h2>{HEADINGS[4]}</h2>\n<table class="usual">\n'
            "<caption>Usual use is not changed by these results</caption>\n"
            "<thead><tr>"
            '<th scope="col">Drug</th><th scope="col">Who says so</th><th scope="col">Because of</th></tr></thead>\n'
            f"<tbody>\n{rows}\n</tbody>\n</table>"
        )
    parts.append(_names("No advice for these results in any source", v.without_advice))
    if v.silent:
        lines = "".join(f"<p>{escape(of_source)}</p>" for of_source in v.silent)
        parts.append(f'<h2>{SILENT_ALONE}</h2>\n<p class="quiet">{NOT_CONFIRMED}</p>\n{lines}')
    return "\n".join(filter(None, parts))


def _usual_row(drug: Drug, numbers: dict[Citation, int]) -> str:
    sources = dict.fromkeys(f"{escape(entry.source)} {_number(entry.citation, numbers)}" for entry in drug.entries)
    because = dict.fromkeys(entry.because for entry in drug.entries)
    return (
        f'<tr id="{_anchor(drug)}"><th scope="row">{escape(drug.name)} {_drug_marks(drug)}</th>'
        f"<td>{', '.join(sources)}</td><td>{'<br>'.join(f'<span>{escape(one)}</span>' for one in because)}</td></tr>"
    )


def _genes(heading: str, caption: str, rows: Iterable[GeneRow]) -> str:
    cells = "\n".join(
        f'<tr><th scope="row">{escape(row.gene)}</th><td>{escape(row.result)}</td><td>{escape(row.phenotype)}</td>'
        f"<td>{escape(row.origin)}</td><td>{'<br>'.join(map(escape, row.remarks))}</td></tr>"
        for row in rows
    )
    if not cells:
        return ""
    columns = "".join(f'<th scope="col">{c}</th>' for c in ("Gene", "Result", "Meaning", "Origin", "Remarks"))
    return (
        f"<h2>{heading}</h2>\n<table>\n<caption>{caption}</caption>\n<thead><tr>{columns}</tr></thead>\n"
        f"<tbody>\n{cells}\n</tbody>\n</table>"
    )


def _names(heading: str, names: Sequence[str]) -> str:
    return f"<h2>{heading}</h2>\n<p>{escape(', '.join(names))}</p>" if names else ""


def _references(references: Sequence[Citation]) -> str:
    if not references:
        return ""
    items = "\n".join(f'<li id="ref-{n}">{_reference(citation)}</li>' for n, citation in enumerate(references, 1))
    return f'<h2>References</h2>\n<ol class="references">\n{items}\n</ol>'


def _reference(citation: Citation) -> str:
    pmid = f", PMID {escape(', '.join(citation.pmid))}" if citation.pmid else ""
    link = ""
    if citation.url and urlsplit(citation.url).scheme in ("http", "https"):
        link = f' <a href="{escape(citation.url)}">{escape(citation.url)}</a>'
    return f"{escape(citation.guideline)}{pmid}.{link}"


def _foot(v: View) -> str:
    release = f" Knowledge release {v.release}, sha256 {v.sha256}." if v.release else ""
    return (
        f'<footer class="quiet"><p>{_NOT_ALONE}</p><p>State {v.sequence} of this patient.{escape(release)}</p></footer>'
    )
