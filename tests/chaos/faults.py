"""Everything that is made to go wrong. Each fault returns when it has happened; the rest is the system's business."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from schemas.topics import LAB_RESULT
from tests.chaos.deployment import Deployment
from tests.chaos.fleet import Copy, ended
from tests.chaos.points import POINTS, STAGES, points_of
from tests.chaos.workload import Input

_REACH_SECONDS = 20.0
_END_SECONDS = 45.0
_SHELL = (
    "before-send",
    "confirmed",
    "before-ack",
    "in-transaction",
    "written",
    "committed",
    "relay-read",
    "relay-confirmed",
    "relay-deleted",
    "letter-before-send",
    "letter-confirmed",
)
"""Steps in the code around the domain: an error there ends the process."""
_UNDONE = ("before-send", "in-transaction", "letter-before-send")
"""Those of them at which nothing has come of the event yet: who acknowledges it then has lost it."""
_PAUSE_SECONDS = (11.0, 14.0)
"""Longer than the session of a group member: the others take its partitions over while it sleeps."""


@dataclass(slots=True)
class Scene:
    """Where faults happen, and the input that flows meanwhile."""

    deployment: Deployment
    draw: random.Random
    to_come: Sequence[Input] = ()
    """What the next fault may let happen meanwhile; it takes from the front."""
    goes_on: bool = False
    """The services under test do not end by an error of their shell."""
    past: list[Input] = field(default_factory=list)
    extra: int = 0
    turn: list[str] = field(default_factory=list)
    """The services that are next to suffer."""
    recoveries: list[float] = field(default_factory=list)
    """Seconds from the end of a fault until everything published had come out, where a row waits for that."""

    def copy(self) -> Copy:
        """A running copy of some service, each service in its turn."""
        running = [copy for copy in self.deployment.fleet.copies.values() if copy.running]
        stages = sorted({copy.stage for copy in running})
        self.turn = self.turn or self.draw.sample(STAGES, len(STAGES))
        stage = next((stage for stage in self.turn if stage in stages), self.draw.choice(stages))
        if stage in self.turn:
            self.turn.remove(stage)
        return self.draw.choice([copy for copy in running if copy.stage == stage])

    async def flow(self, count: int, rubbish: int = 0) -> None:
        """Publish the next inputs; where there are none left, earlier ones again, as laboratories do.

        ``rubbish``: so many of the earlier inputs that become dead letters beside them.
        """
        now, self.to_come = list(self.to_come[:count]), self.to_come[count:]
        self.past += now
        if self.past and len(now) < count:
            now += self.draw.choices(self.past, k=count - len(now))
        if rubbish and (bad := [one for one in self.past if one.cause is None and one.topic is LAB_RESULT]):
            now += self.draw.choices(bad, k=rubbish)
        await self.deployment.publish(now)


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault. ``kill``: something is ended or cut off by it. ``weight``: how often it is drawn."""

    name: str
    meaning: str
    happen: Callable[[Scene], Awaitable[str | None]]
    """Returns what exactly happened, or None when the occasion did not come."""
    weight: int = 1
    kill: bool = True
    linked: bool = False
    """Needs a machine with links."""


async def service_kill(scene: Scene) -> str:
    copy = scene.copy()
    copy.excused = True
    copy.signal(signal.SIGKILL)
    return copy.stage


async def service_stop(scene: Scene) -> str:
    copy = scene.copy()
    copy.signal(signal.SIGTERM)
    if not await ended(copy, 35.0):
        scene.deployment.fleet.give_up(copy)
    return copy.stage


async def at_point(scene: Scene) -> str | None:
    """A service ends at one of its numbered steps, while input flows."""
    copy = scene.copy()
    point = scene.draw.choice(points_of(copy.stage, poison=copy.stage == "genotyper"))
    return await order(scene, copy, "kill", point.name, scene.draw.randint(1, 3))


async def order(scene: Scene, copy: Copy, action: str, point: str, number: int) -> str | None:
    """Let it happen at this point of this copy, and publish until it has and the process has ended."""
    copy.ended.clear()
    copy.excused = True
    read = copy.log.stat().st_size if copy.log.exists() else 0
    copy.order(f"{action} {point} {number}")
    deadline = time.monotonic() + _REACH_SECONDS
    while time.monotonic() < deadline:
        await scene.flow(5, rubbish=2 if point.startswith("letter") else 0)
        over = await ended(copy, 0.5)
        if f"{action} at {point}".encode() in copy.log.read_bytes()[read:]:
            if not over and not scene.goes_on:
                await ended(copy, _END_SECONDS)
            return f"{copy.stage}, {point}"
    # Nothing came its way, as when it has no partitions: what waits in it must not count as unasked later.
    copy.signal(signal.SIGKILL)
    return None


async def shell_raises(scene: Scene) -> str | None:
    copy = scene.copy()
    steps = _UNDONE if scene.goes_on else _SHELL
    points = [point.name for point in points_of(copy.stage, poison=copy.stage == "genotyper") if point.name in steps]
    return await order(scene, copy, "raise", scene.draw.choice(points), scene.draw.randint(1, 3))


