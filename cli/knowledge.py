"""``pgx knowledge``: which releases of facts are installed, what is in one, what differs, and which one governs."""

from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from cli.environment import APPEARANCE, reads
from cli.exits import Failure
from cli.terminal import say, write_line
from runtime.exits import Exit
from runtime.settings import Settings

if TYPE_CHECKING:
    from knowledge.release import Release

app = typer.Typer(help="Releases of facts: alleles, phenotype rules, guidelines.", no_args_is_help=True, **APPEARANCE)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("list")
def list_releases(as_json: AsJson = False) -> None:
    """Show the installed releases, the newest last."""
    from knowledge.describe import overview
    from knowledge.loader import Releases

    releases = Releases(None, *Settings.load().knowledge_folders)
    for release in overview(releases):
        if as_json:
            write_line(orjson.dumps(release.data | {"sha256": releases.load(release.name).sha256}))
        else:
            for line in release.lines:
                write_line(line)


@app.command("show")
def show(
    release: Annotated[str, typer.Argument(help="Release, such as 2026.11.")],
    what: Annotated[
        str | None, typer.Argument(help="Gene, drug, guideline or rule; default: the release itself.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in a release: its sources and counts, or one gene, drug, guideline or rule of it."""
    from knowledge.describe import show as described

    found = described(installed(release), what)
    if found is None:
        raise Failure(
            Exit.NOT_FOUND,
            f"release {release} has nothing of the name {what}",
            f"`pgx knowledge show {release}` lists its genes.",
        )
    if as_json:
        write_line(orjson.dumps({"kind": found.kind, "name": found.name, **found.data}))
        return
    for line in found.lines:
        write_line(line)


@app.command("diff")
def diff(
    before: Annotated[str, typer.Argument(help="The release to compare from.")],
    after: Annotated[str, typer.Argument(help="The release to compare to.")],
    as_json: AsJson = False,
) -> None:
    """Show what differs between two releases: genes, alleles, functions, phenotype rules, recommendations."""
    from knowledge.diff import compare

    comparison = compare(installed(before), installed(after))
    if not as_json:
        for line in comparison.lines():
            write_line(line)
        return
    for difference in comparison.differences:
        write_line(difference.model_dump_json())
    if not comparison.differences:
        say("no differences")


@app.command("activate", cls=reads("kafka", "database", "knowledge"))
def activate(
    release: Annotated[str | None, typer.Argument(metavar="RELEASE", help="Release, such as 2026.11.")] = None,
    tenant: Annotated[
        str | None, typer.Option(help="For this tenant alone; default: for all without an own one.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="In place of a release: the tenant follows the choice for all again.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many work at it.")] = 1,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="At most so many patients a second are evaluated one by one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a release govern: new results are called under it, and stored patients are evaluated again.

    Where a patient's advice changes (actions, dose, alternatives, strength, population), a recommendation event says
    so; its cause is the activation. Live results go first. Killed and started again it goes on where it stopped, and
    started again when it is done it reaches whoever was not reached. Activating the former release takes it back. A
    tenant with a choice of its own keeps it, whatever is activated for all, until [bold]--follow[/] gives it up.

    Exit status 0 when every patient is under the release, 1 when some could not be evaluated: these are named, and stay
    under the release before.
    """
    from cli.activate import activate as run
    from cli.activate import foresee
    from cli.activation import Choice
    from cli.sweep import Pace

    if follow == (release is not None) or (follow and tenant is None):
        raise Failure(Exit.USAGE, "which release?", "Give a release, or --tenant with --follow.")
    choice = Choice(tenant, None if release is None else installed(release))
    if dry_run:
        foresee(choice, as_json)
    else:
        run(choice, Pace(processes, rate), as_json)


def installed(release: str) -> "Release":
    """An installed release. Raises ``Failure`` (not found) with the ones that are."""
    from knowledge.loader import Releases, UnknownRelease

    try:
        return Releases(None, *Settings.load().knowledge_folders).load(release)
    except UnknownRelease as error:
        raise Failure(Exit.NOT_FOUND, str(error), "`pgx knowledge list` describes them.") from None
