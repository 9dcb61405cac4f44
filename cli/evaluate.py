"""``pgx evaluate``: JSON Lines in, JSON Lines out, in the same order, in bounded memory."""

import signal
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from cli.environment import APPEARANCE, reads
from cli.evaluation import Contexts, Evaluator, Outcome, Stage, contexts
from cli.exits import Failure, ReaderGone
from knowledge.loader import Releases, UnknownRelease
from runtime.exits import Exit
from runtime.settings import Settings
from schemas.errors import Rejected
from schemas.lab_result import MAX_BYTES
from services.genotyper.options import Options, Research

app = typer.Typer(**APPEARANCE)

_LONGEST_LINE = 2 * MAX_BYTES
"""Bytes of a line that are looked at: more than any valid one has, so that the refusal says why."""
_CHUNK_LINES, _CHUNK_BYTES = 64, 1_000_000
"""What a worker process gets at once."""
_PROGRESS_SECONDS = 0.25
_OPENING = (b"{", b"[")
_SEVERAL_LINES = (
    "Note: the first line is the beginning of JSON that goes on over several lines, but each line is taken for one lab"
    " result. Put each on one line: jq -c . FILE | pgx evaluate"
)


class Candidates(StrEnum):
    """Which of the matching diplotypes to list."""

    TOP = "top"
    ALL = "all"


@app.command(cls=reads("knowledge"))
def evaluate(
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="Lab results, one JSON object a line; -: standard input.")
    ] = "-",
    knowledge: Annotated[
        str | None,
        typer.Option(metavar="RELEASE", help="Knowledge release; default: PGX_KNOWLEDGE_RELEASE, or the newest."),
    ] = None,
    stage: Annotated[Stage, typer.Option(help="How far to go.")] = Stage.RECOMMENDATION,
    candidates: Annotated[
        Candidates, typer.Option(help="List the top-scoring diplotypes, or all that match.")
    ] = Candidates.TOP,
    combinations: Annotated[
        bool, typer.Option("--combinations", help="Where nothing matches: combinations of alleles; for research.")
    ] = False,
    research: Annotated[
        list[Research] | None, typer.Option(help="Also call these, for research only, apart from clinical output.")
    ] = None,
    context: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Clinical context of the patients: statements, one JSON object a line."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=256, help="Evaluate in so many processes; the order stays.")] = 1,
) -> None:
    """Evaluate lab results without bus or database: calls, phenotypes and recommendations, one line for each line.

    A line that is no lab result is answered with "outcome": "rejected" and never stops the others. Exit status: 0 when
    every line was evaluated, 1 when any was rejected, 2 for a usage error.
    """
    options = Options(candidates.value, combinations, frozenset(research or ()))
    release = _release(knowledge or Settings.load().knowledge_release)
    known = _contexts(context)
    source = nullcontext(sys.stdin.buffer) if file == "-" else _open(Path(file))
    with source as stream:
        lines = _with_hint(_lines(stream))
        if processes == 1:
            evaluator = Evaluator(_releases().load(release), stage, options, known)
            outcomes: Iterable[Outcome] = map(evaluator.evaluate, lines)
        else:
            outcomes = _in_processes(lines, processes, release, stage, options, known)
        rejected = _write(outcomes)
    raise typer.Exit(Exit.REFUSED if rejected else Exit.DONE)


def _releases() -> Releases:
    return Releases(None, *Settings.load().knowledge_folders)


def _release(name: str | None) -> str:
    releases = _releases()
    try:
        return releases.load(name or releases.newest()).id
    except UnknownRelease:
        raise Failure(
            Exit.USAGE, f"there is no knowledge release {name} here", f"Installed: {', '.join(releases.ids())}."
        ) from None


def _contexts(path: Path | None) -> Contexts:
    if path is None:
        return {}
    with _open(path) as stream:
        try:
            return contexts((f"{path}:{number}", line) for number, line in enumerate(stream, 1) if line.strip())
        except Rejected as error:
            raise Failure(Exit.USAGE, str(error), "Nothing was evaluated.") from None


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Failure(Exit.USAGE, f"{path} cannot be read: {error.strerror}") from None


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines without their ends. Of an endless one no more than a bounded start is kept."""
    while line := stream.readline(_LONGEST_LINE):
        if not line.endswith(b"\n"):
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = stream.readline(_LONGEST_LINE)
        yield line.rstrip(b"\r\n")


def _with_hint(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The same lines; who gives JSON in its printed form is told why each line of it is rejected."""
    for number, line in enumerate(lines):
        if number == 0 and line.strip() in _OPENING:
            print(_SEVERAL_LINES, file=sys.stderr)
        yield line


def _write(outcomes: Iterable[Outcome]) -> int:
    """Writes each outcome as soon as it is known; how many were rejected."""
    output = sys.stdout.buffer
    progress = sys.stderr if sys.stderr.isatty() and not sys.stdout.isatty() else None
    done = rejected = 0
    shown = time.monotonic()
    try:
        for line, accepted in outcomes:
            output.write(line + b"\n")
            output.flush()
            done += 1
            rejected += not accepted
            if progress is not None and (now := time.monotonic()) - shown > _PROGRESS_SECONDS:
                shown = now
                print(f"\r{done:,} evaluated, {rejected:,} of them rejected", end="", file=progress, flush=True)
    except BrokenPipeError:
        raise ReaderGone from None
    if progress is not None:
        print(f"\r{done:,} evaluated, {rejected:,} of them rejected", file=progress)
    return rejected


_evaluator: Evaluator
"""The one of a worker process, made when the process starts."""


def _start_worker(release: str, stage: Stage, options: Options, known: Contexts) -> None:
    global _evaluator
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _evaluator = Evaluator(_releases().load(release), stage, options, known)


def _evaluate_chunk(lines: list[bytes]) -> list[Outcome]:
    return [_evaluator.evaluate(line) for line in lines]


def _in_processes(
    lines: Iterator[bytes], processes: int, release: str, stage: Stage, options: Options, known: Contexts
) -> Iterator[Outcome]:
    """Outcomes in the order of the lines; so many chunks are on their way that no process waits, and no more."""
    pool = ProcessPoolExecutor(processes, initializer=_start_worker, initargs=(release, stage, options, known))
    underway: deque[Future[list[Outcome]]] = deque()
    try:
        for chunk in _chunks(lines):
            underway.append(pool.submit(_evaluate_chunk, chunk))
            if len(underway) > 2 * processes:
                yield from underway.popleft().result()
        while underway:
            yield from underway.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _chunks(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line)
        if len(chunk) == _CHUNK_LINES or size > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
