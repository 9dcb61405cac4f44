"""``pgx report``: what is known and advised about one patient."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.environment import APPEARANCE, reads, settings
from cli.terminal import width, write_file, write_line

if TYPE_CHECKING:
    from runtime.settings import Settings
    from services.recommender.report import Report

app = typer.Typer(**APPEARANCE)


@app.command(cls=reads("database"))
def report(
    patient: Annotated[str, typer.Argument(help="The patient's pseudonym.")],
    tenant: Annotated[str | None, typer.Option(help="Needed where several tenants have such a patient.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page to print or to keep.")] = None,
) -> None:
    """Show a patient's current state from the results store; exit status 3 when nothing is known of the patient."""
    asyncio.run(_report(settings(), patient, tenant, as_json, html))


async def fetched(environment: "Settings", patient: str, tenant: str | None) -> "Report":
    """The patient's current state. Raises ``Failure`` (not found), ``Unreachable``, ``NotSetUp``."""
    from cli.interpretation import Interpreter
    from cli.open_store import nothing_known, opened, the_tenant
    from knowledge.loader import Releases
    from services.recommender.report import report as report_on

    async with opened(environment) as store:
        owner = await the_tenant(store, patient, tenant)
        releases = Releases(None, *environment.knowledge_folders).load
        found = await report_on(store, releases, owner, patient, Interpreter(releases))
    if found is None:
        raise nothing_known(patient, owner)
    return found


def text_of(found: "Report") -> str:
    """The report for people, as wide as the terminal, without a final line end."""
    from services.report.text import render

    return render(found, width()).removesuffix("\n")


async def _report(environment: "Settings", patient: str, tenant: str | None, as_json: bool, html: Path | None) -> None:
    from schemas.serialise import to_json

    found = await fetched(environment, patient, tenant)
    if as_json:
        write_line(to_json(found))
    if html is not None:
        write_page(found, html)
    if not as_json and html is None:
        write_line(text_of(found))


def write_page(found: "Report", file: Path) -> None:
    """Writes the report as one self-contained page. Raises ``Failure``."""
    from services.report.html import render

    write_file(render(found), file)
