"""One row of the matrix tried out: the input without the fault, then with it, held against each other."""

import random
import time
from dataclasses import dataclass

from knowledge.loader import Releases
from runtime.exits import Exit
from tests.chaos.campaign import Plan, undisturbed
from tests.chaos.deployment import Deployment
from tests.chaos.faults import Scene
from tests.chaos.machine import Machine
from tests.chaos.oracle import Observed, Verdict, judge
from tests.chaos.rows import MESSAGES, Row
from tests.chaos.workload import inputs

SEED = 20_261_125
_LAST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a row."""

    row: Row
    verdict: Verdict
    hung: list[str]
    unasked: list[str]
    recovery: float
    """Seconds from the end of a fault until everything published had come out, the longest of the row."""


class Trials:
    """Tries rows on one machine; runs without faults are made once for each kind of input."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._references: dict[object, Observed] = {}
        self._tried = 0

    async def attempt(self, row: Row, engine: str = "faust") -> Tried:
        """The row's fault on a deployment of its own."""
        self._tried += 1
        releases = Releases()
        made = inputs(releases.load(releases.newest()), SEED, MESSAGES, row.mix)
        orders = () if row.bug is None else (f"bug {row.bug.stage} {row.bug.text}",)
        if (row.mix, row.bug) not in self._references:
            plan = Plan(0, SEED + self._tried, engine=engine)
            self._references[row.mix, row.bug] = await undisturbed(self._machine, plan, made, orders)
        name = f"row{self._tried}"
        deployment = Deployment(self._machine, name, engine, orders)
        try:
            await deployment.start(dict(row.copies))
            await deployment.settle(_LAST_SECONDS)
            scene = Scene(deployment, random.Random(SEED), made)
            await row.happen(scene)
            over = time.monotonic()
            await scene.flow(len(scene.to_come))
            await deployment.settle(_LAST_SECONDS)
            scene.recoveries.append(time.monotonic() - over)
            await deployment.stop()
            seen = await deployment.observe()
        finally:
            await deployment.abandon()
        verdict = judge(made, seen, self._references[row.mix, row.bug], row.bug)
        borne = {Exit.UNREACHABLE} if row.outlasts else set()
        failures = [end for end in deployment.fleet.failures if end.status not in borne]
        unasked = [f"{end.copy} with status {end.status}" for end in failures]
        return Tried(row, verdict, deployment.fleet.hung, unasked, max(scene.recoveries))
