"""``python -m bench.pipeline``: samples a second and latency of the services, beside the floor of the same run."""

import argparse
import asyncio
import sys
from pathlib import Path

from bench.pipeline.floor import HOPS, record
from bench.pipeline.machine import Machine, Watched, machine
from bench.pipeline.measure import Latency, Throughput, latency, throughput, warm_up
from bench.pipeline.samples import lab_results
from bench.pipeline.steps import steps
from knowledge.loader import Releases
from knowledge.release import Release
from runtime.admin import create_topics
from runtime.settings import Settings
from schemas.topics import TOPICS
from services.recommender.migrations import migrate

KINDS = ("different", "repeating")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=400, help="measured samples of each kind")
    parser.add_argument("--latency-samples", type=int, default=200, help="of each kind, four a second")
    parser.add_argument("--engine", choices=("faust", "aiokafka"), default="faust")
    arguments = parser.parse_args()
    releases = Releases()
    release = releases.load(releases.newest())
    with machine() as here:
        _compare(here, release, arguments)
    _print_steps(release)


def _compare(here: Machine, release: Release, arguments: argparse.Namespace) -> None:
    asyncio.run(warm_up(here.settings("warm-up.", arguments.engine)))
    settings = here.settings("pipeline.", arguments.engine)
    services = here.services(settings)
    values = {kind: list(lab_results(release, arguments.samples, kind, kind)) for kind in KINDS}
    few = {
        kind: list(lab_results(release, arguments.latency_samples, kind, f"late-{kind}", first=arguments.samples))
        for kind in KINDS
    }
    asyncio.run(throughput(settings, _others(release, arguments), "before", services))
    ours = {kind: asyncio.run(throughput(settings, values[kind], kind, services)) for kind in KINDS}
    our_latency = {kind: asyncio.run(latency(settings, few[kind], f"late-{kind}")) for kind in KINDS}
    peaks = {one.name: one.peak_megabytes() for one in services}
    here.stop(services)
    print(f"engine {arguments.engine}, {arguments.samples} samples of {len(values['different'][0]):,} bytes")
    for kind in KINDS:
        _print(kind, ours[kind], _floor(here, settings, kind, values[kind]))
    for kind in KINDS:
        _print_latency(kind, our_latency[kind], _floor_latency(here, settings, f"late-{kind}", few[kind]))
    for name, megabytes in peaks.items():
        print(f"peak memory of the {name}: {megabytes:.0f} MB")


def _others(release: Release, arguments: argparse.Namespace) -> list[bytes]:
    """Samples that are not measured: a broker compiles itself meanwhile, which takes as much as the services do, and
    would be a burden of the services alone, which are measured before the floor."""
    seen = arguments.samples + arguments.latency_samples
    return list(lab_results(release, arguments.samples, "different", "before", first=seen))


def _floor(here: Machine, done: Settings, kind: str, values: list[bytes]) -> Throughput:
    settings, relays = _relays(here, done, kind, len(values))
    measured = asyncio.run(throughput(settings, values, kind, relays))
    here.stop(relays)
    return measured


def _floor_latency(here: Machine, done: Settings, run: str, values: list[bytes]) -> dict[str, Latency]:
    settings, relays = _relays(here, done, run, len(values))
    measured = asyncio.run(latency(settings, values, run))
    here.stop(relays)
    return measured


def _relays(here: Machine, done: Settings, kind: str, count: int) -> tuple[Settings, list[Watched]]:
    """Topics and tables of their own, and three relays that know what the pipeline made of each sample."""
    settings = here.settings(f"floor-{kind}.", done.stream_engine)
    asyncio.run(create_topics(settings, TOPICS))
    asyncio.run(migrate(settings))
    recording = here.folder / f"{kind}.recording"
    asyncio.run(record(done, [f"bench/p-{kind}-{number}" for number in range(count)])).save(recording)
    return settings, [_relay(here, settings, hop, recording) for hop in range(len(HOPS))]


def _relay(here: Machine, settings: Settings, hop: int, recording: Path) -> Watched:
    command = [sys.executable, "-m", "bench.pipeline.floor", str(hop), str(recording)]
    return here.start(f"floor-{hop}", command, settings)


def _print(kind: str, ours: Throughput, floor: Throughput) -> None:
    ratio = ours.samples_a_second / floor.samples_a_second
    print(f"{kind}: {ours.samples_a_second:.1f} samples/s; floor {floor.samples_a_second:.1f}; ratio {ratio:.2f}")
    for of, taken in (("services", ours.milliseconds), ("floor", floor.milliseconds)):
        named = ", ".join(f"{name} {milliseconds:.1f}" for name, milliseconds in taken.items())
        print(f"  processor milliseconds a sample, {of}: {named}")


def _print_latency(kind: str, ours: dict[str, Latency], floor: dict[str, Latency]) -> None:
    print(f"{kind}: milliseconds from publishing to each topic, p50 / p99")
    for name, there in ours.items():
        print(f"  {name:24} {_milliseconds(there)}; floor {_milliseconds(floor[name])}")


def _milliseconds(measured: Latency) -> str:
    return f"{measured.p50:4.0f} / {measured.p99:4.0f}"


def _print_steps(release: Release) -> None:
    for kind in KINDS:
        values = list(lab_results(release, 60, kind, kind))
        taken = steps(values, [f"bench/p-{kind}-{number}" for number in range(len(values))])
        print(f"{kind}, milliseconds a sample of each step alone:")
        for name, milliseconds in taken.items():
            print(f"  {milliseconds:7.2f}  {name}")


if __name__ == "__main__":
    main()
