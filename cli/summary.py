"""A patient's report in brief, for the end of the demo: genes, the drugs to change first, what could not be called."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from services.report.drugs import Drug
from services.report.facts import Facts
from services.report.view import HEADINGS, GeneRow, View, view

_FIRST, _SECOND, _WATCH = 1, 2, 3
_WIDTH = 100


def print_summary(facts: Facts) -> None:
    """Prints to standard output, in colour on a terminal; nothing is said by colour alone."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    shown = view(facts)
    console.rule(f"[bold]patient {escape(shown.patient)}[/]", align="left", characters="─")
    for line in _head(shown):
        console.print(escape(line))
    _print_genes(console, "Genes", shown.genes)
    _print_drugs(console, HEADINGS[_FIRST], shown.of_priority(_FIRST))
    _print_names(console, HEADINGS[_SECOND], (drug.name for drug in shown.of_priority(_SECOND)))
    _print_names(console, HEADINGS[_WATCH], (drug.name for drug in shown.of_priority(_WATCH)))
    _print_genes(console, "Could not be called", shown.not_called)
    _print_names(console, "Not assessed", shown.not_assayed)
    console.print()


def _head(shown: View) -> Iterator[str]:
    for result in shown.results:
        yield f"result {result.accession} of {result.laboratory}, {result.issued[:10]}, {result.status}"
    yield f"knowledge release {shown.release}, {len(shown.drugs)} drugs with advice"


def _print_genes(console: Console, title: str, genes: Iterable[GeneRow]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("gene", "result", "phenotype", "remarks"):
        table.add_column(column, overflow="fold")
    for row in genes:
        table.add_row(*(escape(cell) for cell in (row.gene, row.result, row.phenotype, "; ".join(row.remarks[:1]))))
    if table.row_count:
        console.print(f"\n[bold]{title}[/]")
        console.print(Padding(table, (0, 0, 0, 2)))


def _print_drugs(console: Console, title: str, drugs: Iterable[Drug]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("drug", overflow="fold")
    table.add_column("advice", overflow="fold")
    for drug in drugs:
        first = min(drug.entries, key=lambda entry: entry.priority)
        population = f" [{'; '.join(first.populations)}]" if first.populations else ""
        table.add_row(escape(drug.name), escape(f"{first.source}{population}: {_sentence(first.text)}"))
    if table.row_count:
        console.print(f"\n[bold]{title}[/]")
        console.print(Padding(table, (0, 0, 0, 2)))


def _print_names(console: Console, title: str, names: Iterable[str]) -> None:
    joined = ", ".join(names)
    if joined:
        console.print(f"\n[bold]{title}[/]")
        console.print(Padding(escape(joined), (0, 0, 0, 2)))


def _sentence(text: str) -> str:
    """The advice without the notes that follow it."""
    return text.partition(" Note: ")[0]
