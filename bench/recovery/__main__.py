"""``python -m bench.recovery``: back at work after a kill, taken over after a kill, and catching up."""

import argparse
import asyncio
import signal
import statistics
import time
from collections.abc import Sequence

from bench.recovery.flow import STAGES, Output, live, small
from tests.chaos.deployment import Deployment
from tests.chaos.machine import Machine, machine, missing

LIVE_RATE = 20.0
"""Results a second while services are killed: 1.7 million a day."""
RESTART_SECONDS = 1.0
_SETTLE_SECONDS = 600.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.recovery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="kills of each service")
    parser.add_argument("--backlog", type=int, default=5_000, help="results queued during the outage")
    parser.add_argument("--engine", choices=("faust", "aiokafka"), default="faust")
    arguments = parser.parse_args()
    if reason := missing():
        raise SystemExit(reason)
    with machine() as here:
        print(f"engine {arguments.engine}, {LIVE_RATE:.0f} results a second while services are killed", flush=True)
        asyncio.run(restarted(here, arguments.engine, arguments.rounds))
        asyncio.run(taken_over(here, arguments.engine, arguments.rounds))
        asyncio.run(catch_up(here, arguments.engine, arguments.backlog))


async def restarted(here: Machine, engine: str, rounds: int) -> None:
    """One copy of each service, killed and started again after a second: until its next output."""
    deployment = Deployment(here, "restarted", engine)
    try:
        await deployment.start(dict.fromkeys(STAGES, 1))
        await deployment.settle(_SETTLE_SECONDS)
        async with Output(deployment) as output:
            for stage in STAGES:
                [copy] = deployment.fleet.of(stage)
                copy.restart_after = RESTART_SECONDS
                taken = []
                for round_ in range(rounds):
                    async with live(deployment, LIVE_RATE, 1_000_000 * (1 + STAGES.index(stage)) + 10_000 * round_):
                        await output.grows(stage, await output.of(stage) + 10)
                        copy.excused = True
                        copy.signal(signal.SIGKILL)
                        killed = time.monotonic()
                        await copy.ended.wait()
                        # What the killed process had in flight is out by now.
                        await asyncio.sleep(RESTART_SECONDS / 2)
                        taken.append(await output.grows(stage, await output.of(stage)) - killed)
                    await deployment.settle(_SETTLE_SECONDS)
                print(f"{stage} killed, started again after {RESTART_SECONDS:.0f} s: {_seconds(taken)}", flush=True)
        await deployment.stop()
    finally:
        await deployment.abandon()


async def taken_over(here: Machine, engine: str, rounds: int) -> None:
    """Two copies of each service, one killed for good: until what is published on every partition comes out again."""
    deployment = Deployment(here, "takenover", engine)
    try:
        await deployment.start(dict.fromkeys(STAGES, 2))
        await deployment.settle(_SETTLE_SECONDS)
        for stage in STAGES:
            taken = []
            for round_ in range(rounds):
                victim = deployment.fleet.of(stage)[0]
                killed = time.monotonic()
                await deployment.fleet.remove(victim, signal.SIGKILL)
                await deployment.settle(_SETTLE_SECONDS)
                taken.append(time.monotonic() - killed)
                deployment.fleet.add(stage, f"{stage}-again-{round_}")
                await deployment.settle(_SETTLE_SECONDS)
            print(f"{stage} killed for good, its partitions at work again: {_seconds(taken)}", flush=True)
        await deployment.stop()
    finally:
        await deployment.abandon()


async def catch_up(here: Machine, engine: str, backlog: int) -> None:
    """All services away while results queue up; then the rate at which the store takes them in."""
    deployment = Deployment(here, "catchup", engine)
    try:
        await deployment.start({})
        for start in range(0, backlog, 500):
            await deployment.publish(small(number) for number in range(start, min(start + 500, backlog)))
        async with Output(deployment) as output:
            began = time.monotonic()
            for stage in STAGES:
                deployment.fleet.add(stage, f"{stage}-1")
            first = await output.grows("recommender", 0)
            last = await output.grows("recommender", backlog - 1, _SETTLE_SECONDS)
        rate = backlog / (last - first)
        print(
            f"{backlog} queued results: the first in the store after {first - began:.1f} s, then {rate:.0f} a second,"
            f" {rate / LIVE_RATE:.0f} times the live rate",
            flush=True,
        )
        await deployment.stop()
    finally:
        await deployment.abandon()


def _seconds(taken: Sequence[float]) -> str:
    return f"median {statistics.median(taken):.1f} s, longest {max(taken):.1f} s of {len(taken)}"


if __name__ == "__main__":
    main()
