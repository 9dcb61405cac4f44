"""``pgx patient``: what is held about one patient as a whole, and its erasure."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from cli.environment import APPEARANCE, reads, settings
from cli.exits import Failure
from cli.terminal import write_line
from runtime.exits import Exit

if TYPE_CHECKING:
    from runtime.settings import Settings

app = typer.Typer(help="One patient as a whole: export and erasure.", no_args_is_help=True, **APPEARANCE)

Patient = Annotated[str, typer.Argument(help="The patient's pseudonym.")]


@app.command("export", cls=reads("database"))
def export(
    patient: Patient,
    tenant: Annotated[str | None, typer.Option(help="Needed where several tenants have such a patient.")] = None,
) -> None:
    """Write everything that the store holds about a patient as one JSON object; 3 when nothing is known."""
    asyncio.run(_export(settings(), patient, tenant))


@app.command("erase", cls=reads("database"))
def erase(
    patient: Patient,
    tenant: Annotated[str, typer.Option(help="Whose patient.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="After a restore: when it was first erased (2026-11-23T10:00:00Z)."),
    ] = None,
) -> None:
    """Erase a patient from the store, for good, and put a tombstone on the recommendation topic.

    Events about the patient that were published up to now, or TIME, have no effect any more, however often they are
    delivered; what is published later begins anew. Exit status 3 when nothing was known; the erasure counts all the
    same.
    """
    asyncio.run(_erase(settings(), patient, tenant, at))


async def _export(environment: "Settings", patient: str, tenant: str | None) -> None:
    from cli.interpretation import Interpreter
    from cli.open_store import nothing_known, opened, the_tenant
    from knowledge.loader import Releases
    from services.recommender.export import export as everything

    async with opened(environment) as store:
        owner = await the_tenant(store, patient, tenant)
        releases = Releases(None, *environment.knowledge_folders).load
        held = await everything(store, releases, owner, patient, Interpreter(releases))
    if held is None:
        raise nothing_known(patient, owner)
    write_line(orjson.dumps(held))


async def _erase(environment: "Settings", patient: str, tenant: str, at: str | None) -> None:
    from cli.open_store import opened
    from schemas.errors import Rejected
    from schemas.lab_result import parse_instant
    from services.recommender.erasure import erase as erased

    try:
        when = None if at is None else parse_instant(at, "--at")
    except Rejected as error:
        raise Failure(Exit.USAGE, f"--at: {error.message}") from None
    if when is not None and when > datetime.now(UTC):
        raise Failure(Exit.USAGE, f"--at: {at} is still to come", "What is published until then would have no effect.")
    async with opened(environment) as store:
        known = await erased(store, tenant, patient, when)
    if not known:
        raise Failure(
            Exit.NOT_FOUND,
            f"nothing was known of patient {patient} of {tenant}",
            "The erasure is remembered: what had been published about the patient until now has no effect.",
        )
    write_line(f"erased: {tenant}/{patient}")
