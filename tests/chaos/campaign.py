"""A seeded random campaign: a run without faults, the same input under faults, and both held against each other."""

import asyncio
import importlib.metadata
import os
import platform
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from knowledge.loader import Releases
from tests.chaos.deployment import Deployment, NotSettled
from tests.chaos.faults import FAULTS, Fault, Scene
from tests.chaos.machine import ROOT, Machine, machine
from tests.chaos.oracle import Observed, Verdict, judge
from tests.chaos.workload import ORDINARY, Input, Mix, inputs
from tests.support.kafka_server import VERSION as KAFKA_VERSION

COPIES = {"genotyper": 2, "phenotyper": 1, "recommender": 2}
_INPUTS_A_KILL = 20
_SETTLE_SECONDS = 240.0
ALONE = 0.45
"""Share of bursts that are one fault alone, so that the time to recover from each kind is known."""
MOST_IN_A_ROW = 7

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign is to do."""

    kills: int
    seed: int
    minutes: float | None = None
    """End after so long, even with fewer kills."""
    engine: str = "faust"
    naive: bool = False
    linked: bool = False
    only: tuple[str, ...] = ()
    """Kinds of faults; none named: all."""
    even: bool = False
    """Each kind as often as the others, so that a short campaign has all of them."""
    inputs: int | None = None
    alone: float = ALONE
    """Share of bursts of one fault; in the others several follow one another before all is waited out."""
    in_a_row: int = MOST_IN_A_ROW
    """The most faults of a burst."""
    copies: tuple[tuple[str, int], ...] = tuple(COPIES.items())
    mix: Mix = ORDINARY


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that happened, and the seconds until everything published by then had come out at the end."""

    kind: str
    what: str
    recovery: float | None
    """None where other faults followed before."""


@dataclass(slots=True)
class Campaign:
    """What a campaign found."""

    plan: Plan
    versions: dict[str, str]
    inputs: int = 0
    happened: list[Happened] = field(default_factory=list)
    missed: int = 0
    """Faults whose occasion did not come."""
    unasked: list[str] = field(default_factory=list)
    """Services that ended without a fault asking for it, though they came back."""
    hung: list[str] = field(default_factory=list)
    not_settled: str | None = None
    verdict: Verdict = field(default_factory=Verdict)
    deliveries: dict[str, tuple[int, int]] = field(default_factory=dict)
    effects: int = 0
    letters: int = 0
    published: int = 0
    dump_lines: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    reference: Observed = field(default_factory=Observed)
    """The run without faults."""

    @property
    def kills(self) -> int:
        kinds = {fault.name for fault in FAULTS if fault.kill}
        return sum(one.kind in kinds for one in self.happened)

    @property
    def passed(self) -> bool:
        return self.verdict.clean and self.not_settled is None and not self.hung


async def run(plan: Plan, tell: Tell) -> Campaign:
    """Both runs and the verdict."""
    with machine(linked=plan.linked) as here:
        return await run_on(here, plan, tell)


async def run_on(here: Machine, plan: Plan, tell: Tell, reference: Observed | None = None) -> Campaign:
    """The same, on a machine that is there; ``reference``: the run without faults, where the same input had one."""
    releases = Releases()
    release = releases.load(releases.newest())
    made = inputs(release, plan.seed, plan.inputs or max(200, plan.kills * _INPUTS_A_KILL), plan.mix)
    found = Campaign(plan, await versions(here, release.id), len(made))
    tell(f"{len(made)} messages; the run without faults")
    began = time.monotonic()
    found.reference = reference or await undisturbed(here, plan, made)
    found.seconds["reference"] = time.monotonic() - began
    began = time.monotonic()
    seen = await _disturbed(here, plan, made, found, tell)
    found.seconds["campaign"] = time.monotonic() - began
    found.verdict = judge(made, seen, found.reference)
    found.deliveries = seen.deliveries
    found.effects, found.letters = len(set(seen.applied)), len(seen.letters)
    found.published, found.dump_lines = len({(p.patient, p.sequence) for p in seen.published}), len(seen.dump)
    return found


async def undisturbed(here: Machine, plan: Plan, made: Sequence[Input], orders: tuple[str, ...] = ()) -> Observed:
    """What a run without faults leaves behind. It is held against its own input first: the oracle's own check."""
    deployment = Deployment(here, f"reference{plan.seed}", plan.engine, orders)
    try:
        await deployment.start(dict.fromkeys(COPIES, 1))
        for start in range(0, len(made), 200):
            await deployment.publish(made[start : start + 200])
        await deployment.settle(3600)
        await deployment.stop()
        seen = await deployment.observe()
    finally:
        await deployment.abandon()
    return seen