async def service_pause(scene: Scene) -> str:
    """A process that stands still while its partitions go to others, and then goes on as if nothing had been."""
    copy = scene.copy()
    process = copy.process
    copy.excused = True
    copy.signal(signal.SIGSTOP)
    await asyncio.sleep(scene.draw.uniform(*_PAUSE_SECONDS))
    if process is copy.process:
        copy.signal(signal.SIGCONT)
    return copy.stage


async def join_and_leave(scene: Scene) -> str:
    """Further copies come and go: the group shares its partitions out anew each time."""
    stage = scene.draw.choice(("genotyper", "phenotyper", "recommender"))
    scene.extra += 1
    copy = scene.deployment.fleet.add(stage, f"{stage}-extra-{scene.extra}", static=False)
    await asyncio.sleep(scene.draw.uniform(3.0, 8.0))
    await scene.deployment.fleet.remove(copy, scene.draw.choice((signal.SIGTERM, signal.SIGKILL)))
    return stage


async def broker_kill(scene: Scene) -> str | None:
    broker = scene.deployment.machine.broker
    await asyncio.to_thread(broker.kill)
    await asyncio.sleep(scene.draw.uniform(0.0, 2.0))
    await asyncio.to_thread(broker.start)
    return "SIGKILL"


async def broker_restart(scene: Scene) -> str:
    broker = scene.deployment.machine.broker
    await asyncio.to_thread(broker.stop)
    await asyncio.sleep(scene.draw.uniform(0.0, 4.0))
    await asyncio.to_thread(broker.start)
    return "orderly"


async def database_kill(scene: Scene) -> str:
    database = scene.deployment.machine.database
    await asyncio.to_thread(database.kill)
    await asyncio.sleep(scene.draw.uniform(0.0, 2.0))
    await asyncio.to_thread(database.start)
    return "SIGKILL"


async def database_stop(scene: Scene, seconds: float | None = None) -> str:
    database = scene.deployment.machine.database
    await asyncio.to_thread(database.stop)
    await asyncio.sleep(scene.draw.uniform(0.0, 8.0) if seconds is None else seconds)
    await asyncio.to_thread(database.start)
    return "orderly"


async def backend_kill(scene: Scene) -> str | None:
    """SIGKILL to one connection's server process: PostgreSQL ends all others and recovers."""
    connection = await scene.deployment.machine.database.connect(scene.deployment.name)
    try:
        pids = [row["pid"] for row in await connection.fetch(_BACKENDS)]
        if not pids:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.kill(scene.draw.choice(pids), signal.SIGKILL)
        return "one backend"
    finally:
        connection.terminate()


async def connections_terminated(scene: Scene) -> str | None:
    """Connections are ended inside their transactions, as soon as there are such."""
    connection = await scene.deployment.machine.database.connect(scene.deployment.name)
    deadline = time.monotonic() + _REACH_SECONDS / 2
    try:
        while time.monotonic() < deadline:
            await scene.flow(2)
            for _ in range(40):
                if ended_now := await connection.fetchval(_TERMINATE):
                    return f"{ended_now} in a transaction"
                await asyncio.sleep(0.005)
        return None
    finally:
        connection.terminate()


async def link_cut(scene: Scene) -> str:
    name = scene.draw.choice(sorted(scene.deployment.machine.links))
    link = scene.deployment.machine.links[name]
    link.order("cut")
    await asyncio.sleep(scene.draw.uniform(2.0, 15.0))
    link.order("heal")
    return f"to the {name}"


async def link_reset(scene: Scene) -> str:
    name = scene.draw.choice(sorted(scene.deployment.machine.links))
    scene.deployment.machine.links[name].order("reset")
    return f"to the {name}"


FAULTS = (
    Fault("service-kill", "SIGKILL to a service at any moment", service_kill, 9),
    Fault("point-kill", "SIGKILL at a numbered step of a service", at_point, 12),
    Fault("service-stop", "SIGTERM to a service under load", service_stop, 4),
    Fault("shell-raises", "an error in the code around the domain, at a numbered step", shell_raises, 3, kill=False),
    Fault("service-pause", "a service stands still past its session, then goes on", service_pause, 1, kill=False),
    Fault("join-and-leave", "a further copy joins its group and leaves it", join_and_leave, 2, kill=False),
    Fault("broker-kill", "SIGKILL to the broker, started again", broker_kill, 1),
    Fault("broker-restart", "the broker is stopped and started", broker_restart, 1),
    Fault("database-kill", "SIGKILL to PostgreSQL, started again", database_kill, 1),
    Fault("database-stop", "PostgreSQL is stopped for up to 8 s", database_stop, 1),
    Fault("backend-kill", "SIGKILL to one PostgreSQL backend: all are reset", backend_kill, 2),
    Fault("connections-terminated", "connections end inside their transaction", connections_terminated, 3),
    Fault("link-cut", "the network to broker or database is cut for up to 15 s", link_cut, 2, linked=True),
    Fault("link-reset", "all connections to broker or database are reset", link_reset, 2, linked=True),
)

POINT_NAMES = tuple(point.name for point in POINTS)

_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""
