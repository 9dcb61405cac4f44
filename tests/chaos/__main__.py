"""``python -m tests.chaos``: a campaign with a progress line and a report. ``make chaos`` calls it.

Exit status 0 when nothing was lost, doubled or different and everything recovered.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from tests.chaos.campaign import ALONE, MOST_IN_A_ROW, Plan, run
from tests.chaos.faults import FAULTS
from tests.chaos.machine import ROOT, missing
from tests.chaos.report import as_object, as_page

_QUIET_SECONDS = 10.0


def main() -> int:
    arguments = _arguments()
    if reason := missing():
        print(reason, file=sys.stderr)
        return 2
    seed = arguments.seed if arguments.seed is not None else int(time.time())
    kills = arguments.kills or (40 if arguments.minutes is None else max(1, round(8 * arguments.minutes)))
    plan = Plan(
        kills=kills, seed=seed, minutes=arguments.minutes, engine=arguments.engine,
        naive=arguments.naive, linked=arguments.linked, only=tuple(arguments.only or ()), inputs=arguments.inputs,
        in_a_row=arguments.in_a_row, alone=arguments.alone,
    )  # fmt: skip
    found = asyncio.run(run(plan, _Progress().tell))
    arguments.report.mkdir(parents=True, exist_ok=True)
    for name, text in (("chaos.json", json.dumps(as_object(found), indent=2) + "\n"), ("chaos.md", as_page(found))):
        (arguments.report / name).write_text(text)
    print(as_page(found))
    print(f"report: {arguments.report / 'chaos.md'} and chaos.json", file=sys.stderr)
    return 0 if found.passed else 1


class _Progress:
    """One line that is written over on a terminal; elsewhere a line now and then."""

    def __init__(self) -> None:
        self._last = 0.0

    def tell(self, what: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{what}")
            sys.stderr.flush()
        elif time.monotonic() - self._last > _QUIET_SECONDS:
            self._last = time.monotonic()
            print(what, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, help="end after so many kills (default: 40, or 8 a minute)")
    parser.add_argument("--seed", type=int, help="the same seed draws the same input and faults (default: the clock)")
    parser.add_argument("--minutes", type=float, help="end after so long, even with fewer kills")
    parser.add_argument("--engine", choices=("faust", "aiokafka"), default="faust")
    parser.add_argument("--linked", action="store_true", help="with links that can be cut and reset as well")
    parser.add_argument("--naive", action="store_true", help="with the consumer as first written: it loses events")
    parser.add_argument("--only", action="append", choices=[fault.name for fault in FAULTS], help="kinds of faults")
    parser.add_argument("--inputs", type=int, help="messages to publish (default: 20 a kill)")
    parser.add_argument("--in-a-row", type=int, default=MOST_IN_A_ROW, help="the most faults before all is waited out")
    parser.add_argument("--alone", type=float, default=ALONE, help="share of faults that are waited out alone")
    parser.add_argument("--report", type=Path, default=ROOT / "build" / "chaos", help="folder (default: build/chaos)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
