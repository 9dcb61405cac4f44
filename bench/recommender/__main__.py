"""CPU time and memory of recommendations: ``python -m bench.recommender``. Milliseconds, medians first."""

import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence

from bench.recommender.patients import Patient, patient
from knowledge.loader import Releases
from services.phenotyper.assignment import Assignment, assign
from services.recommender.guidance import Guidance

RELEASE = "2026.11"
PATIENTS = 300
COLD_STARTS = 5
RUNS = 5
"""Of each warm patient the fastest counts: what else the machine does is not measured."""


def main() -> None:
    if sys.argv[1:] == ["first"]:
        print(first_patient())
        return
    yardstick()
    release = Releases().load(RELEASE)
    patients = [patient(release, seed) for seed in range(PATIENTS)]
    prepared = timed(lambda: Guidance(release), 5)
    show("preparing a release", prepared)

    cold = [float(run_first()) for _ in range(COLD_STARTS)]
    show(f"first patient of a process ({COLD_STARTS} processes)", cold)

    guidance = Guidance(release)
    show("patients while keys are still new", [_one(guidance, p) for p in patients])
    warm = [min(_one(guidance, p) for _ in range(RUNS)) for p in patients]
    counts = [len(guidance.guide(*p).recommendations) for p in patients]
    show(f"patients when their keys were met before ({statistics.mean(counts):.0f} recommendations each)", warm)
    show("phenotypes of a patient", [_timed(lambda p=p: assign(release, p[0])) for p in patients])  # type: ignore[misc]
    memory()


def first_patient() -> float:
    release = Releases().load(RELEASE)
    guidance = Guidance(release)
    return _one(guidance, patient(release, 0))


def run_first() -> str:
    answer = subprocess.run(
        [sys.executable, "-m", "bench.recommender", "first"], check=True, capture_output=True, text=True
    )
    return answer.stdout


def memory() -> None:
    tracemalloc.start()
    release = Releases().load(RELEASE)
    loaded, _ = tracemalloc.get_traced_memory()
    kept: list[object] = [Guidance(release), Assignment(release)]
    prepared, _ = tracemalloc.get_traced_memory()
    guidance = Guidance(release)
    for seed in range(PATIENTS):
        _ = guidance.guide(*patient(release, seed)).recommendations
    used, _ = tracemalloc.get_traced_memory()
    print(f"memory: release {loaded / 1e6:.1f} MB, prepared {prepared / 1e6:.1f} MB, "
          f"with what {PATIENTS} patients left behind {used / 1e6:.1f} MB")  # fmt: skip
    del kept


def _one(guidance: Guidance, one: Patient) -> float:
    return _timed(lambda: guidance.guide(*one).recommendations)


def _timed(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return (time.process_time() - start) * 1e3


def timed(function: Callable[[], object], times: int) -> list[float]:
    return [_timed(function) for _ in range(times)]


def show(name: str, milliseconds: Sequence[float]) -> None:
    ordered = sorted(milliseconds)
    tail = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name}: {statistics.median(ordered):.2f} ms, fastest {ordered[0]:.2f}, 99th percentile {tail:.2f}")


def yardstick() -> None:
    """How fast this machine is now: an empty loop of 100,000 turns (about 1 ms on a current server core)."""

    def loop() -> None:
        for _ in range(100_000):
            pass

    show("yardstick: 100,000 turns of an empty loop", timed(loop, 20))


if __name__ == "__main__":
    main()
