"""``pgx status``: what became of a submitted event."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from cli.environment import APPEARANCE, reads, settings
from cli.exits import Failure
from cli.terminal import waiting, write_line
from runtime.exits import Exit

if TYPE_CHECKING:
    from runtime.settings import Settings

app = typer.Typer(**APPEARANCE)


@app.command(cls=reads("kafka", "database"))
def status(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The event's id, as pgx submit printed it.")],
    scan: Annotated[
        int, typer.Option(min=1, help="How far back to look among what was submitted: events of each partition.")
    ] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each finding.")] = False,
) -> None:
    """Show what became of an event: applied (with the sequence of the recommendation event), dead letter, or received.

    Looks into the results store, then among the dead letters, then among what was submitted. Exit status 3 when it is
    nowhere.
    """
    found = asyncio.run(findings(settings(), id_, scan))
    if not found:
        raise Failure(
            Exit.NOT_FOUND,
            f"nothing is known of event {id_}",
            f"Looked into the store, the dead letters and the newest {scan:,} submissions of each partition (--scan).",
        )
    for finding in found:
        write_line(orjson.dumps(finding) if as_json else _text(finding))


async def findings(environment: "Settings", id_: str, scan: int) -> list[dict[str, Any]]:
    """Where the event is, the last station first. Raises ``Unreachable``, ``NotSetUp``."""
    from cli.event_trace import among_dead_letters, among_submitted
    from cli.open_store import opened
    from services.recommender.report import applied

    async with opened(environment) as store:
        done = [{"state": "applied", **asdict(one)} for one in await applied(store, id_)]
    if done:
        return done
    with waiting("looking among the dead letters"):
        letters = await among_dead_letters(environment, id_)
    if letters:
        return [
            {"state": "dead-letter", "dead_letter": one.id, "code": one.code, "message": one.reason, "path": one.path}
            for one in letters
        ]
    with waiting("looking among what was submitted"):
        message = await among_submitted(environment, id_, scan)
    if message is None:
        return []
    return [{"state": "received", "partition": message.partition, "offset": message.offset}]


def _text(finding: dict[str, Any]) -> str:
    match finding["state"]:
        case "applied":
            name = finding["accession"] or finding["statement"]
            about = f"{finding['tenant']}/{finding['patient']} {name} version {finding['version']}"
            sequence = finding["sequence"]
            made = "changed nothing" if sequence is None else f"sequence {sequence}"
            notes = [note for note, holds in (
                ("brought before by another event", finding["duplicate"]), ("superseded", not finding["current"]),
            ) if holds]  # fmt: skip
            return f"applied: {about}: {'; '.join([made, *notes])}"
        case "dead-letter":
            where = f" (at {finding['path']})" if finding["path"] else ""
            return f"dead letter {finding['dead_letter']}: {finding['code']}: {finding['message']}{where}"
        case _:
            return f"received: partition {finding['partition']}, offset {finding['offset']}; on its way"
