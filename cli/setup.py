"""``pgx setup``: topics, results store and first knowledge release, made once and left alone afterwards."""

import asyncio
from collections.abc import Callable

import typer

from cli.environment import APPEARANCE, reads
from cli.exits import Failure
from cli.terminal import say, waiting, write_line
from knowledge.loader import Releases, UnknownRelease
from knowledge.release import Release
from runtime.exits import Exit
from runtime.settings import Settings

app = typer.Typer(**APPEARANCE)


@app.command(cls=reads("kafka", "database", "knowledge", "topics"))
def setup() -> None:
    """Create the topics, migrate the results store and activate the first knowledge release. Idempotent.

    Nothing that exists is changed: a topic whose settings differ from the wanted ones is named. Two that run at once do
    no harm. Exit status 0 when all is as wanted; 4 when broker or database did not answer within PGX_PATIENCE.
    """
    with waiting("setting up"):
        asyncio.run(set_up(Settings.load(), write_line))


async def set_up(settings: Settings, tell: Callable[[str], None]) -> None:
    """What the command does; ``tell`` is told what was done. Raises ``Failure``, ``Unreachable``."""
    from cli.activation import first
    from runtime.admin import TopicError, create_topics
    from schemas.knowledge import EVERYONE
    from schemas.topics import TOPICS
    from services.recommender.migrations import ChangedMigration, migrate

    release = _first_release(settings)
    try:
        outcome = await create_topics(settings, TOPICS)
        for name in outcome.created:
            tell(f"topic {name} created")
        for difference in outcome.differences:
            say(f"note: {difference}; left as it is")
        applied = await migrate(settings)
        for name in applied:
            tell(f"migration {name} applied")
        for choice in await first(settings, release):
            whom = "all tenants" if choice.tenant == EVERYONE else choice.tenant
            tell(f"knowledge release {choice.release} activated for {whom}")
    except TopicError as error:
        raise Failure(
            Exit.REFUSED, str(error), "PGX_PARTITIONS and PGX_REPLICATION decide how topics are made."
        ) from None
    except ChangedMigration as error:
        raise Failure(Exit.REFUSED, str(error), "Run the version of the software that this store belongs to.") from None
    tell("all is set up")


def _first_release(settings: Settings) -> Release:
    """The release that the settings name, else the newest. Raises ``Failure`` where it is not installed."""
    releases = Releases(None, *settings.knowledge_folders)
    try:
        return releases.load(settings.knowledge_release or releases.newest())
    except UnknownRelease as error:
        raise Failure(Exit.USAGE, str(error), "Set PGX_KNOWLEDGE_RELEASE to one of these, or leave it out.") from None
