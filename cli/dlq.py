"""``pgx dlq``: what could not be processed, why, and how to have it processed after all."""

import asyncio
import base64
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from cli.environment import APPEARANCE, reads, settings
from cli.exits import Failure
from cli.letter_filter import LetterFilter, choosing
from cli.table import write_table
from cli.terminal import say, write_line
from runtime.exits import Exit

if TYPE_CHECKING:
    from runtime.dead_letter_box import Kept
    from runtime.dead_letters import DeadLetter
    from runtime.producer import Producer
    from runtime.settings import Settings

app = typer.Typer(help="Dead letters: what could not be processed, and why.", no_args_is_help=True, **APPEARANCE)

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help="Ids as pgx dlq list shows them; or choose by options.")
]


@app.command("list", cls=reads("kafka"))
@choosing
def list_letters(
    chosen: LetterFilter,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were retried or discarded.")] = False,
) -> None:
    """List the dead letters that wait for somebody, the oldest of each partition first."""
    environment = settings()
    shown = _matching(asyncio.run(_kept(environment)), chosen, environment.topic_prefix, everything)
    if as_json:
        for one in shown:
            write_line(orjson.dumps(_described(one)))
        return
    if not shown:
        say("no dead letters")
        return
    columns = ("id", "received", "code", "at", "message", *(("resolution",) if everything else ()))
    write_table(columns, [_row(one)[: len(columns)] for one in shown])


@app.command("show", cls=reads("kafka"))
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Id as pgx dlq list shows it.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, the original message in it.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The original value alone, byte for byte.")] = False,
) -> None:
    """Show one dead letter: the reason, where it came from, and the original message."""
    [one] = _find(asyncio.run(_kept(settings())), [id_])
    value = one.letter.message.value or b""
    if raw:
        sys.stdout.buffer.write(value)
        return
    described = _described(one)
    if as_json:
        write_line(orjson.dumps(described | _original(one.letter)))
        return
    for name, text in described.items():
        write_line(f"{name:<11} {'' if text is None else text}")
    for header, content in one.letter.message.headers:
        write_line(f"header      {header}: {(content or b'').decode('utf-8', 'replace')}")
    write_line(f"value       {len(value):,} bytes")
    write_line(value.decode("utf-8", "backslashreplace"))


@app.command("retry", cls=reads("kafka"))
@choosing
def retry(chosen: LetterFilter, ids: Ids = None) -> None:
    """Send the original messages again, as they were. The event keeps its identity; versions decide what is current.

    Do it after whatever was wrong has been put right. A letter that fails again comes back with a new id. With options
    in place of ids: all that wait and match, as pgx dlq list with the same options shows them.
    """
    from runtime.dead_letter_box import retry as send_again

    for id_ in asyncio.run(_resolve(ids or [], chosen, send_again)):
        write_line(f"{id_}\tretried")


@app.command("discard", cls=reads("kafka"))
@choosing
def discard(chosen: LetterFilter, ids: Ids = None) -> None:
    """Put letters away for good: they are no longer listed. They stay on the topic until its retention ends.

    With options in place of ids: all that wait and match.
    """
    from runtime.dead_letter_box import DISCARDED, mark

    async def put_away(settings: "Settings", producer: "Producer", letters: "Sequence[DeadLetter]") -> None:
        await mark(settings, producer, letters, DISCARDED)

    for id_ in asyncio.run(_resolve(ids or [], chosen, put_away)):
        write_line(f"{id_}\tdiscarded")


async def _kept(settings: "Settings") -> "dict[str, Kept]":
    from runtime.dead_letter_box import kept

    return await kept(settings)


def _find(all_kept: "dict[str, Kept]", ids: Sequence[str]) -> "list[Kept]":
    missing = [id_ for id_ in ids if id_ not in all_kept]
    if missing:
        raise Failure(
            Exit.NOT_FOUND,
            f"there is no dead letter {', '.join(missing)}",
            "`pgx dlq list --all` shows those that there are. Nothing was done.",
        )
    return [all_kept[id_] for id_ in ids]


def _matching(all_kept: "dict[str, Kept]", chosen: LetterFilter, prefix: str, everything: bool) -> "list[Kept]":
    return [
        one
        for one in all_kept.values()
        if (everything or one.resolution is None) and chosen.matches(one.letter, prefix)
    ]


async def _resolve(
    ids: Sequence[str], chosen: LetterFilter, action: "Callable[[Settings, Producer, Sequence[DeadLetter]], Any]"
) -> list[str]:
    """Act on the letters with these ids, or on all open ones that match; their ids."""
    from runtime.dead_letters import Incomplete
    from runtime.producer import Producer

    if bool(ids) == chosen.chooses:
        raise Failure(Exit.USAGE, "which letters?", "Give either ids, or options that choose them.")
    environment = settings()
    there = await _kept(environment)
    found = _find(there, list(dict.fromkeys(ids))) if ids else _matching(there, chosen, environment.topic_prefix, False)
    letters = [one.letter for one in found]
    producer = Producer(environment, "pgx-dlq")
    await producer.start()
    try:
        await action(environment, producer, letters)
    except Incomplete as error:
        raise Failure(Exit.REFUSED, str(error), "Nothing was sent.") from None
    finally:
        await producer.stop()
    return [letter.id for letter in letters]


def _described(one: "Kept") -> dict[str, Any]:
    letter = one.letter
    original = letter.message
    return {
        "id": letter.id, "stage": letter.stage, "code": letter.code, "message": letter.reason, "path": letter.path,
        "topic": original.topic, "partition": original.partition, "offset": original.offset,
        "received": _instant(original.timestamp_ms),
        "key": None if original.key is None else original.key.decode("utf-8", "backslashreplace"),
        "truncated": letter.truncated, "resolution": one.resolution,
    }  # fmt: skip


def _original(letter: "DeadLetter") -> dict[str, Any]:
    value = letter.message.value
    headers = {name: (content or b"").decode("utf-8", "backslashreplace") for name, content in letter.message.headers}
    return {"headers": headers, "value_base64": None if value is None else base64.b64encode(value).decode()}


def _row(one: "Kept") -> tuple[str, ...]:
    described = _described(one)
    return tuple(str(described[name] or "") for name in ("id", "received", "code", "path", "message", "resolution"))


def _instant(milliseconds: int) -> str | None:
    """RFC 3339 to the second; None where the broker did not tell."""
    if milliseconds < 0:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
