"""The failure matrix: one row for each fault and service, as something that can be tried alone."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import aiohttp
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from cli.embedded.guarded import free_port
from runtime.kafka import client_options
from schemas.topics import DEAD_LETTER
from tests.chaos import faults
from tests.chaos.faults import Scene
from tests.chaos.fleet import ended
from tests.chaos.machine import Cluster, Node
from tests.chaos.oracle import Bug
from tests.chaos.points import STAGES, points_of
from tests.chaos.workload import BUG, Mix

MESSAGES = 160
_PATIENCE_SECONDS = 120.0

POISONED = Mix(poison=0.1)

Happen = Callable[[Scene], Awaitable[None]]


class Kind(NamedTuple):
    """What a machine is made with."""

    linked: bool
    disk: str | None
    clustered: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the matrix. ``happen`` makes the fault happen while input flows, and asserts what only it can see."""

    name: str
    meaning: str
    happen: Happen
    linked: bool = False
    disk: str | None = None
    """Whose disk is a small one: the broker's or the database's."""
    clustered: bool = False
    """Three brokers."""
    mix: Mix = POISONED
    bug: Bug | None = None
    copies: tuple[tuple[str, int], ...] = tuple((stage, 1) for stage in STAGES)
    outlasts: bool = False
    """The fault may last longer than the services' patience: then they end with status 4 and are started again."""

    @property
    def kind(self) -> Kind:
        """What machine it needs."""
        return Kind(self.linked, self.disk, self.clustered)


async def _points(scene: Scene, stage: str) -> None:
    [copy] = scene.deployment.fleet.of(stage)
    # Rubbish becomes a dead letter in the genotyper only.
    for point in points_of(stage, poison=stage == "genotyper"):
        reached = await faults.order(scene, copy, "kill", point.name, 1)
        assert reached, f"{stage} never passed {point.name}"
        await _back(scene)


async def _shell(scene: Scene, stage: str) -> None:
    [copy] = scene.deployment.fleet.of(stage)
    for point in ("before-send", "before-ack"):
        assert await faults.order(scene, copy, "raise", point, 2)
        assert scene.deployment.fleet.ends[-1].status == 1
        await _back(scene)


async def _stop(scene: Scene, stage: str) -> None:
    [copy] = scene.deployment.fleet.of(stage)
    for _ in range(2):
        await scene.flow(20)
        copy.ended.clear()
        copy.signal(signal.SIGTERM)
        assert await ended(copy, 40.0), f"{stage} did not stop"
        assert scene.deployment.fleet.ends[-1].status in (0, -signal.SIGTERM)
        await _back(scene)


async def _brokerless_stop(scene: Scene) -> None:
    """Every service is told to stop while the broker is away, its last positions uncommitted, and started again."""
    broker, fleet = scene.deployment.machine.broker, scene.deployment.fleet
    await scene.flow(40)
    await _back(scene)
    await asyncio.to_thread(broker.stop)
    copies = list(fleet.copies.values())
    for copy in copies:
        copy.ended.clear()
        copy.signal(signal.SIGTERM)
    for copy in copies:
        if not await ended(copy, 40.0):
            fleet.give_up(copy)
    await asyncio.to_thread(broker.start)
    await _back(scene)


async def _pause(scene: Scene, stage: str) -> None:
    """A second copy takes over from one that stands still past its session and then goes on."""
    first = scene.deployment.fleet.of(stage)[0]
    scene.deployment.fleet.add(stage, f"{stage}-2")
    await _back(scene)
    await scene.flow(40)
    first.excused = True
    first.signal(signal.SIGSTOP)
    await scene.flow(20)
    await _back(scene)
    first.signal(signal.SIGCONT)
    await scene.flow(40)


async def _storm(scene: Scene, stage: str) -> None:
    """Copies join and leave every 2 s."""
    fleet = scene.deployment.fleet
    for number in range(8):
        await scene.flow(10)
        if len(fleet.of(stage)) < 4 and (number < 3 or scene.draw.random() < 0.5):
            fleet.add(stage, f"{stage}-storm-{number}", static=number % 2 == 0)
        elif len(fleet.of(stage)) > 1:
            leaving = fleet.of(stage)[-1]
            await fleet.remove(leaving, scene.draw.choice((signal.SIGTERM, signal.SIGKILL)))
        await asyncio.sleep(2.0)


