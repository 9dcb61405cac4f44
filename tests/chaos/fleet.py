"""The services as processes under a supervisor that starts each again when it ends, as compose or systemd would."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.machine import ROOT

RESTART_SECONDS = 1.0
STOP_SECONDS = 40.0
"""A service has 30 s to stop; a loaded machine gets some more before it is killed and counted as hung."""


@dataclass(slots=True)
class End:
    """A process that ended: of which copy, with which status, and whether a fault of ours was the cause."""

    copy: str
    status: int
    asked: bool
    at: float


@dataclass(slots=True)
class Copy:
    """One copy of a service."""

    name: str
    stage: str
    log: Path
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    wanted: bool = True
    excused: bool = False
    """Its next end is the effect of a fault."""
    restart_after: float = RESTART_SECONDS
    task: "asyncio.Task[None] | None" = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def order(self, line: str) -> None:
        """Tell the process what to do on its way; lost if it has just ended."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.write(f"{line}\n".encode())

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)


class Fleet:
    """All copies of one deployment."""

    def __init__(self, environment: Mapping[str, str], folder: Path, orders: tuple[str, ...] = ()) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PGX_", "CHAOS_"))}
        self.environment = clean | dict(environment) | {"PYTHONPATH": str(ROOT), "CHAOS_ORDERS": ";".join(orders)}
        self._folder = folder
        self.copies: dict[str, Copy] = {}
        self.ends: list[End] = []
        self.hung: list[str] = []

    def add(self, stage: str, name: str, *, static: bool = True, **settings: str) -> Copy:
        """Start a copy; ``static``: as a member of its group that is known again after a restart."""
        environment = self.environment | settings | ({"PGX_INSTANCE": name} if static else {})
        copy = Copy(name, stage, self._folder / f"{name}.log", environment)
        self.copies[name] = copy
        copy.task = asyncio.create_task(self._supervise(copy))
        return copy

    def of(self, stage: str) -> list[Copy]:
        return [copy for copy in self.copies.values() if copy.stage == stage]

    async def remove(self, copy: Copy, number: signal.Signals = signal.SIGTERM) -> None:
        """End a copy for good."""
        copy.wanted, copy.excused = False, number is not signal.SIGTERM
        copy.signal(number)
        assert copy.task is not None
        try:
            await asyncio.wait_for(asyncio.shield(copy.task), STOP_SECONDS)
        except TimeoutError:
            self.give_up(copy)
            await copy.task
        del self.copies[copy.name]

    def give_up(self, copy: Copy) -> None:
        """Kill a copy that did not stop when it was told to; its log then says where it stood."""
        self.hung.append(copy.name)
        copy.excused = True
        copy.signal(signal.SIGUSR1)
        copy.signal(signal.SIGKILL)

    async def stop(self) -> None:
        """End all copies in an orderly way."""
        await asyncio.gather(*(self.remove(copy) for copy in list(self.copies.values())))

    def kill(self) -> None:
        """End all at once, whatever they do."""
        for copy in self.copies.values():
            copy.wanted = False
            copy.signal(signal.SIGCONT)
            copy.signal(signal.SIGKILL)

    @property
    def failures(self) -> list[End]:
        """Ends with a status other than 0 that no fault asked for; SIGTERM before it could be heard is none."""
        return [end for end in self.ends if end.status not in (0, -signal.SIGTERM) and not end.asked]

    async def _supervise(self, copy: Copy) -> None:
        while copy.wanted:
            with copy.log.open("ab") as log:
                copy.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "tests.chaos.worker", copy.stage,
                    cwd=ROOT, env=copy.environment, stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
                )  # fmt: skip
            copy.ended.clear()
            status = await copy.process.wait()
            self.ends.append(End(copy.name, status, copy.excused, time.monotonic()))
            copy.excused = False
            copy.ended.set()
            if copy.wanted:
                await asyncio.sleep(copy.restart_after)


async def ended(copy: Copy, seconds: float) -> bool:
    """Whether the copy's process ended within the time."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(copy.ended.wait(), seconds)
        return True
    return False
