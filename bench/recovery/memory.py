"""``python -m bench.recovery.memory``: memory of each service while it works off many queued small results.

Exit status 1 when a service needs more than 200 MB, or grows: more than 2 MB for 10,000 results in the second half.
``--slow-database``: a fifth of the results comes first at full speed, so that the rates say how much slower it got.
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
        "--slow-database",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="each answer of PostgreSQL takes longer by this",
    )
    arguments = parser.parse_args()
    if reason := missing():
        raise SystemExit(reason)
    with machine(linked=bool(arguments.slow_database)) as here:
        return 0 if asyncio.run(measured(here, arguments)) else 1


async def measured(here: Machine, arguments: argparse.Namespace) -> bool:
    deployment = Deployment(here, "memory", arguments.engine)
    samples: dict[str, list[Sample]] = {stage: [] for stage in STAGES}
    slow = arguments.slow_database
    try:
        await deployment.start({})
        fast = arguments.results // 5 if slow else arguments.results
        rates = [await _worked_off(deployment, 0, fast, samples)]
        if slow:
            here.links["database"].order(f"slow {slow / 2}")
            rates.append(await _worked_off(deployment, fast, arguments.results, samples))
        await deployment.stop()
    finally:
        await deployment.abandon()
    said = f"{arguments.results} results, engine {arguments.engine}: {rates[0]:.0f} a second"
    print(said + (f", then {rates[1]:.0f} with a slower database, {rates[0] / rates[1]:.1f} times" if slow else ""))
    judged = [_judged(stage, found) for stage, found in samples.items()]
    return all(judged)


async def _worked_off(deployment: Deployment, begin: int, end: int, samples: dict[str, list[Sample]]) -> float:
    """Publish results all at once and have them worked off by one copy of each service; results a second."""
    for start in range(begin, end, 1000):
        await deployment.publish(small(number, PATIENTS) for number in range(start, min(end, start + 1000)))
    copies = {
        stage: deployment.fleet.copies.get(f"{stage}-1") or deployment.fleet.add(stage, f"{stage}-1")
        for stage in STAGES
    }
    async with Output(deployment) as output:
        first = await output.grows("recommender", begin)
        done = started = await output.of("recommender")
        while done < end:
            if time.monotonic() - first > _LONGEST_SECONDS:
                raise TimeoutError(f"{done} of {end} results after {_LONGEST_SECONDS:.0f} s")
            await asyncio.sleep(1.0)
            for stage, copy in copies.items():
                if copy.running and copy.process is not None:
                    samples[stage].append((await output.of(stage), _megabytes(copy.process.pid)))
            done = await output.of("recommender")
    return (end - started) / max(1.0, time.monotonic() - first)


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