async def _disturbed(here: Machine, plan: Plan, made: Sequence[Input], found: Campaign, tell: Tell) -> Observed:
    name = f"{'naive' if plan.naive else 'faults'}{plan.seed}"
    deployment = Deployment(here, name, plan.engine, ("naive",) if plan.naive else ())
    draw = random.Random(plan.seed)
    try:
        await deployment.start(dict(plan.copies))
        await deployment.settle(_SETTLE_SECONDS)
        await _faults(Scene(deployment, draw, goes_on=plan.naive), plan, made, found, tell)
        await deployment.settle(_SETTLE_SECONDS)
    except NotSettled as error:
        found.not_settled = str(error)
    finally:
        await deployment.stop()
        await deployment.abandon()
    found.hung = deployment.fleet.hung
    found.unasked = [f"{end.copy} with status {end.status}" for end in deployment.fleet.failures]
    return await deployment.observe()


async def _faults(scene: Scene, plan: Plan, made: Sequence[Input], found: Campaign, tell: Tell) -> None:
    """Bursts of faults, the input spread over them, each burst waited out."""
    kinds = [
        fault for fault in FAULTS if (not plan.only or fault.name in plan.only) and (plan.linked or not fault.linked)
    ]
    deck = _deck(kinds, plan.even, scene.draw)
    began, published = time.monotonic(), 0
    counts_kills = any(fault.kill for fault in kinds)

    def done() -> float:
        reached = (found.kills if counts_kills else len(found.happened)) / plan.kills
        past = 0.0 if plan.minutes is None else (time.monotonic() - began) / (60 * plan.minutes)
        return min(1.0, max(reached, past))

    while done() < 1.0:
        size = 1 if scene.draw.random() < plan.alone else scene.draw.randint(2, plan.in_a_row)
        share = max(published, round(len(made) * done()) + len(made) * size // plan.kills)
        scene.to_come = made[published : min(share, len(made))]
        published += len(scene.to_come)
        await scene.flow(len(scene.to_come) // 3)
        struck = time.monotonic()
        burst = [await _one(fault, scene, found) for fault in islice(deck, size)]
        await scene.flow(len(scene.to_come))
        await scene.deployment.settle(_SETTLE_SECONDS)
        recovery = time.monotonic() - struck
        for fault, what, lasted in (one for one in burst if one[1] is not None):
            alone = len(burst) == 1
            found.happened.append(Happened(fault.name, what or "", recovery - lasted if alone else None))
        tell(
            f"{found.kills} of {plan.kills} kills, {len(found.happened)} faults, {published} of {len(made)} messages,"
            f" {(time.monotonic() - began) / 60:.1f} min; {burst[-1][0].name} ({burst[-1][1]}): {recovery:.0f} s"
        )
    await scene.deployment.publish(made[published:])


def _deck(kinds: Sequence[Fault], even: bool, draw: random.Random) -> Iterator[Fault]:
    """Faults without end, each kind by its weight: dealt like cards, so that none is long in coming."""
    while True:
        cards = [fault for fault in kinds for _ in range(1 if even else fault.weight)]
        draw.shuffle(cards)
        yield from cards


async def _one(fault: Fault, scene: Scene, found: Campaign) -> tuple[Fault, str | None, float]:
    """One fault; the seconds that it lasted by intent are not counted as recovery."""
    began = time.monotonic()
    what = await fault.happen(scene)
    lasted = time.monotonic() - began
    if what is None:
        found.missed += 1
    await asyncio.sleep(scene.draw.uniform(0.0, 2.0))
    return fault, what, lasted


async def versions(here: Machine, release: str) -> dict[str, str]:
    """What was run on what."""
    connection = await here.database.connect("pgx")
    server = await connection.fetchval("SHOW server_version")
    await connection.close()
    packages = ("pgx-pipeline", "faust-streaming", "aiokafka", "asyncpg")
    return {
        "commit": _commit(),
        **{package: importlib.metadata.version(package) for package in packages},
        "knowledge release": release,
        "Apache Kafka": KAFKA_VERSION,
        "PostgreSQL": server,
        "Python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"