async def _database_away(scene: Scene) -> None:
    """Stopped for 30 s: the service is not ready, and is again by itself."""
    await scene.flow(40)
    port = free_port()
    copy = scene.deployment.fleet.add("recommender", "recommender-watched", PGX_HTTP_PORT=str(port))
    await _answers(port, 200)
    stopping = asyncio.create_task(faults.database_stop(scene, 30.0))
    await _answers(port, 503)
    await scene.flow(20)
    await stopping
    await _answers(port, 200)
    assert copy.running
    await scene.flow(20)


async def _terminated(scene: Scene) -> None:
    happened = 0
    for _ in range(8):
        happened += await faults.connections_terminated(scene) is not None
    assert happened, "no transaction was met"


async def _slow(scene: Scene) -> None:
    """Both links take 0.05 s for each piece."""
    for link in scene.deployment.machine.links.values():
        link.order("slow 0.05")
    await scene.flow(60)
    await asyncio.sleep(5.0)
    for link in scene.deployment.machine.links.values():
        link.order("heal")


async def _cut(scene: Scene, name: str) -> None:
    for seconds in (3.0, 20.0):
        await scene.flow(30)
        scene.deployment.machine.links[name].order("cut")
        await asyncio.sleep(seconds)
        scene.deployment.machine.links[name].order("heal")
        await _back(scene)


async def _reset(scene: Scene) -> None:
    for _ in range(3):
        for link in scene.deployment.machine.links.values():
            await scene.flow(10)
            link.order("reset")
            await asyncio.sleep(0.5)


async def _no_letters_topic(scene: Scene) -> None:
    """The dead-letter topic is gone while rubbish comes: nothing is acknowledged until it is there again."""
    settings = scene.deployment.settings
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    await admin.delete_topics([settings.topic(DEAD_LETTER)])
    await admin.close()
    await scene.flow(60)
    await asyncio.sleep(10.0)
    await scene.deployment.pgx("setup")


async def _clock(scene: Scene) -> None:
    """The clocks of the services jump by a day, to and fro."""
    for seconds in (86_400, -86_400, 0):
        for copy in scene.deployment.fleet.copies.values():
            copy.order(f"clock {seconds}")
        await scene.flow(30)
        await _back(scene)


async def _coordinator(scene: Scene) -> None:
    """The broker that coordinates a service's group ends, for each service; another has to take its place."""
    cluster = scene.deployment.machine.broker
    assert isinstance(cluster, Cluster)
    for stage in STAGES:
        await scene.flow(20)
        node = await _coordinating(scene, cluster, scene.deployment.settings.group(stage))
        await asyncio.to_thread(node.kill)
        await scene.flow(20)
        await _back(scene)
        assert await _coordinating(scene, cluster, scene.deployment.settings.group(stage)) is not node
        await asyncio.to_thread(node.start)
        await _back(scene)


