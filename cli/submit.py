"""``pgx submit``: lab results and clinical context from files onto the bus, checked before they are sent."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli import vcf_files
from cli.environment import APPEARANCE, reads
from cli.environment import settings as command_settings
from cli.exits import Failure
from cli.lab_files import Document, Refusal, documents
from cli.submission import Submission, submission
from cli.terminal import complain, write_line
from runtime.exits import Exit
from runtime.producer import Producer
from runtime.settings import Settings
from schemas.errors import Rejected
from schemas.lab_result import Sex, Status
from services.genotyper.vcf import SampleFields

app = typer.Typer(**APPEARANCE)

Offered = Iterable[Document | Refusal]
Sent = Callable[[Document, Submission], None]

_BATCH_EVENTS, _BATCH_BYTES = 100, 2_000_000
_VCF = "For VCF files"
_STANDARD_INPUT = "-"


@app.command(cls=reads("kafka"))
def submit(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Lab results as JSON, JSON Lines or VCF (.vcf, .vcf.gz, .vcf.bgz), clinical context as JSON or JSON"
            " Lines; -: JSON from standard input.",
        ),
    ],
    tenant: Annotated[str | None, typer.Option(help="Tenant.", rich_help_panel=_VCF)] = None,
    patient: Annotated[str | None, typer.Option(help="The patient's pseudonym.", rich_help_panel=_VCF)] = None,
    laboratory: Annotated[str | None, typer.Option(help="Laboratory.", rich_help_panel=_VCF)] = None,
    accession: Annotated[
        str | None, typer.Option(help="Accession; default: made from the content.", rich_help_panel=_VCF)
    ] = None,
    issued: Annotated[
        str | None,
        typer.Option(help="When it was issued, with time zone; default: the file's date.", rich_help_panel=_VCF),
    ] = None,
    status: Annotated[Status | None, typer.Option(help="Status; default: final.", rich_help_panel=_VCF)] = None,
    version: Annotated[int | None, typer.Option(min=1, help="Version; default: 1.", rich_help_panel=_VCF)] = None,
    sex: Annotated[Sex | None, typer.Option(help="Sex; default: unknown.", rich_help_panel=_VCF)] = None,
    samples: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP",
            help="Tab-separated table of many samples: a column sample, and any of these options by name.",
            rich_help_panel=_VCF,
        ),
    ] = None,
) -> None:
    """Publish lab results and statements of clinical context. Each is checked first, by the code of its reader.

    Prints one line for each event: its id (derived from its content, so that submitting twice is harmless), the
    accession or statement, and where it came from. What was refused is told on standard error with the reason and the
    place; the others are sent all the same, and the exit status is 1. Names of samples are not published, and nothing
    is taken from the clock.
    """
    general = SampleFields(
        tenant, patient, laboratory, accession, issued, status and status.value, version, sex and sex.value
    )
    paths = [_readable(name) for name in files]
    if (general != SampleFields() or samples) and not any(path and vcf_files.is_vcf(path) for path in paths):
        raise Failure(Exit.USAGE, "the options are for VCF files, and none is given", "JSON says these things itself.")
    offered = _documents(paths, general, None if samples is None else _sample_map(samples))
    refused = asyncio.run(send(command_settings(), offered, _sent))
    raise typer.Exit(Exit.REFUSED if refused else Exit.DONE)


async def send(settings: Settings, offered: Offered, sent: Sent) -> int:
    """Publish what is valid, telling ``sent`` of each when it is confirmed; how many were refused.

    Raises:
        Unreachable: the brokers did not confirm.
    """
    refused = size = 0
    batch: list[tuple[Document, Submission]] = []
    producer = Producer(settings, "pgx-submit")
    await producer.start()
    try:
        for one in offered:
            try:
                if isinstance(one, Refusal):
                    raise one.error
                batch.append((one, submission(one.value)))
            except Rejected as error:
                refused += 1
                complain(f"{one.place}: {error}")
                continue
            size += len(batch[-1][1].value)
            if len(batch) >= _BATCH_EVENTS or size >= _BATCH_BYTES:
                await _publish(producer, settings, batch, sent)
                batch, size = [], 0
        await _publish(producer, settings, batch, sent)
    finally:
        await producer.stop()
    return refused


async def _publish(
    producer: Producer, settings: Settings, batch: list[tuple[Document, Submission]], sent: Sent
) -> None:
    await producer.send([one.message(settings) for _, one in batch])
    for document, one in batch:
        sent(document, one)


def _sent(document: Document, one: Submission) -> None:
    if one.unknown_fields:
        complain(f"{document.place}: nobody reads {', '.join(one.unknown_fields)}")
    write_line(f"{one.event.id}\t{one.name}\t{document.place}")


def _readable(name: str) -> Path | None:
    """The file's path, None for standard input. Raises ``Failure`` before anything is sent."""
    if name == _STANDARD_INPUT:
        return None
    try:
        with Path(name).open("rb"):
            return Path(name)
    except OSError as error:
        raise Failure(Exit.USAGE, f"{name} cannot be read: {error.strerror}", "Nothing was sent.") from None


def _sample_map(path: Path) -> Mapping[str, SampleFields]:
    try:
        return vcf_files.read_sample_map(path)
    except (OSError, UnicodeDecodeError, Rejected) as error:
        raise Failure(
            Exit.USAGE, f"{path} cannot be used as a table of samples: {error}", "Nothing was sent."
        ) from None


def _documents(
    paths: Iterable[Path | None], general: SampleFields, samples: Mapping[str, SampleFields] | None
) -> Iterator[Document | Refusal]:
    for path in paths:
        if path is None:
            yield from documents(Path("standard input"), sys.stdin.buffer)
        elif vcf_files.is_vcf(path):
            yield from vcf_files.documents(path, general, samples)
        else:
            with path.open("rb") as stream:
                yield from documents(path, stream)
