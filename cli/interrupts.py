"""Signals that end a command, kept from falling between two steps that belong together."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns the first SIGINT, SIGTERM or SIGHUP into ``KeyboardInterrupt``, but never inside ``held``; later ones are
    taken for impatience with an end that has begun already."""

    def __init__(self) -> None:
        self._held = 0
        self._asked = False
        self._raised = False
        self._cancel: Callable[[], None] | None = None

    def install(self) -> None:
        """From now on signals come here."""
        for number in _ENDING:
            signal.signal(number, self._on_signal)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is begun inside is finished; a signal that came meanwhile takes effect at the end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._raise_if_due()

    def hold_for_good(self) -> None:
        """From now on nothing is interrupted any more: what is left is cleaning up."""
        self._held += 1

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """``asyncio.run``, where a signal cancels the work: an exception out of nowhere would tear the loop apart."""
        with self.held(), suppress(asyncio.CancelledError):
            return asyncio.run(self._cancellable(work))
        raise KeyboardInterrupt

    async def _cancellable(self, work: Coroutine[Any, Any, T]) -> T:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work)
        self._cancel = partial(_ask_to_cancel, loop, task)
        try:
            if self._asked:
                task.cancel()
            return await task
        finally:
            self._cancel = None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        if self._cancel is not None:
            self._cancel()
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._asked and not self._held and not self._raised:
            self._raised = True
            raise KeyboardInterrupt


def _ask_to_cancel(loop: asyncio.AbstractEventLoop, task: "asyncio.Future[Any]") -> None:
    loop.call_soon_threadsafe(task.cancel)
