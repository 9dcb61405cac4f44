"""``pgx demo``: the whole pipeline on example patients, with nothing installed but Python packages."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli import vcf_files
from cli.embedded import broker, postgres
from cli.embedded.guarded import Guarded
from cli.environment import APPEARANCE
from cli.exits import Failure
from cli.interrupts import Interrupts
from cli.lab_files import Document, Refusal, documents
from cli.open_store import opened
from cli.report import fetched, text_of, write_page
from cli.run import SERVICES, command
from cli.setup import set_up
from cli.submission import Submission
from cli.submit import send
from cli.summary import print_summary
from cli.terminal import say, stderr
from runtime.exits import Exit
from runtime.settings import Settings, variable
from services.genotyper.vcf import SampleFields
from services.recommender.report import Report, applied

app = typer.Typer(**APPEARANCE)

EXAMPLES = Path(__file__).parents[1] / "examples"
_VCF = "whole-panel.vcf"
_VCF_SAMPLE = SampleFields("mercy", "p-7f3a91", "acme-genomics", "ACC-0417", "2026-11-23T10:00:00Z", sex="female")
"""What ``pgx submit`` is told with options."""
_RESULTS = ("genotyping-panel.json", "reported-calls.json", "second-laboratory.json")
_PARTITIONS = 3
_PATIENCE_SECONDS = 90.0
_POLL_SECONDS = 0.1


@app.command()
def demo(
    reports: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write every patient's whole report there, as text and page."),
    ] = None,
) -> None:
    """Run the whole pipeline here on example patients.

    Starts an embedded broker and database and the three services, submits the example laboratory results and prints a
    report for each patient. Everything that it starts and writes is gone when it ends.
    """
    interrupts = Interrupts()
    interrupts.install()
    with ExitStack() as stack:
        try:
            with interrupts.held():
                folder = Path(tempfile.mkdtemp(prefix="pgx-demo-"))
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
            _run(folder, None if reports is None else reports.absolute(), stack, interrupts)
        finally:
            interrupts.hold_for_good()


def _run(folder: Path, reports: Path | None, stack: ExitStack, interrupts: Interrupts) -> None:
    began = time.monotonic()
    settings = _surroundings(folder, stack, interrupts)
    with _step("making topics and tables, activating the knowledge release"):
        interrupts.run(set_up(settings, lambda done: None))
    with _step("starting genotyper, phenotyper and recommender"), interrupts.held():
        services = {service.value: _service(folder, service.value) for service in SERVICES}
        stack.callback(_stop, list(services.values()))
    with _step("submitting the example laboratory results"):
        sent = _submit(settings, interrupts)
    interrupts.run(_wait(settings, [one.event.id for one in sent], services))
    patients = dict.fromkeys((one.event.data.tenant, one.event.data.patient) for one in sent)
    for tenant, patient in patients:
        found = interrupts.run(fetched(settings, patient, tenant))
        print_summary(found)
        if reports is not None:
            _write_reports(found, reports)
    say(f"{len(sent)} laboratory results of {len(patients)} patients in {time.monotonic() - began:.0f} s; stopping")


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Says what is being done, and how long it took."""
    began = time.monotonic()
    if stderr.is_terminal:
        with stderr.status(what):
            yield
    else:
        yield
    say(f"{time.monotonic() - began:5.1f} s  {what}")


def _surroundings(folder: Path, stack: ExitStack, interrupts: Interrupts) -> Settings:
    """Broker and database, and settings that lead to them alone: nothing of the user's own deployment is touched."""
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith(variable(""))]:
        del os.environ[name]
    try:
        with _step("starting an embedded Kafka broker"), interrupts.held():
            running = stack.enter_context(broker.start(folder))
        with _step("starting an embedded PostgreSQL"), interrupts.held():
            database = stack.enter_context(postgres.start(folder / "postgres", durable=False))
    except (broker.EmbeddedBrokerError, postgres.CannotStart) as error:
        raise Failure(Exit.UNREACHABLE, str(error), "Or use compose, or your own broker and database.") from None
    os.environ |= running.environment | {
        variable("database_url"): database.dsn,
        variable("partitions"): str(_PARTITIONS),
        variable("log_level"): "warning",
        variable("log_format"): "json",
    }
    return Settings.load()


def _service(folder: Path, name: str) -> Guarded:
    return Guarded(command(name), folder / f"{name}.log")


def _stop(services: Sequence[Guarded]) -> None:
    """Ends all services at once, each in good order."""
    with ThreadPoolExecutor(len(services)) as pool:
        list(pool.map(Guarded.stop, services))


def _examples() -> Iterator[Document | Refusal]:
    yield from vcf_files.documents(EXAMPLES / _VCF, _VCF_SAMPLE, None)
    for name in _RESULTS:
        with (EXAMPLES / name).open("rb") as stream:
            yield from documents(EXAMPLES / name, stream)


def _submit(settings: Settings, interrupts: Interrupts) -> list[Submission]:
    sent: list[Submission] = []
    refused = interrupts.run(send(settings, _examples(), lambda document, one: sent.append(one)))
    if refused or not sent:
        raise Failure(Exit.REFUSED, f"examples in {EXAMPLES} could not be submitted")
    return sent


async def _wait(settings: Settings, ids: Sequence[str], services: Mapping[str, Guarded]) -> None:
    """Returns when every event has been applied, showing how many have."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    began = time.monotonic()
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("waiting for the recommendations", total=len(ids))
        async with opened(settings) as store:
            while (done := sum([bool(await applied(store, id_)) for id_ in ids])) < len(ids):
                progress.update(task, completed=done)
                _check(services, began)
                await asyncio.sleep(_POLL_SECONDS)
    say(f"{time.monotonic() - began:5.1f} s  waiting for the recommendations")


def _write_reports(found: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{found.patient}.txt").write_text(text_of(found) + "\n", encoding="utf-8")
    write_page(found, folder / f"{found.patient}.html")


def _check(services: Mapping[str, Guarded], began: float) -> None:
    """Raises ``Failure`` where a service has ended or the recommendations are overdue, with the end of its log."""
    late = time.monotonic() - began > _PATIENCE_SECONDS
    for name, service in services.items():
        if late or not service.running:
            what = "has not finished" if service.running else "ended"
            raise Failure(Exit.REFUSED, f"the {name} {what}; its log ends:\n{service.last_words()}")