async def _coordinating(scene: Scene, cluster: Cluster, group: str) -> Node:
    """The broker that coordinates the group, once one does."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        admin = AIOKafkaAdminClient(**client_options(scene.deployment.settings))
        try:
            await admin.start()
            number = await admin.find_coordinator(group)
            return next(node for node in cluster.nodes if node.number == number)
        except KafkaError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)
        finally:
            await admin.close()


async def _slow_consumer(scene: Scene) -> None:
    """Every transaction of the recommender takes a fifth of a second more: what waits stays with the broker."""
    [copy] = scene.deployment.fleet.of("recommender")
    copy.order("slow:0.2 written 1")
    await scene.flow(MESSAGES)
    await _back(scene)


async def _four_times(scene: Scene) -> None:
    everything = tuple(scene.to_come)
    for _ in range(3):
        await scene.deployment.publish(one for one in everything if one.cause is not None)
    scene.to_come = everything


async def _disk(scene: Scene) -> None:
    """Not a byte can be written for a while; what ended of it is started again when there is room."""
    machine = scene.deployment.machine
    assert machine.disk is not None
    ballast = machine.disk / "ballast"
    await scene.flow(40)
    with contextlib.suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(b"\0" * 4096)
            file.flush()
    publishing = asyncio.create_task(scene.flow(60))
    await asyncio.sleep(10.0)
    ballast.unlink()
    for server in (machine.broker, machine.database):
        if not server.running:
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
    await publishing


async def _nothing(scene: Scene) -> None:
    await scene.flow(MESSAGES)


def _one(fault: Callable[[Scene], Awaitable[str | None]], times: int = 2) -> Happen:
    async def happen(scene: Scene) -> None:
        for _ in range(times):
            await scene.flow(25)
            assert await fault(scene)
            await _back(scene)

    return happen


async def _back(scene: Scene) -> None:
    scene.recoveries.append(await scene.deployment.settle(_PATIENCE_SECONDS))


async def _answers(port: int, wanted: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    async with aiohttp.ClientSession() as client:
        while time.monotonic() < deadline:
            try:
                async with client.get(f"http://127.0.0.1:{port}/readyz") as response:
                    if response.status == wanted:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
    raise AssertionError(f"/readyz never answered {wanted}")


def _for_each(name: str, meaning: str, happen: Callable[[Scene, str], Awaitable[None]]) -> Sequence[Row]:
    def of(stage: str) -> Happen:
        return lambda scene: happen(scene, stage)

    return [Row(f"{name}-{stage}", f"{meaning}: {stage}", of(stage)) for stage in STAGES]


ROWS: tuple[Row, ...] = (
    *_for_each("points", "SIGKILL at every numbered step", _points),
    *_for_each("stop", "SIGTERM under load, exit within its grace", _stop),
    *_for_each("shell", "the code around the domain raises: the process ends, the event comes again", _shell),
    *(
        Row(
            f"bug-{stage}",
            f"the domain code fails for one event in twenty, which alone becomes a dead letter: {stage}",
            _nothing,
            mix=Mix(bugs=0.05),
            bug=Bug(stage, BUG),
        )
        for stage in STAGES
    ),
    *_for_each("pause", "a copy stands still past its session while another takes over, then goes on", _pause),
    *_for_each("storm", "one to four copies join and leave every 2 s", _storm),
    Row("database-away", "PostgreSQL is stopped for 30 s; `/readyz` says so meanwhile", _database_away),
    Row("database-kill", "PostgreSQL is killed and started", _one(faults.database_kill)),
    Row("backend-kill", "one PostgreSQL backend is killed: all connections are reset", _one(faults.backend_kill)),
    Row("terminated", "connections are ended inside their transactions", _terminated),
    Row("broker-kill", "the broker is killed and started", _one(faults.broker_kill)),
    Row("broker-restart", "the broker is stopped and started", _one(faults.broker_restart)),
    Row("stop-without-broker", "SIGTERM to every service while the broker is away, exit in order", _brokerless_stop),
    Row("cut-broker", "the network to the broker is cut for 3 and 20 s", lambda s: _cut(s, "broker"), linked=True),
    Row("cut-database", "the network to PostgreSQL is cut for 3 and 20 s", lambda s: _cut(s, "database"), linked=True),
    Row("slow-links", "every piece takes 50 ms more to broker and database", _slow, linked=True),
    Row("reset-links", "all connections are reset again and again", _reset, linked=True),
    Row("letters-topic", "the dead-letter topic is gone for a while", _no_letters_topic, outlasts=True),
    Row("duplicates", "every event is published four times", _four_times),
    Row(
        "disk-broker",
        "the broker's disk is full for 10 s; it is started again if it ended",
        _disk,
        disk="broker",
        outlasts=True,
    ),
    Row(
        "disk-database",
        "PostgreSQL's disk is full for 10 s; it is started again if it ended",
        _disk,
        disk="database",
        outlasts=True,
    ),
    Row(
        "coordinator",
        "of three brokers the one that coordinates the group is killed, and started again: each service",
        _coordinator,
        clustered=True,
    ),
    Row("slow-consumer", "every transaction of the recommender takes 0.2 s more", _slow_consumer),
    Row("clock", "the services' clocks jump by a day, to and fro", _clock),
)
