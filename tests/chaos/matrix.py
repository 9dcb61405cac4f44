"""``python -m tests.chaos.matrix [ROW…]``: the failure matrix row by row, as a table. Exit status 0 when all pass."""

import argparse
import asyncio
import sys
import time

from tests.chaos.machine import machine, missing, no_small_disk
from tests.chaos.rows import ROWS, Row
from tests.chaos.trial import Trials


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.matrix", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="; ".join(f"{row.name}: {row.meaning}" for row in ROWS))
    parser.add_argument("--engine", choices=("faust", "aiokafka"), default="faust")
    arguments = parser.parse_args()
    if reason := missing():
        print(reason, file=sys.stderr)
        return 2
    chosen = [row for row in ROWS if not arguments.rows or row.name in arguments.rows]
    print("| row | fault | lost | doubled | different | recovery | outcome |", flush=True)
    print("|---|---|---:|---:|---:|---:|---|", flush=True)
    kinds = list(dict.fromkeys(row.kind for row in chosen))
    passed = [_on_one_machine([row for row in chosen if row.kind == kind], arguments) for kind in kinds]
    return 0 if all(passed) else 1


def _on_one_machine(rows: list[Row], arguments: argparse.Namespace) -> bool:
    if rows[0].disk is not None and (reason := no_small_disk()):
        for row in rows:
            print(f"| `{row.name}` | {row.meaning} | | | | | left out: {reason} |", flush=True)
        return True
    with machine(**rows[0].kind._asdict()) as here:
        trials = Trials(here)
        passed = [asyncio.run(_line(trials, row, arguments.engine)) for row in rows]
    return all(passed)


async def _line(trials: Trials, row: Row, engine: str) -> bool:
    began = time.monotonic()
    try:
        tried = await trials.attempt(row, engine)
    except Exception as error:
        print(f"| `{row.name}` | {row.meaning} | | | | | failed: {type(error).__name__}: {error} |", flush=True)
        return False
    verdict = tried.verdict
    passed = verdict.clean and not tried.hung and not tried.unasked
    outcome = "passed" if passed else f"failed: {verdict} {tried.hung} {tried.unasked}"
    counts = f"{len(verdict.lost)} | {len(verdict.doubled)} | {len(verdict.different)} | {tried.recovery:.1f} s"
    print(f"| `{row.name}` | {row.meaning} | {counts} | {outcome} |", flush=True)
    print(f"{row.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main())
