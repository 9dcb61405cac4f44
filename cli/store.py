"""``pgx store``: the results store as a whole."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from cli.environment import APPEARANCE, reads, settings
from cli.terminal import write_line

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


async def _dump(environment: "Settings", current: bool) -> None:
    from cli.interpretation import Interpreter
    from cli.open_store import opened
    from knowledge.loader import Releases
    from services.recommender.dump import dump as lines_of

    async with opened(environment) as results_store:
        releases = Releases(None, *environment.knowledge_folders).load
        async for line in lines_of(results_store, releases, current_only=current, interpret=Interpreter(releases)):
            write_line(line)
