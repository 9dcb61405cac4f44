"""``pgx store``: the results store as a whole."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from cli.environment import APPEARANCE, reads, settings
from cli.exits import Failure
from cli.terminal import write_line
from runtime.exits import Exit

if TYPE_CHECKING:
    from runtime.settings import Settings

app = typer.Typer(help="The results store as a whole.", no_args_is_help=True, **APPEARANCE)


@app.callback()
def store() -> None:
    """The results store as a whole."""


@app.command("dump", cls=reads("database"))
def dump(
    current: Annotated[
        bool, typer.Option("--current", help="Only what is current: no history and no sequence numbers.")
    ] = False,
) -> None:
    """Write the store as canonical JSON lines in key order, to compare two runs, for audit, or to move it.

    There are no times of processing, surrogate keys or bus positions in it: two runs that accepted the same input in
    the same order for each patient give the same bytes. With --current, the same set of events in any order does.
    """
    asyncio.run(_dump(settings(), current))


@app.command("policy", cls=reads("database"))
def policy(
    choice: Annotated[str, typer.Argument(metavar="newest|block", help="What is done where results contradict.")],
    tenant: Annotated[str | None, typer.Option(help="For this tenant; default: all without a choice.")] = None,
) -> None:
    """Choose what is done where results of a patient contradict each other.

    newest: the newest final result with the better coverage speaks, marked as less sure. block: the gene says
    nothing until the laboratories have settled it. To be chosen before a tenant's first result; exit status 1 later.
    """
    asyncio.run(_set_policy(settings(), choice, tenant))


async def _set_policy(environment: "Settings", choice: str, tenant: str | None) -> None:
    from cli.open_store import opened
    from services.recommender.discordance import Policy
    from services.recommender.store.policies import EVERYONE, InUse, set_policy

    try:
        wanted = Policy(choice)
    except ValueError:
        raise Failure(Exit.USAGE, f"there is no policy {choice}", "Choose newest or block.") from None
    async with opened(environment) as results_store, results_store.pool.acquire() as connection:
        try:
            await set_policy(connection, tenant or EVERYONE, wanted)
        except InUse:
            raise Failure(
                Exit.REFUSED,
                f"{tenant or 'a tenant without a choice'} has patients already: nothing was changed",
                "What was published under the present policy must stay readable: it is chosen before the first result.",
            ) from None
    write_line(f"{tenant or 'all tenants'}: {wanted.value}")


async def _dump(environment: "Settings", current: bool) -> None:
    from cli.interpretation import Interpreter
    from cli.open_store import opened
    from knowledge.loader import Releases
    from services.recommender.dump import dump as lines_of

    async with opened(environment) as results_store:
        releases = Releases(None, *environment.knowledge_folders).load
        async for line in lines_of(results_store, releases, current_only=current, interpret=Interpreter(releases)):
            write_line(line)
