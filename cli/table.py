"""Rows of data on standard output: a table for people, tab-separated lines for tools."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.terminal import write_line

_BLANKS = str.maketrans("\t\r\n", "   ")


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere a line of column names and one line for each row, cells separated by tabs."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            write_line("\t".join(cell.translate(_BLANKS) for cell in row))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    Console(highlight=False).print(table)
