"""``pgx cohort``: a population in figures."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from cli.environment import APPEARANCE, reads, settings
from cli.exits import Failure
from cli.terminal import write_file, write_line
from runtime.exits import Exit

if TYPE_CHECKING:
    from runtime.settings import Settings
    from schemas.base import Model
    from services.recommender.cohort import Cohort, Taker

app = typer.Typer(**APPEARANCE)


@app.command(cls=reads("database", "knowledge"))
def cohort(
    tenant: Annotated[str | None, typer.Option(help="This tenant's patients; default: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with plots.")] = None,
    release: Annotated[
        str | None, typer.Option(metavar="RELEASE", help="In place of that: how many this release would affect.")
    ] = None,
    takers: Annotated[
        bool,
        typer.Option(
            "--list", help="Of one tenant: the patients who take a drug that advice says to avoid, by pseudonym."
        ),
    ] = False,
) -> None:
    """Show allele and phenotype frequencies, how many patients have something to act on, and who takes what is advised
    against.

    Groups of fewer than 5 patients are not shown and cannot be worked out from what is, except with [bold]--list[/],
    which names patients for those who treat them. With [bold]--release[/] every patient is looked at under a release,
    as by pgx knowledge activate --dry-run, which also tells changes and examples.
    """
    if takers and (tenant is None or release is not None):
        raise Failure(Exit.USAGE, "--list names patients of one tenant", "Add --tenant, and leave --release out.")
    if release is not None:
        _affected(release, tenant, as_json, html)
        return
    found, listed = asyncio.run(_fetched(settings(), tenant, takers))
    for one in listed:
        write_line(orjson.dumps({"patient": one.patient, "drugs": list(one.drugs)}) if as_json else _line(one))
    if not takers or html is not None:
        from services.report import cohort as shown

        _show(found, lambda: shown.text(found), lambda: shown.page(found), as_json and not takers, html)


def _affected(release: str, tenant: str | None, as_json: bool, html: Path | None) -> None:
    from cli.activate import foreseen
    from cli.activation import Choice
    from cli.knowledge import installed
    from services.recommender.affected import affected_by
    from services.report import affected as shown

    known = foreseen(Choice(tenant, installed(release)), examples=False)
    found = affected_by(tenant, known.release, known.patients, known.affected, known.genes, known.drugs)
    _show(found, lambda: shown.text(found), lambda: shown.page(found), as_json, html)


def _show(
    found: "Model", text: Callable[[], Iterable[str]], page: Callable[[], str], as_json: bool, html: Path | None
) -> None:
    """Figures as they were asked for: JSON, a page, else text."""
    if as_json:
        write_line(found.model_dump_json())
    if html is not None:
        write_file(page(), html)
    if not (as_json or html):
        for line in text():
            write_line(line)


def _line(one: "Taker") -> str:
    return f"{one.patient}  {', '.join(one.drugs)}"


async def _fetched(environment: "Settings", tenant: str | None, listed: bool) -> tuple["Cohort", list["Taker"]]:
    from cli.open_store import opened
    from knowledge.loader import Releases
    from runtime.exits import NotSetUp
    from services.recommender.cohort import cohort as figures
    from services.recommender.cohort import takers
    from services.recommender.interpretation import as_delivered
    from services.recommender.state import release_of
    from services.recommender.store.activations import activations

    releases = Releases(None, *environment.knowledge_folders)
    async with opened(environment) as store:
        made = await activations(store.pool, as_delivered)
        # No tenant has an empty name: the choice for all.
        governing = made.governing("" if tenant is None else tenant)
        if governing is None:
            raise NotSetUp("no knowledge release is active. Run `pgx setup` first")
        found = await figures(store, release_of(governing.knowledge, releases.load), tenant)
        return found, await takers(store, tenant) if listed and tenant is not None else []
