"""``pgx watch``: recommendation events as hospitals get them."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from cli.environment import APPEARANCE, reads, settings
from cli.exits import Failure
from cli.terminal import say, write_line
from runtime.exits import Exit

if TYPE_CHECKING:
    from runtime.settings import Settings

app = typer.Typer(**APPEARANCE)

_WORTH_A_LINE = 2
"""Changes up to this priority (avoid, change the dose) are shown one by one; the others are counted."""


@app.command(cls=reads("kafka", "database"))
def watch(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's patients.")] = None,
    patient: Annotated[str | None, typer.Option(help="Only this patient.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="First everything that is on the topic.")] = False,
    since: Annotated[
        int | None,
        typer.Option(metavar="SEQUENCE", min=0, help="With --patient: what came after this event, from the store."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line, as it is on the topic.")] = False,
) -> None:
    """Show recommendation events as they come, until Ctrl-C. Reads beside all subscribers and disturbs none.

    With --since, shows what a subscriber missed and ends: 3 where nothing is known of the patient.
    """
    if since is not None and patient is None:
        raise Failure(Exit.USAGE, "--since counts the events of one patient", "Add --patient.")
    if since is not None and from_start:
        raise Failure(Exit.USAGE, "--since reads the store, --from-start the topic", "Leave one of them out.")
    show = write_line if as_json else _show
    if since is not None and patient is not None:
        asyncio.run(_missed(settings(), tenant, patient, since, show))
    else:
        asyncio.run(_follow(settings(), tenant, patient, from_start, show))


async def _follow(
    environment: "Settings", tenant: str | None, patient: str | None, from_start: bool, show: Callable[[bytes], None]
) -> None:
    from runtime.topic_reader import reading
    from schemas.topics import RECOMMENDATION

    async with reading(environment, RECOMMENDATION) as reader:
        arriving = reader.follow(from_start)
        say(f"watching {environment.topic(RECOMMENDATION)} at {environment.kafka_bootstrap_servers}; Ctrl-C ends it")
        async for message in arriving:
            owner, _, pseudonym = (message.key or b"").decode("utf-8", "replace").partition("/")
            if tenant in (None, owner) and patient in (None, pseudonym) and message.value:
                show(message.value)


async def _missed(
    environment: "Settings", tenant: str | None, patient: str, since: int, show: Callable[[bytes], None]
) -> None:
    from cli.interpretation import Interpreter
    from cli.open_store import nothing_known, opened, the_tenant
    from knowledge.loader import Releases
    from schemas.serialise import to_json
    from services.recommender.report import events_since, tenants_of

    async with opened(environment) as store:
        owner = await the_tenant(store, patient, tenant)
        if owner not in await tenants_of(store, patient):
            raise nothing_known(patient, owner)
        releases = Releases(None, *environment.knowledge_folders)
        async for event in events_since(store, releases.load, owner, patient, since, Interpreter(releases.load)):
            show(to_json(event))


def _show(value: bytes) -> None:
    event = orjson.loads(value)
    counts = dict.fromkeys(("issued", "changed", "withdrawn"), 0)
    lines = []
    for change in event["changes"]:
        counts[change["change"]] += 1
        about = change["after"] or change["before"]
        if about["priority"] <= _WORTH_A_LINE:
            lines.append(_change(change["change"], about))
    cause = " ".join(str(event["cause"][part]) for part in ("type", "accession") if event["cause"].get(part))
    done = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number) or "no advice changed"
    write_line(f"{event['tenant']}/{event['patient']}  #{event['sequence']}  {cause}: {done}")
    for line in lines:
        write_line(line)


def _change(kind: str, about: dict[str, Any]) -> str:
    keys = ", ".join(f"{gene} {key}" for gene, key in about["genes"].items())
    population = "" if about["population"] == "general" else f", {about['population']}"
    return f"  {kind:<9} {about['drug']} ({about['source']}{population}): {', '.join(about['actions'])}; {keys}"
