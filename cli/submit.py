"""``pgx submit``: lab results from files onto the bus, checked before they are sent."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from cli.environment import APPEARANCE, reads
from cli.environment import settings as command_settings
from cli.exits import Failure
from cli.lab_files import Document, documents
from cli.submission import Submission, submission
from cli.terminal import complain, write_line
from runtime.exits import Exit
from runtime.producer import Producer
from runtime.settings import Settings
from schemas.errors import Rejected

app = typer.Typer(**APPEARANCE)

_BATCH_EVENTS, _BATCH_BYTES = 100, 2_000_000


@app.command(cls=reads("kafka"))
def submit(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Lab results as JSON, JSON Lines or VCF (.vcf, .vcf.gz, .vcf.bgz); -: JSON from standard input.",
        ),
    ],
) -> None:
    """Publish lab results. Each is checked first, by the code that the genotyper runs.

    Prints one line for each event: its id (derived from its content, so that submitting twice is harmless), the
    accession, and where it came from. What was refused is told on standard error with the reason and the place; the
    others are sent all the same, and the exit status is 1.
    """
    paths = [_readable(name) for name in files]
    refused = asyncio.run(send(command_settings(), _documents(paths), _sent))
    raise typer.Exit(Exit.REFUSED if refused else Exit.DONE)


async def send(settings: Settings, offered: Iterable[Document], sent: Callable[[Document, Submission], None]) -> int:
    """Publish what is valid, telling ``sent`` of each when it is confirmed; how many were refused.

    Raises:
        Unreachable: the brokers did not confirm.
    """
    refused = 0
    producer = Producer(settings, "pgx-submit")
    batch: list[tuple[Document, Submission]] = []
    await producer.start()
    try:
        for document in offered:
            try:
                batch.append((document, submission(document.value)))
            except Rejected as error:
                refused += 1
                complain(f"{document.place}: {error}")
            if len(batch) >= _BATCH_EVENTS or sum(len(one.value) for _, one in batch) >= _BATCH_BYTES:
                await _publish(producer, settings, batch, sent)
                batch = []
        await _publish(producer, settings, batch, sent)
    finally:
        await producer.stop()
    return refused


async def _publish(
    producer: Producer,
    settings: Settings,
    batch: list[tuple[Document, Submission]],
    sent: Callable[[Document, Submission], None],
) -> None:
    await producer.send([one.message(settings) for _, one in batch])
    for document, one in batch:
        sent(document, one)


def _sent(document: Document, one: Submission) -> None:
    write_line(f"{one.event.id}\t{one.event.data.accession}\t{document.place}")


def _readable(name: str) -> Path | None:
    """The file's path, None for standard input. Raises ``Failure`` before anything is sent."""
    if name == "-":
        return None
    try:
        with Path(name).open("rb"):
            return Path(name)
    except OSError as error:
        raise Failure(Exit.USAGE, f"{name} cannot be read: {error.strerror}", "Nothing was sent.") from None


def _documents(paths: Iterable[Path | None]) -> Iterator[Document]:
    for path in paths:
        source = nullcontext(sys.stdin.buffer) if path is None else path.open("rb")
        with source as stream:
            yield from documents(path or Path("standard input"), stream)
