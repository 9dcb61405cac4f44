"""Where output goes: data to standard output, everything that is said to people to standard error."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.status import Status

from cli.exits import Failure, ReaderGone
from runtime.exits import Exit

_WIDTH, _WIDEST = 100, 120

stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """A line for people; names of files and identifiers in it are not read as markup."""
    stderr.print(message, markup=False)


def complain(message: str, advice: str | None = None) -> None:
    """An error for people: what is wrong, and on a second line what to do."""
    stderr.print("[bold red]error:[/]", end=" ")
    stderr.print(message, markup=False)
    if advice:
        stderr.print(advice, markup=False)


def write_line(data: bytes | str) -> None:
    """One line of data to standard output, there at once. Raises ``ReaderGone``."""
    try:
        sys.stdout.buffer.write((data.encode() if isinstance(data, str) else data) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ReaderGone from None


def write_file(content: str, file: Path) -> None:
    """A whole file, and a line that says so. Raises ``Failure`` where it cannot be written."""
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise Failure(Exit.USAGE, f"{file} cannot be written: {error.strerror}") from None
    say(f"wrote {file}")


def width() -> int:
    """Characters of a line for people: of the terminal up to a readable width; a fixed one elsewhere."""
    return min(_WIDEST, shutil.get_terminal_size((_WIDTH, 0)).columns) if sys.stdout.isatty() else _WIDTH


@contextmanager
def waiting(message: str) -> Iterator[Status | None]:
    """A spinner with a message on a terminal, one plain line elsewhere."""
    if not stderr.is_terminal:
        say(message)
        yield None
        return
    with stderr.status(message) as status:
        yield status
