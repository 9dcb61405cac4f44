"""A service: source topics, one ``handle``, and everything around it from the start to an orderly end."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext

from runtime import engines, logs
from runtime.admin import missing_topics
from runtime.dead_letter_box import OpenLetters
from runtime.engines import Handle, Subscription
from runtime.exits import Exit, NotSetUp, status_of
from runtime.http import Check, HealthServer
from runtime.kafka import transient_fault, unreachable, wait_for_broker
from runtime.message import Message
from runtime.metrics import Metrics
from runtime.retry import Fault, persist
from runtime.settings import Settings, unknown_variables
from runtime.stopping import unless
from schemas.topics import DEAD_LETTER, Topic

Background = Callable[[], Awaitable[None]]

_SILENCE_SECONDS = 10.0
_FINISH_SECONDS = 25.0
_WATCH_SECONDS = 1.0
_OLDEST_EVERY_SECONDS = 60.0
_COLLECT_EVERY = 20_000
"""New objects, net of those that went."""
_log = logs.logger(__name__)


class Stuck(Exception):
    """Nothing was read or finished for so long that only a new process can help."""


class Service:
    """Runs ``handle`` over topics until it is told to stop.

    It waits for what it needs, reads with the engine of the settings, answers health checks, and ends when anything in
    it fails: its supervisor starts it again, and what it had not finished is delivered again.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        sources: Sequence[Topic],
        handle: Handle,
        metrics: Metrics | None = None,
        needs: Sequence[Topic] = (DEAD_LETTER,),
        lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        background: Sequence[Background] = (),
        checks: Mapping[str, Check] | None = None,
        watchdogs: Mapping[str, Check] | None = None,
    ) -> None:
        """
        Args:
            name: names the consumer group, the metrics and the log lines.
            sources: what is read; the order of each partition is kept, not that between topics.
            handle: processes a batch; when it returns, the batch is acknowledged; when it raises, the service ends.
            needs: further topics that must exist.
            lifespan: resources that are opened before the first batch and closed after the last.
            background: tasks that run beside ``handle``; they are cancelled at the end, and an error in one, or its
                end, ends the service.
            checks: further readiness checks.
            watchdogs: further checks of health, asked every second: what one of them names ends the service.
        """
        self.name = name
        self.settings = settings
        self.metrics = metrics or Metrics(name)
        self._handle = handle
        self._topics = (*sources, *needs)
        self._lifespan = lifespan
        self._background = background
        self._engine = engines.create(settings, Subscription(tuple(map(settings.topic, sources)), settings.group(name)))
        self._broker = Fault()
        self._phase: str | None = "starting"
        self._watchdogs: dict[str, Check] = {"poll": self._poll_check, **(watchdogs or {})}
        readiness: dict[str, Check] = {
            "service": lambda: self._phase,
            "broker": self._broker_check,
            "assignment": lambda: None if self._engine.joined else "the group has given no partitions yet",
            **(checks or {}),
        }
        self._http = HealthServer(settings, self.metrics, self._watchdogs, readiness)
        self.metrics.gauge("pgx_lag", "Messages published to the source topics but not handled", self._engine.lag)
        self.metrics.gauge(
            "pgx_poll_age_seconds", "Seconds since the brokers were heard of or a batch ended", self._engine.poll_age
        )
        self.metrics.gauge(
            "pgx_stalled_seconds",
            "Seconds for which a partition, the place in the group or taken messages have stood still",
            self._engine.stalled,
        )

    async def run(self, stop: asyncio.Event | None = None, started: Callable[[], None] = lambda: None) -> Exit:
        """Run until SIGTERM or SIGINT, or until ``stop`` is set where it is given; the exit status.

        ``started`` is called when everything is open, before the first batch.

        0 after an orderly stop, 4 when a broker or database stayed away, 1 after any other error.
        """
        if stop is None:
            stop = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        _log.info("service starts", engine=self.settings.stream_engine, brokers=self.settings.kafka_bootstrap_servers)
        for stranger, meant in unknown_variables(os.environ).items():
            _log.warning("unknown setting", variable=stranger, perhaps=meant)
        try:
            await self._run(stop, started)
        except Exception as error:
            _log.error("service ends", exc_info=error)
            return status_of(error)
        _log.info("service stopped")
        return Exit.DONE

    async def _run(self, stop: asyncio.Event, started: Callable[[], None]) -> None:
        async with AsyncExitStack() as stack:
            await self._http.start()
            stack.push_async_callback(self._http.stop)
            if await unless(stop, self._start(stack)):
                started()
                self._phase = None
                await self._work(stop)
                self._phase = "stopping"

    async def _start(self, stack: AsyncExitStack) -> None:
        await wait_for_broker(self.settings, lambda what: _log.warning("waiting", reason=what), self._broker)
        await self._wait_for_topics()
        await stack.enter_async_context(self._lifespan())

    async def _wait_for_topics(self) -> None:
        missing: tuple[str, ...] = ()

        async def check() -> None:
            nonlocal missing
            missing = await missing_topics(self.settings, self._topics)
            if missing:
                raise NotSetUp(f"topics are missing: {', '.join(missing)}")

        await persist(
            check,
            transient=lambda error: isinstance(error, NotSetUp) or transient_fault(error),
            patience=self.settings.patience,
            fault=self._broker,
            gave_up=lambda tried: NotSetUp(f"{tried}. Run `pgx setup` first, with the same PGX_TOPIC_PREFIX"),
        )

    async def _work(self, stop: asyncio.Event) -> None:
        # The engine gets a stop of its own: it also has to finish its batch when something beside it fails.
        finish = asyncio.Event()
        engine = asyncio.create_task(self._read(finish), name="engine")
        beside = [asyncio.create_task(_for_ever(task)) for task in (self._watch, self._watch_oldest, *self._background)]
        stopping = asyncio.create_task(_wait(stop))
        try:
            await asyncio.wait({engine, stopping, *beside}, return_when=asyncio.FIRST_COMPLETED)
            finish.set()
            await asyncio.wait({engine}, timeout=_FINISH_SECONDS)
            for task in beside:
                if task.done():
                    task.result()
            if not engine.done():
                raise Stuck(f"the batch at hand was not finished in {_FINISH_SECONDS:.0f} s")
            engine.result()
        finally:
            for task in (engine, stopping, *beside):
                task.cancel()
            await asyncio.wait({engine, *beside}, timeout=_SILENCE_SECONDS)

    async def _read(self, finish: asyncio.Event) -> None:
        """Run the engine; brokers that go away before it has joined its group are waited for like any others."""

        async def run() -> None:
            if not finish.is_set():
                await self._engine.run(self._measured, finish)

        await persist(
            run,
            transient=lambda error: not self._engine.joined and transient_fault(error),
            patience=self.settings.patience,
            # Not the broker's: a run that lasts is no fault.
            fault=Fault(),
            gave_up=lambda tried: unreachable(self.settings, f"{tried}, while joining the group"),
        )

    async def _measured(self, batch: Sequence[Message]) -> None:
        began = time.perf_counter()
        await self._handle(batch)
        self.metrics.batch(len(batch), time.perf_counter() - began)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for check in self._watchdogs.values():
                if (reason := check()) is not None:
                    raise Stuck(reason)

    async def _watch_oldest(self) -> None:
        letters = OpenLetters(self.settings)
        while True:
            with contextlib.suppress(Exception):
                self.metrics.oldest_dead_letter(await letters.oldest_age(time.time() * 1000))
            await asyncio.sleep(_OLDEST_EVERY_SECONDS)

    def _poll_check(self) -> str | None:
        age = self._engine.stalled()
        if self._phase is not None or age <= self.settings.stuck_seconds:
            return None
        return f"a partition, the place in the group or taken messages have stood still for {age:.0f} s"

    def _broker_check(self) -> str | None:
        if self._broker.reason is not None or self._phase is not None:
            return self._broker.reason
        age = self._engine.poll_age()
        return f"nothing was read or finished for {age:.0f} s" if age > _SILENCE_SECONDS else None


def main(service: Service) -> int:
    """Run a service as this process; the exit status."""
    logs.configure(service.settings, service.name)
    status = asyncio.run(service.run(started=_keep_loaded))
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        # A client's thread that does not end must not keep the process, and so its supervisor, from going on.
        sys.stderr.flush()
        os._exit(status)
    return status


def _keep_loaded() -> None:
    """Spare what a service has loaded, which lives as long as it, from being looked through for garbage again.

    Events make next to no cyclic garbage, so that looking for it seldom is enough.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, 20, 20)


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


async def _for_ever(task: Background) -> None:
    await task()
    raise RuntimeError(f"{getattr(task, '__qualname__', task)} ended, but should run as long as the service")
