"""``pgx explain``: why a patient's advice on a drug is what it is, back to the laboratory's event."""

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
    from schemas.explanation import Explanation

app = typer.Typer(**APPEARANCE)


@app.command(cls=reads("database"))
def explain(
    patient: Annotated[str, typer.Argument(help="The patient's pseudonym.")],
    drug: Annotated[str, typer.Argument(help="The drug: its name, RxNorm or ATC code.")],
    tenant: Annotated[str | None, typer.Option(help="Needed where several tenants have such a patient.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with the picture and text.")] = None,
) -> None:
    """Show why a patient's advice on a drug is what it is: rule, phenotype, diplotype, positions, laboratory's event.

    Exit status 3 when nothing is known of the patient or the drug.
    """
    found = asyncio.run(_fetched(settings(), patient, drug, tenant))
    if as_json:
        from schemas.serialise import to_json

        write_line(to_json(found))
    if svg is not None:
        from services.report.explanation_svg import render as picture

        write_file(picture(found), svg)
    if html is not None:
        from services.report.explanation_page import render as page

        write_file(page(found), html)
    if not as_json and svg is None and html is None:
        from services.report.explanation_text import render as text

        write_line(text(found, width()).removesuffix("\n"))


async def _fetched(environment: "Settings", patient: str, drug: str, tenant: str | None) -> "Explanation":
    """The explanation. Raises ``Failure`` (not found), ``Unreachable``, ``NotSetUp``."""
    from cli.interpretation import Interpreter
    from cli.open_store import nothing_known, opened, the_tenant
    from knowledge.loader import Releases
    from services.recommender.explained import UnknownDrug, explained

    async with opened(environment) as store:
        owner = await the_tenant(store, patient, tenant)
        releases = Releases(None, *environment.knowledge_folders).load
        try:
            found = await explained(store, releases, owner, patient, drug, Interpreter(releases))
        except UnknownDrug as unknown:
            advice = "`pgx report` lists the drugs with advice, `pgx knowledge show RELEASE DRUG` what a release has."
            raise Failure(Exit.NOT_FOUND, str(unknown), advice) from None
    if found is None:
        raise nothing_known(patient, owner)
    return found
