"""``pgx report``: what is known and advised about one patient."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.environment import APPEARANCE, reads, settings
from cli.exits import Failure
from cli.terminal import width, write_file, write_line
from runtime.exits import Exit

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
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="What was known and advised then: 2026-11-23T10:00:00Z.")
    ] = None,
    knowledge: Annotated[
        str | None, typer.Option(metavar="RELEASE", help="What the same results and context say under this release.")
    ] = None,
) -> None:
    """Show a patient's state from the results store: now, at a moment, or under another knowledge release.

    Exit status 3 when nothing is known of the patient, or was not yet.
    """
    found = asyncio.run(fetched(settings(), patient, tenant, as_of, knowledge))
    if as_json:
        from schemas.serialise import to_json

        write_line(to_json(found))
    if html is not None:
        write_page(found, html)
    if not as_json and html is None:
        write_line(text_of(found))


async def fetched(
    environment: "Settings", patient: str, tenant: str | None, as_of: str | None = None, knowledge: str | None = None
) -> "Report":
    """The patient's state. Raises ``Failure`` (usage, not found), ``Unreachable``, ``NotSetUp``."""
    from cli.interpretation import Interpreter
    from cli.open_store import nothing_known, opened, the_tenant
    from knowledge.loader import Releases, UnknownRelease
    from schemas.errors import Rejected
    from schemas.genotype import KnowledgeRef
    from schemas.lab_result import parse_instant
    from services.recommender.hindsight import Moment, report_at

    releases = Releases(None, *environment.knowledge_folders)
    try:
        at = None if as_of is None else parse_instant(as_of, "--as-of")
        release = None if knowledge is None else releases.load(knowledge)
    except Rejected as error:
        raise Failure(Exit.USAGE, f"--as-of: {error.message}") from None
    except UnknownRelease as error:
        raise Failure(Exit.NOT_FOUND, str(error), "`pgx knowledge list` describes those that are installed.") from None
    under = None if release is None else KnowledgeRef(release=release.id, sha256=release.sha256)
    async with opened(environment) as store:
        owner = await the_tenant(store, patient, tenant)
        interpret = Interpreter(releases.load)
        found = await report_at(store, releases.load, owner, patient, Moment(at, under), interpret)
    if found is None:
        raise nothing_known(patient, owner, as_of)
    return found


def text_of(found: "Report") -> str:
    """The report for people, as wide as the terminal, without a final line end."""
    from services.report.text import render

    return render(found, width()).removesuffix("\n")


def write_page(found: "Report", file: Path) -> None:
    """Writes the report as one self-contained page. Raises ``Failure``."""
    from services.report.html import render

    write_file(render(found), file)
