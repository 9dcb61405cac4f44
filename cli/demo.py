"""``pgx demo``: the whole pipeline on example patients, with nothing installed but Python packages."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.environment import APPEARANCE
from cli.exits import Failure
from cli.interrupts import Interrupts
from cli.run import SERVICES, command
from cli.terminal import say, stderr, write_line
from runtime.exits import Exit
from runtime.settings import Settings

if TYPE_CHECKING:
    from cli.embedded.guarded import Guarded

app = typer.Typer(**APPEARANCE)

EXAMPLES = Path(__file__).parents[1] / "examples"
_DEADLINE_SECONDS = 90.0
_POLL_SECONDS = 0.1


@app.command()
def demo() -> None:
    """Run the pipeline here on example patients: an embedded broker and database, the three services, and a report for
    each patient. Everything it starts and writes is gone when it ends."""
    interrupts = Interrupts()
    interrupts.install()
    folder = Path(tempfile.mkdtemp(prefix="pgx-demo-"))
    stack = ExitStack()
    try:
        _run(folder, stack, interrupts)
    finally:
        with interrupts.held():
            stack.close()
            shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, stack: ExitStack, interrupts: Interrupts) -> None:
    settings = _surroundings(folder, stack, interrupts)
    with _step("creating topics, tables and the first knowledge release"):
        asyncio.run(set_up(settings, lambda line: None))
    with _step("starting the three services"), interrupts.held():
        services = {service.value: _service(folder, service.value) for service in SERVICES}
        stack.callback(_stop, list(services.values()))
    sent = _submit(settings)
    _wait(settings, sent, services)
    for patient in dict.fromkeys(one.event.data.patient for one in sent):
        write_line(text_of(asyncio.run(fetched(settings, patient, None))))
