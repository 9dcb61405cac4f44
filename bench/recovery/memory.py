"""``python -m bench.recovery.memory``: memory of each service while it works off many queued small results.

Exit status 1 when a service needs more than 200 MB, or grows: more than 2 MB for 10,000 results in the second half.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence

from bench.recovery.flow import STAGES, Output, small
from tests.chaos.deployment import Deployment
from tests.chaos.machine import Machine, machine, missing

MOST_MEGABYTES = 200.0
MOST_SLOPE = 2.0
PATIENTS = 20_000
_LONGEST_SECONDS = 7200.0

Sample = tuple[int, float]
"""Results in the store, and resident megabytes."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.recovery.memory", description=__doc__)
    parser.add_argument("--results", type=int, default=100_000)
    parser.add_argument("--engine", choices=("faust", "aiokafka"), default="faust")
    parser.add_argument(
        "--slow-database", type=float, default=0.0, metavar="SECONDS", help="every transaction takes so much longer"
    )
    arguments = parser.parse_args()
    if reason := missing():
        raise SystemExit(reason)
    with machine() as here:
        return 0 if asyncio.run(measured(here, arguments)) else 1


async def measured(here: Machine, arguments: argparse.Namespace) -> bool:
    orders = (f"slow:{arguments.slow_database} written 1",) if arguments.slow_database else ()
    deployment = Deployment(here, "memory", arguments.engine, orders)
    samples: dict[str, list[Sample]] = {stage: [] for stage in STAGES}
    try:
        await deployment.start({})
        for start in range(0, arguments.results, 1000):
            await deployment.publish(small(start + number, PATIENTS) for number in range(1000))
        copies = {stage: deployment.fleet.add(stage, f"{stage}-1") for stage in STAGES}
        began, done = time.monotonic(), 0
        async with Output(deployment) as output:
            while done < arguments.results and time.monotonic() - began < _LONGEST_SECONDS:
                await asyncio.sleep(1.0)
                for stage, copy in copies.items():
                    if copy.running and copy.process is not None:
                        samples[stage].append((await output.of(stage), _megabytes(copy.process.pid)))
                done = await output.of("recommender")
        took = time.monotonic() - began
        await deployment.stop()
    finally:
        await deployment.abandon()
    print(f"{done} results in {took:.0f} s, engine {arguments.engine}, database slowed by {arguments.slow_database} s")
    judged = [_judged(stage, found) for stage, found in samples.items()]
    return all(judged)


def _judged(stage: str, samples: Sequence[Sample]) -> bool:
    peak = max(megabytes for _, megabytes in samples)
    working = [sample for sample in samples if sample[0] < samples[-1][0]]
    slope = _slope(working[len(working) // 2 :])
    print(f"{stage}: at most {peak:.0f} MB, {slope:+.2f} MB for 10,000 results in the second half")
    return peak < MOST_MEGABYTES and slope < MOST_SLOPE


def _slope(samples: Sequence[Sample]) -> float:
    """Megabytes for 10,000 results, by least squares; 0 where there is nothing to fit."""
    if len(samples) < 3:
        return 0.0
    x_mean = sum(x for x, _ in samples) / len(samples)
    y_mean = sum(y for _, y in samples) / len(samples)
    spread = sum((x - x_mean) ** 2 for x, _ in samples)
    return 10_000 * sum((x - x_mean) * (y - y_mean) for x, y in samples) / spread if spread else 0.0


def _megabytes(pid: int) -> float:
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return int(shown.strip() or 0) / 1024


if __name__ == "__main__":
    sys.exit(main())
